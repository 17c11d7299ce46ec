for f in ../deb/*.deb; do dpkg -x $f /; done; ldconfig
export VK_DRIVER_FILES=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json XDG_RUNTIME_DIR=/tmp PY_WGML_NAGA_ADAPTER=NVIDIA PY_WGML_TINT_ADAPTER=NVIDIA
python3 -m pip install -q --no-index --no-deps --break-system-packages ../py/*.whl 2>&1 | tail -2
S="python3 .sweep.py"
C=128:16:2:4,256:32:2:1,128:16:2:1
for v in A B C D; do echo "== $v"; [ -d ../lin$v ] && cp -r ../lin$v/* wgsl/; $S naga vec 40 Q4_0,Q4_1,Q4_K,Q8_0 $C 14336x4096; done
git checkout -q . 2>/dev/null
rm -rf wgsl; cp -r wgsl0 wgsl
$S naga vec 100 Q5_0,Q5_1,Q2_K,Q3_K,Q5_K,Q6_K,MXFP4,IQ4_NL,IQ4_XS,IQ1_S,IQ2_S,IQ2_XS,IQ3_S,IQ3_XXS,TQ1_0,TQ2_0,Q8_K,F16,BF16,Q4_0,Q4_K 128:16:2:4,128:16:2:1,256:32:2:1 14336x4096
