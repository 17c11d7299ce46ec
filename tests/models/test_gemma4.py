"""Files of Gemma 3n and 4 that don't fit are refused in one line."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny import TINY, write_tiny

from py_wgml import WgmlError
from py_wgml.gguf_model import read_header
from py_wgml.models import plan


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("gemma4", {"shapes": {"per_layer_token_embd": (512, 96)}}, "has 112 rows instead of 96"),
        ("gemma4", {"shapes": {"per_layer_token_embd": (500, 112)}}, "has not a row for each of 512 tokens"),
        ("gemma4", {"shapes": {"per_layer_model_proj": (96, 64)}}, "has 96 rows, not a multiple of 7"),
        ("gemma4", {"shapes": {"per_layer_proj_norm": (8,)}}, r"has the shape \[8\] instead of \[16\]"),
        ("gemma4", {"shapes": {"inp_gate": (32, 64)}}, "has 32 rows instead of 16|has 16 rows instead of 32"),
        ("gemma4", {"shapes": {"proj": (32, 16)}}, "post_norm.weight has not 32 elements"),
        ("gemma4", {"shapes": {"layer_output_scale": (3,)}}, r"has the shape \[3\] instead of \[1\]"),
        ("gemma4", {"shapes": {"blk.5.attn_q": (128, 64)}}, "blk.5.attn_q.weight has 128 rows instead of 64"),
        ("gemma4", {"rest": "output_norm rope_freqs"}, "lacks the tensor per_layer_model_proj.weight"),
        (
            "gemma4, keys as values",
            {"shapes": {"blk.3.attn_k": (96, 64)}},
            "have 128 [+] 96 rows instead of 128 [+] 32 [+] 32",
        ),
        ("gemma4, mixture", {"shapes": {"ffn_gate_up_exps": (6, 100, 64)}}, "has 50 elements|rows of|has the shape"),
        ("gemma3n", {"shapes": {"altup_predict_coef": (12, 4)}}, r"has the shape \[12, 4\] instead of \[64\]"),
        ("gemma3n", {"shapes": {"altup_router": (9, 64)}}, "updates of 9 streams are not supported"),
        ("gemma3n", {"shapes": {"altup_router": (3, 64)}}, "altup_proj.weight .* rows instead of 64 [+] 64"),
        ("gemma3n", {"shapes": {"altup_proj": (2, 64, 64)}}, "altup_proj.weight has 128 rows, not a multiple of 192"),
        ("gemma3n", {"shapes": {"altup_unembd_proj": (3, 64, 32)}}, "altup_unembd_proj.weight has rows of 32"),
        ("gemma3n", {"shapes": {"laurel_r": (32, 8)}}, "laurel_post_norm.weight has not 32 elements"),
        ("gemma3n", {"shapes": {"altup_correct_scale": (32,)}}, r"has the shape \[32\] instead of \[64\]"),
    ],
    ids=str,
)
def test_refuses_tensors_that_do_not_fit(tmp_path: Path, name: str, changes: dict[str, Any], message: str) -> None:
    tiny = TINY[name]
    if "shapes" in changes:
        changes = {"shapes": {**tiny.shapes, **changes["shapes"]}}
    with pytest.raises(WgmlError, match=message):
        plan(read_header(write_tiny(tmp_path / "tiny.gguf", replace(tiny, **changes))))


@pytest.mark.parametrize(
    ("name", "metadata", "message"),
    [
        ("gemma4", {"attention.shared_kv_layers": 7}, "gemma4.attention.shared_kv_layers is 7 of 7 layers"),
        ("gemma4", {"attention.shared_kv_layers": 6}, "layer 1 has no keys and values, and no layer before it"),
        ("gemma4", {"attention.value_length_swa": 32}, "differ in length"),
        ("gemma4", {"attention.key_length_swa": 32, "attention.value_length_swa": 32}, "rows instead of"),
        ("gemma4", {"attention.sliding_window_pattern": [True] * 6}, "has 6 entries instead of 7"),
        ("gemma4", {"embedding_length_per_layer_input": 0}, "models of the architecture 'gemma4' don't have"),
        ("gemma4", {"embedding_length_per_layer_input": 8}, "inp_gate.weight|too few|rows instead of"),
        ("gemma4, keys as values", {"embedding_length_per_layer_input": 16}, "lacks the tensor per_layer_model_proj"),
        ("gemma3n", {"altup.num_inputs": 1}, "the file has 1 streams of activations"),
        ("gemma3n", {"altup.num_inputs": 1 << 30}, "altup_proj.weight has 192 rows, not a multiple of"),
        ("gemma3n", {"activation_sparsity_scale": [math.nan] * 7}, "activation_sparsity_scale holds a number"),
        ("gemma3n", {"activation_sparsity_scale": [1.0] * 6}, "activation_sparsity_scale has 6 entries instead of 7"),
        (
            "gemma3n",
            {"attention.shared_kv_layers": 0, "altup.active_idx": 1},
            "another stream of activations than the first",
        ),
    ],
    ids=str,
)
def test_refuses_metadata_that_does_not_fit(tmp_path: Path, name: str, metadata: dict[str, Any], message: str) -> None:
    tiny = TINY[name]
    changed = replace(tiny, metadata={**tiny.metadata, **metadata})
    with pytest.raises(WgmlError, match=message):
        plan(read_header(write_tiny(tmp_path / "tiny.gguf", changed)))
