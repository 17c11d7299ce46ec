"""Models of transformers whose layers have a state that forgets."""

from typing import Any

import numpy as np
from models.hf import Hf, Tensors, interleaved, rope, shifted
from tiny import EXPERTS, TINY, Tiny


def logarithmic(name: str, array: Any, tiny: Tiny) -> Any:
    """llama.cpp's converter makes rates of their logarithms, and parts norms by groups."""
    array = array.reshape(-1) if ".ssm_norm." in name else array
    return np.log(-array) if name.endswith("ssm_a") else array


def interleaved_logarithmic(name: str, array: Any, tiny: Tiny) -> Any:
    return logarithmic(name, interleaved(name, array, tiny), tiny)


def grouped_values(name: str, array: Any, tiny: Tiny) -> Any:
    """It also adds 1 to the weights of norms, but not to those of what is remembered."""
    return logarithmic(name, array if ".ssm_norm." in name else shifted(name, array, tiny), tiny)


def tiled_values(name: str, array: Any, tiny: Tiny) -> Any:
    """It also parts the value heads that share a key head: first the first ones of all, then the second ones, and so
    on. This brings them together."""
    keys, size = (tiny.metadata[f"ssm.{key}"] for key in ("group_count", "state_size"))

    def together(rows: Any, size: int) -> Any:
        return rows.reshape(-1, keys, size, *rows.shape[1:]).swapaxes(0, 1).reshape(rows.shape)

    match name.split(".")[-2:]:
        case [("attn_qkv" | "ssm_conv1d"), _]:
            first = 2 * keys * size  # rows of queries and keys
            array = np.concatenate([array[:first], together(array[first:], size)])
        case ["attn_gate", _]:
            array = together(array, size)
        case [("ssm_alpha" | "ssm_beta" | "ssm_dt"), _] | [_, "ssm_a"]:
            array = together(array, 1)
        case ["ssm_out", _]:
            array = together(array.T, size).T
    return grouped_values(name, array, tiny)


def queries_to_gates(key: str, tensors: Tensors, tiny: Tiny) -> tuple[tuple[str, ...], Any] | None:
    """Queries, keys, values and gates, which transformers keeps by heads of keys, unless the file does."""
    prefix = f"blk.{key.split('.')[2]}" if "layers" in key else ""
    names = f"{prefix}.attn_qkv.weight", f"{prefix}.attn_gate.weight"
    if not key.endswith("in_proj_qkvz.weight") or names[0] not in tensors:
        return None
    keys, size = (tiny.metadata[f"ssm.{key}"] for key in ("group_count", "state_size"))
    qkv, gates = (tensors[name] for name in names)
    parts = [*np.split(qkv, [keys * size, 2 * keys * size]), gates]
    heads = [part.reshape(keys, -1, tiny.embedding) for part in parts]
    return names, np.concatenate(heads, axis=1).reshape(-1, tiny.embedding)


def shared_mlp(key: str, tensors: Tensors, tiny: Tiny) -> tuple[tuple[str, ...], Any] | None:
    """The part of a layer that is not a mixture, or is beside one, with gates and values in one matrix."""
    if "shared_mlp" not in key:
        return None
    prefix = f"blk.{key.split('.')[2]}"
    suffix = "_shexp" if f"{prefix}.ffn_up_shexp.weight" in tensors else ""
    parts = ("gate", "up") if "input" in key else ("down",)
    names = tuple(f"{prefix}.ffn_{part}{suffix}.weight" for part in parts)
    return names, np.concatenate([tensors[name] for name in names])


def kimi(key: str, tensors: Tensors, tiny: Tiny) -> tuple[tuple[str, ...], Any] | None:
    """The taps of queries, keys and values, of which files have three tensors; and names that the table lacks."""
    prefix = f"blk.{key.split('.')[2]}" if "layers" in key else ""
    if ".self_attn.conv1d" in key:
        names = tuple(f"{prefix}.ssm_conv1d_{part}.weight" for part in "qkv")
        return names, np.concatenate([tensors[name].reshape(-1, 1, 4) for name in names])
    if key.endswith("e_score_correction_bias"):
        return (f"{prefix}.exp_probs_b.bias",), tensors[f"{prefix}.exp_probs_b.bias"]
    return None


_DELTA = {
    "rms_norm_eps": 1e-6,
    "head_dim": 16,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
    "linear_conv_kernel_dim": 4,
    "num_experts": EXPERTS,
    "shared_expert_intermediate_size": 256,
}
_PARTIAL = rope(partial_rotary_factor=0.25)
_PARTIAL_OF_PICTURES = rope(partial_rotary_factor=0.25, mrope_section=[1, 1, 0])
_MAMBA = {"state_size": 16, "time_step_rank": 8, "layer_norm_epsilon": 1e-5}
_GRANITE = {
    "attention_multiplier": 0.4,
    "embedding_multiplier": 3.0,
    "residual_multiplier": 0.22,
    "logits_scaling": 4.0,
    "shared_intermediate_size": 128,
    "mamba_n_heads": 8,
    "mamba_n_groups": 2,
    "mamba_d_state": 16,
}
_FALCON = {
    "mamba_d_ssm": 128,
    "mamba_n_heads": 8,
    "mamba_n_groups": 2,
    "mamba_d_state": 16,
    "mamba_norm_before_gate": False,  # files have no word for it, and the models of today have it so
}
_NEMOTRON = {
    "mamba_num_heads": 8,
    "mamba_head_dim": 16,
    "ssm_state_size": 16,
    "n_groups": 2,
    "head_dim": 16,
    "time_step_min": 1e-30,  # transformers alone bounds steps, and those of prompts alone
    "n_routed_experts": EXPERTS,
    "moe_shared_expert_intermediate_size": 256,
    "routed_scaling_factor": 2.5,
}


def layer_types(name: str, *types: str) -> list[str]:
    """Of the tiny model `name`: types of even and of odd layers."""
    return [types[layer % 2] for layer in range(TINY[name].layers)]


def qwen(type: str, name: str, **config: Any) -> Hf:
    types = layer_types(name, "linear_attention", "full_attention")
    config = {**_DELTA, "layer_types": types, **config}
    if type == "qwen3_next":
        return Hf(type, grouped_values, {**config, "rope_parameters": _PARTIAL}, queries_to_gates)
    return Hf(type, tiled_values, {**config, "rope_parameters": _PARTIAL_OF_PICTURES})


def granite(name: str, **config: Any) -> Hf:
    types = layer_types(name, "mamba", "attention")
    config = {**_GRANITE, "layer_types": types, **config}
    return Hf("granitemoehybrid", interleaved_logarithmic, config, shared_mlp)


RECURRENT = {
    "qwen3next": qwen("qwen3_next", "qwen3next"),
    "qwen3next, early": qwen("qwen3_next", "qwen3next, early"),
    "qwen35": qwen("qwen3_5_text", "qwen35"),
    "qwen35, a block that predicts": qwen("qwen3_5_text", "qwen35, a block that predicts"),
    "qwen35moe": qwen("qwen3_5_moe_text", "qwen35moe"),
    "kimi-linear": Hf(
        "kimi_linear",
        logarithmic,
        {
            "rms_norm_eps": 1e-6,
            "num_key_value_heads": 4,
            "kv_lora_rank": 32,
            "qk_nope_head_dim": 24,
            "qk_rope_head_dim": 16,
            "v_head_dim": 20,
            "linear_head_dim": 16,
            "linear_num_heads": 4,
            "layer_types": ["linear_attention", "full_attention", "linear_attention"],
            "mlp_layer_types": ["dense", "sparse", "sparse"],
            "num_local_experts": EXPERTS,
            "num_experts_per_tok": 3,
        },
        kimi,
    ),
    "mamba": Hf("mamba", logarithmic, _MAMBA),
    "mamba, normed steps": Hf("falcon_mamba", logarithmic, {**_MAMBA, "mixer_rms_eps": 1e-5}),
    "jamba": Hf(
        "jamba",
        logarithmic,
        {
            "attn_layer_period": 3,
            "attn_layer_offset": 1,
            "expert_layer_period": 3,
            "expert_layer_offset": 2,
            "num_experts": EXPERTS,
            "mamba_dt_rank": 8,
        },
    ),
    "mamba2": Hf(
        "mamba2",
        logarithmic,
        {"num_heads": 8, "head_dim": 16, "state_size": 16, "n_groups": 2, "layer_norm_epsilon": 1e-5},
    ),
    "granitehybrid": granite("granitehybrid", num_local_experts=0),
    "granitehybrid, a mixture that rotates": granite(
        "granitehybrid, a mixture that rotates",
        num_local_experts=EXPERTS,
        shared_intermediate_size=256,
        position_embedding_type="rope",
    ),
    "falcon-h1": Hf("falcon_h1", logarithmic, {**_FALCON, "mamba_rms_norm": True}),
    "falcon-h1, no norm of the state": Hf("falcon_h1", logarithmic, _FALCON),
    "nemotron_h": Hf("nemotron_h", logarithmic, {**_NEMOTRON, "layers_block_type": ["mamba", "mlp", "attention"]}),
    "nemotron_h_moe": Hf(
        "nemotron_h",
        logarithmic,
        {**_NEMOTRON, "layers_block_type": ["mamba", "moe", "attention"], "moe_latent_size": 32},
    ),
    "nemotron_h_moe, whole": Hf(
        "nemotron_h", logarithmic, {**_NEMOTRON, "layers_block_type": ["mamba", "moe", "attention"]}
    ),
}
