import sys, time, os, itertools
sys.path[:0] = [".", "tests"]
import numpy as np
import gpus
from py_wgml.gguf_model.weights import TYPES, Matrix, Part, row_bytes
from py_wgml.ops import linear as L, step_block
import importlib
lin = importlib.import_module("py_wgml.ops.linear")
rng = np.random.default_rng(1)
blob = rng.integers(0, 255, 1 << 27, np.uint8)
T = {t.name: t for t in TYPES}
def make(gpu, name, rows, columns):
    nb = rows * row_bytes(T[name], columns)
    buf = gpu.buffer(nb, "w"); gpu.write(buf, np.resize(blob, nb))
    return Matrix((Part(buf, T[name], 0, rows),), columns), nb
def bench(gpu, m, rows, columns, count=1):
    x = gpu.upload(rng.standard_normal((count, columns)).astype(np.float32), "x"); out = gpu.buffer(4*rows*count, "out")
    step = gpu.upload(np.frombuffer(bytes(step_block(0, count)), np.uint8), "step") if False else gpu.buffer(16, "step"); gpu.write(step, step_block(0, count))
    p = gpu.program("p"); lin.linear(p, step, x, m, out, count)
    gpu.time(p, 1); once = gpu.time(p, 2)
    best = min(gpu.time(p, max(1, int(0.012/max(once,1e-6)))) for _ in range(3))
    x.destroy(); out.destroy(); step.destroy()
    return best
comp = sys.argv[1]
gpu = gpus.device(comp, True, True)
mode = sys.argv[2]
end = time.time() + float(sys.argv[3])
if mode == "vec":
    names = sys.argv[4].split(",")
    combos = [tuple(map(int, c.split(":"))) for c in sys.argv[5].split(",")]  # wg:lanes:each:stage
    shapes = [(14336, 4096), (4096, 4096)] if len(sys.argv) < 7 else [tuple(map(int, s.split("x"))) for s in sys.argv[6].split(",")]
    for name in names:
        for rows, columns in shapes:
            m, nb = make(gpu, name, rows, columns)
            line = f"{name:8} {rows}x{columns} "
            for wg, lanes, each, stage in combos:
                if time.time() > end: break
                lin._VECTOR_WORKGROUP_SIZE, lin._EACH, lin._STAGE = wg, each, stage
                os.environ["LANES"] = str(lanes)
                if stage == 0: lin._STAGE = 0
                try: s = bench(gpu, m, rows, columns); line += f" {wg}:{lanes}:{each}:{stage}={nb/s*1e-9:.0f}"
                except Exception as e: line += f" {wg}:{lanes}:{each}:{stage}=ERR {str(e)[:80]}"
            print(line, flush=True)
            m.parts[0].buffer.destroy()
else:
    for name in sys.argv[4].split(","):
        line = f"tile {name:8}"
        for rows, columns, count in ((4096, 4096, 512), (14336, 4096, 512), (576, 576, 512), (3072, 576, 512)):
            m, nb = make(gpu, name, rows, columns)
            s = bench(gpu, m, rows, columns, count); line += f" {rows}x{columns}x{count}={2*rows*columns*count/s*1e-9:.0f}GF ({s*1e6:.0f}us)"
            m.parts[0].buffer.destroy()
        print(line, flush=True)
