"""What Hugging Face transformers computes with the weights of the tiny models, written to tests/data.

    pip install --group truth
    PYTHONPATH=.:tests python3 tests/models/truth.py [FILTER ...]

Each model of `TINY` is read with the gguf package, its tensors are found by that package's table of names and turned
back into what llama.cpp's converter takes. FILTER is a part of a name: only those are made anew.
"""

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gguf
import numpy as np
import torch
import transformers
from models.hf import Hf, Tensors, grouped, interleaved, rope, shifted, transposed
from models.hf_recurrent import RECURRENT
from models.kept import IDS, TRANSFORMERS, keep, wanted
from tiny import EXPERTS, TINY, Tiny, write_tiny

_YARN = rope("yarn", factor=4.0, original_max_position_embeddings=256)
_GEMMA = {"rms_norm_eps": 1e-6, "head_dim": 24, "query_pre_attn_scalar": 24}
_LAYER_NORM = {"layer_norm_eps": 1e-5}
_SIGMOID = {
    "n_routed_experts": EXPERTS,
    "n_shared_experts": 1,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.5,
}

_MLA = {
    "rms_norm_eps": 1e-6,  # of latents it takes no other
    "num_key_value_heads": 4,
    "q_lora_rank": 40,
    "kv_lora_rank": 32,
    "qk_nope_head_dim": 24,
    "qk_rope_head_dim": 16,
    "v_head_dim": 20,
}
_FEW_EXPERTS = {
    "n_routed_experts": EXPERTS,
    "n_shared_experts": 2,
    "num_experts_per_tok": 3,
    "moe_intermediate_size": 32,
    "n_group": 1,
    "topk_group": 1,
}


def gemma4(name: str, **more: Any) -> Hf:
    """What the file's metadata say, in transformers' words."""
    said = TINY[name].metadata
    local = said["attention.sliding_window_pattern"]
    return Hf(
        "gemma4_text",
        config={
            "rms_norm_eps": 1e-6,
            "head_dim": 16,
            "global_head_dim": 32,
            "num_key_value_heads": said["attention.head_count_kv"][0],
            "layer_types": ["sliding_attention" if is_local else "full_attention" for is_local in local],
            "sliding_window": 7,
            "num_kv_shared_layers": said["attention.shared_kv_layers"],
            "hidden_size_per_layer_input": said["embedding_length_per_layer_input"],
            "vocab_size_per_layer_input": 512,
            "final_logit_softcapping": said.get("final_logit_softcapping", 30.0),
            "rope_parameters": {
                "full_attention": rope("proportional", 1000000.0, partial_rotary_factor=0.25),
                "sliding_attention": rope(),
            },
            **more,
        },
    )


HF = {
    "llama": Hf("llama", interleaved),
    "llama, tied, frequency factors": Hf("llama", interleaved),
    "llama, linear scaling": Hf("llama", interleaved, {"rope_parameters": rope("linear", factor=4.0)}),
    "llama, heads wider than the embedding": Hf("llama", interleaved, {"head_dim": 24}),
    "mistral3": Hf(
        "ministral3",
        interleaved,
        {
            "head_dim": 16,
            "rope_parameters": {**_YARN, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.1},
        },
    ),
    "arcee": Hf("arcee", interleaved, {"rope_parameters": {**_YARN, "factor": 20.0}}),
    "smollm3": Hf("smollm3", interleaved),
    "ernie4_5": Hf("ernie4_5", config={"head_dim": 16}),
    "qwen2": Hf("qwen2"),
    "qwen2, yarn": Hf("qwen2", config={"rope_parameters": _YARN}),
    "qwen2vl": Hf("qwen2_vl_text", config={"rope_parameters": rope(mrope_section=[2, 3, 3])}),
    "qwen3vl": Hf("qwen3_vl_text", config={"head_dim": 16, "rope_parameters": rope(mrope_section=[3, 3, 2])}),
    "qwen2, scales of tensors": Hf("qwen2"),
    "qwen3": Hf("qwen3", config={"head_dim": 24}),
    "qwen3, scales of tensors": Hf("qwen3", config={"head_dim": 16}),
    "paddleocr": Hf("paddleocr_vl_text", config={"head_dim": 24, "rope_parameters": rope(mrope_section=[4, 4, 4])}),
    "seed_oss": Hf("seed_oss", config={"head_dim": 24, "rope_parameters": rope(theta=10000000.0)}),
    "phi3": Hf("phi3", config={"sliding_window": 9}),
    "phi3, longrope": Hf("phi3", config={"original_max_position_embeddings": 256}),
    "phi3, longrope beyond the original context": Hf("phi3", config={"original_max_position_embeddings": 16}),
    "granite": Hf(
        "granite",
        interleaved,
        {"attention_multiplier": 0.4, "embedding_multiplier": 3.0, "residual_multiplier": 0.22, "logits_scaling": 4.0},
    ),
    # transformers has none of its own; what differs are the scales' names.
    "minicpm": Hf(
        "granite",
        interleaved,
        {
            "attention_multiplier": 0.25,
            "embedding_multiplier": 12.0,
            "residual_multiplier": 0.25,
            "logits_scaling": 2.5,
        },
    ),
    "gemma": Hf("gemma", shifted, {"rms_norm_eps": 1e-6, "head_dim": 24}),
    "gemma2": Hf(
        "gemma2",
        shifted,
        {**_GEMMA, "sliding_window": 7, "attn_logit_softcapping": 2.0, "final_logit_softcapping": 5.0},
    ),
    "gemma3": Hf(
        "gemma3_text",
        shifted,
        {
            **_GEMMA,
            "sliding_window": 7,
            "rope_parameters": {
                "full_attention": rope("linear", 1000000.0, factor=8.0),
                "sliding_attention": rope(),
            },
        },
    ),
    "gemma3n": Hf(
        "gemma3n_text",
        config={
            "rms_norm_eps": 1e-6,
            "head_dim": 16,
            "layer_types": ["full_attention" if layer in (1, 3, 6) else "sliding_attention" for layer in range(7)],
            "sliding_window": 7,
            "num_kv_shared_layers": 3,
            "hidden_size_per_layer_input": 16,
            "vocab_size_per_layer_input": 512,
            "laurel_rank": 8,
            "activation_sparsity_pattern": [0.95] * 2 + [0.0] * 5,
            "rope_parameters": {"full_attention": rope(theta=1000000.0), "sliding_attention": rope()},
        },
    ),
    "gemma4": gemma4("gemma4", use_double_wide_mlp=True),
    "gemma4, keys and values that nothing uses": gemma4(
        "gemma4, keys and values that nothing uses", use_double_wide_mlp=True
    ),
    "gemma4, keys as values": gemma4("gemma4, keys as values", attention_k_eq_v=True, num_global_key_value_heads=1),
    "gemma4, mixture": gemma4(
        "gemma4, mixture",
        attention_k_eq_v=True,
        num_global_key_value_heads=1,
        enable_moe_block=True,
        num_experts=EXPERTS,
        top_k_experts=2,
    ),
    "glm4": Hf(
        "glm4",
        config={"head_dim": 16, "attention_bias": True, "rope_parameters": rope(partial_rotary_factor=0.5)},
    ),
    "glm4moe": Hf(
        "glm4_moe",
        config={
            **_SIGMOID,
            "head_dim": 16,
            "num_hidden_layers": 2,
            "attention_bias": True,
            "use_qk_norm": True,
            "rope_parameters": rope(partial_rotary_factor=0.5),
        },
    ),
    "dots1": Hf("dots1", config={**_SIGMOID, "n_shared_experts": 2, "head_dim": 16, "sliding_window": None}),
    "olmo2": Hf("olmo2"),
    "olmo3": Hf(
        "olmo3",
        config={"sliding_window": 7, "rope_parameters": {"full_attention": _YARN, "sliding_attention": rope()}},
    ),
    "exaone4": Hf("exaone4", config={"sliding_window": None, "layer_types": ["full_attention"] * 2}),
    "exaone4, sliding window": Hf("exaone4", config={"sliding_window": 7, "sliding_window_pattern": 4}),
    "mixtral": Hf("mixtral", interleaved, {"num_local_experts": EXPERTS, "sliding_window": None}),
    "mixtral, gates and values in one": Hf(
        "mixtral", interleaved, {"num_local_experts": EXPERTS, "sliding_window": None}
    ),
    "qwen2moe": Hf("qwen2_moe", config={"num_experts": EXPERTS, "shared_expert_intermediate_size": 160}),
    "ernie4_5-moe": Hf(
        "ernie4_5_moe", config={"moe_num_experts": EXPERTS, "moe_k": 2, "mlp_layer_types": ["dense", "sparse"]}
    ),
    "qwen3moe": Hf("qwen3_moe", config={"num_experts": EXPERTS, "norm_topk_prob": True, "head_dim": 16}),
    "qwen3moe, scales of tensors": Hf(
        "qwen3_moe", config={"num_experts": EXPERTS, "norm_topk_prob": True, "head_dim": 16}
    ),
    "qwen3vlmoe": Hf(
        "qwen3_vl_moe_text",
        config={"num_experts": EXPERTS, "head_dim": 16, "rope_parameters": rope(mrope_section=[3, 3, 2])},
    ),
    "olmoe": Hf("olmoe", config={"num_experts": EXPERTS}),
    "granitemoe": Hf(
        "granitemoe",
        interleaved,
        {
            "num_local_experts": EXPERTS,
            "attention_multiplier": 0.4,
            "embedding_multiplier": 3.0,
            "residual_multiplier": 0.22,
            "logits_scaling": 4.0,
        },
    ),
    "gpt-oss": Hf(
        "gpt_oss",
        config={
            "num_local_experts": EXPERTS,
            "head_dim": 16,
            "sliding_window": 7,
            "rope_parameters": {**_YARN, "truncate": False},
        },
    ),
    "lfm2": Hf(
        "lfm2",
        config={
            "norm_eps": 1e-5,
            "layer_types": ["conv", "full_attention", "conv", "full_attention", "conv"],
            "block_auto_adjust_ff_dim": False,
            "rope_parameters": rope(theta=1000000.0),
        },
    ),
    "lfm2moe": Hf(
        "lfm2_moe",
        config={
            "norm_eps": 1e-5,
            "layer_types": ["conv", "full_attention"],
            "num_dense_layers": 1,
            "num_experts": EXPERTS,
        },
    ),
    "hunyuan-moe": Hf("hunyuan_v1_moe", config={"num_experts": EXPERTS, "head_dim": 16}),
    "apertus": Hf("apertus", config={"rope_parameters": rope(theta=12000000.0)}),
    "deepseek2, dense": Hf("youtu", config=_MLA),
    "deepseek2, queries of one matrix": Hf(
        "deepseek_v2", config={**_MLA, "q_lora_rank": None, "first_k_dense_replace": 26}
    ),
    "deepseek2, softmax and yarn": Hf(
        "deepseek_v2",
        config={
            **_MLA,
            **_FEW_EXPERTS,
            "first_k_dense_replace": 1,
            "rope_parameters": rope(
                "yarn", factor=40.0, original_max_position_embeddings=64, mscale=0.707, mscale_all_dim=0.707
            ),
        },
    ),
    "deepseek2, sigmoid": Hf("deepseek_v3", config={**_MLA, **_FEW_EXPERTS, "first_k_dense_replace": 1}),
    "deepseek2, keys and values in one": Hf("deepseek_v2", config={**_MLA, "first_k_dense_replace": 2}),
    "minicpm3": Hf("minicpm3", config={**_MLA, "v_head_dim": 16}),
    **RECURRENT,
    "hunyuan-dense": Hf("hunyuan_v1_dense", config={"head_dim": 16}),
    "command-r": Hf("cohere", config={**_LAYER_NORM, "logit_scale": 0.25}),
    "cohere2": Hf("cohere2", config={**_LAYER_NORM, "logit_scale": 0.25, "sliding_window": 7}),
    "stablelm": Hf("stablelm", config={**_LAYER_NORM, "use_qkv_bias": True}),
    "stablelm, parallel": Hf("stablelm", config={**_LAYER_NORM, "use_parallel_residual": True}),
    "phi2": Hf("phi", config={**_LAYER_NORM, "rope_parameters": rope(partial_rotary_factor=0.5)}),
    "falcon": Hf("falcon", grouped, {"alibi": False, "bias": False, "multi_query": True, "parallel_attn": True}),
    "gptneox": Hf("gpt_neox", grouped, _LAYER_NORM),
    "gptneox, sequential": Hf("gpt_neox", grouped, {**_LAYER_NORM, "use_parallel_residual": False}),
    "gpt2": Hf("gpt2", transposed),
    "starcoder": Hf("gpt_bigcode"),
    "starcoder2": Hf("starcoder2", config={"norm_epsilon": 1e-5, "sliding_window": None}),
    "nemotron": Hf("nemotron", shifted, {"norm_eps": 1e-5, "rope_parameters": rope(partial_rotary_factor=0.5)}),
}


# What a model's tensors are called in transformers, and in the gguf package's table of names.
RENAMED = {
    "moe.router.": "moe.router.layer.",
    "sinks": "sinks.weight",
    "expert_bias": "expert_bias.bias",
    "gate.moe_statics": "moe_statics",
    "correction_bias": "correction.bias",
    "dt_bias": "dt_proj.bias",
    "forget_gate.": "",
    "layer_scalar": "layer_scalar.weight",
    "correct_output_scale": "correct_output_scale.weight",
}
# Those that it has under other names than that table knows, by the last words of the name.
NAMED = {
    "router.proj.weight": "ffn_gate_inp.weight",
    "router.scale": "ffn_gate_inp.scale",
    "router.per_expert_scale": "ffn_down_exps.scale",
}


def model_of(name: str, path: Path) -> Any:
    """The model of transformers with the weights of the GGUF file at `path`."""
    tiny, hf = TINY[name], HF[name]
    layers = (len(tiny.each) or tiny.layers) - tiny.metadata.get("nextn_predict_layers", 0)
    tensors = {t.name: np.asarray(t.data, np.float32) for t in gguf.GGUFReader(path).tensors}
    for key in [
        key for key in tensors if key.endswith(".input_scale")
    ]:  # transformers has these scales in its matrices
        del tensors[key]
        matrix, scale = (key.replace(".input_scale", end) for end in (".weight", ".scale"))
        tensors[matrix] = tensors[matrix] * tensors.pop(scale).reshape(-1, *[1] * (tensors[matrix].ndim - 1))
    config_class = transformers.AutoConfig.for_model(hf.type).__class__
    config = config_class(
        **{
            "vocab_size": tiny.vocabulary,
            "hidden_size": tiny.embedding,
            "intermediate_size": tiny.feed_forward,
            "num_hidden_layers": layers,
            "num_attention_heads": tiny.heads,
            "num_key_value_heads": tiny.kv_heads,
            "max_position_embeddings": tiny.context,
            "moe_intermediate_size": tiny.metadata.get("expert_feed_forward_length", tiny.feed_forward),
            "num_experts_per_tok": 2,
            "n_inner": tiny.feed_forward,
            "ffn_hidden_size": tiny.feed_forward,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "rms_norm_eps": 1e-5,
            "rope_parameters": rope(),
            "tie_word_embeddings": "output" not in tiny.rest.replace("output_norm", ""),
            **hf.config,
            **longrope(tiny, tensors),
        }
    )
    options = {"attn_implementation": "eager", "dtype": torch.float32}
    if type(config) in transformers.AutoModelForCausalLM._model_mapping:
        model = transformers.AutoModelForCausalLM.from_config(config, **options)
    else:  # the part for text of one that sees
        model_class = getattr(transformers, type(config).__name__.replace("Config", "Model"))
        model = WithHead(model_class._from_config(config, **options))
    architectures = {name: arch for arch, name in gguf.MODEL_ARCH_NAMES.items()}
    names = gguf.get_tensor_name_map(architectures[tiny.architecture], layers)
    unused = ("rope_", f"blk.{config.num_hidden_layers}.", *ignored_of(tiny))
    state, missing = {}, {key for key in tensors if not key.startswith(unused)}
    for key, value in model.state_dict().items():
        if config.tie_word_embeddings and key == "lm_head.weight":
            state[key] = torch.tensor(tensors["token_embd.weight"])
            continue
        if ".act_fn." in key:
            layer, parameter = int(key.split(".")[2]), key.rpartition(".")[2]
            state[key] = torch.tensor(tiny.metadata[f"xielu.{parameter}"][layer]).reshape(value.shape)
            continue
        if joined := hf.join(key, tensors, tiny):
            found, array = joined
        elif ".experts." in key:
            found, array = experts(key, tensors, hf.type == "gpt_oss")
        elif ".kv_b_proj." in key:
            found, array = keys_and_values(key, tensors)
        elif key.startswith("model.altup_"):  # matrices that are one tensor in the file
            found = ("altup_unembd_proj.weight" if "unembed" in key else "altup_proj.weight",)
            array = tensors[found[0]][int(key.split(".")[2])]
        elif any(key.endswith(theirs) for theirs in NAMED):
            prefix = f"blk.{key.split('.')[2]}"
            found = next((f"{prefix}.{ours}",) for theirs, ours in NAMED.items() if key.endswith(theirs))
            array = tensors[found[0]]
        else:
            key_of_map = re.sub(r"^model(\.layers\.\d+\.mixer\.)", r"backbone\1", key)
            for ours, theirs in RENAMED.items():
                key_of_map = key_of_map.replace(ours, theirs)
            found = (names.get_name(key_of_map, try_suffixes=(".weight", ".bias")) or "",)
            array = hf.undo(found[0], tensors[found[0]], tiny)
        if array.squeeze().shape == value.squeeze().shape:  # dimensions of 1 come and go
            array = array.reshape(value.shape)
        state[key] = torch.tensor(array.copy())
        assert state[key].shape == value.shape, f"{name}: {key}"
        missing -= set(found)
    assert not missing, f"{name}: transformers has no {missing}"
    model.load_state_dict(state)
    if "rope_freqs.weight" in tensors and not tiny.values:  # which transformers makes up itself
        model.model.rotary_emb.inv_freq /= torch.tensor(tensors["rope_freqs.weight"])
    return model.eval()


def ignored_of(tiny: Tiny) -> list[str]:
    """What names begin with of tensors that the last layers don't use."""
    shared = range(tiny.layers - tiny.metadata.get("attention.shared_kv_layers", 0), tiny.layers)
    return [f"blk.{layer}.attn_{part}." for layer in shared for part in ("k", "v", "k_norm")]


class WithHead(torch.nn.Module):  # type: ignore[misc]
    """A model of transformers that ends with its last norm, and the matrix of the logits."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.lm_head = torch.nn.Linear(model.config.hidden_size, model.config.vocab_size, bias=False)

    def forward(self, ids: Any, use_cache: bool) -> Any:
        return SimpleNamespace(logits=self.lm_head(self.model(ids, use_cache=use_cache).last_hidden_state))


def experts(key: str, tensors: Tensors, in_turn: bool) -> tuple[tuple[str, ...], Any]:
    """The names of the file's tensors that make the one of transformers, and that. in_turn: gates and values alternate,
    and matrices have columns first."""
    layer = key.split(".")[2]
    suffix = "bias" if key.endswith("bias") else "weight"
    parts = ("down",) if "down_proj" in key else ("gate_up", "gate", "up")
    names = (f"blk.{layer}.ffn_{part}_exps.{suffix}" for part in parts)
    found = tuple(name for name in names if name in tensors)
    arrays = [tensors[name] for name in found]
    if not in_turn:
        return found, np.concatenate(arrays, axis=1)
    array = np.stack(arrays, axis=2).reshape(len(arrays[0]), -1, *arrays[0].shape[2:])
    return found, array.swapaxes(-1, -2) if suffix == "weight" else array


def keys_and_values(key: str, tensors: Tensors) -> tuple[tuple[str, ...], Any]:
    """The same of the matrix that makes both of latents, which files have in two tensors or in one."""
    prefix = f"blk.{key.split('.')[2]}"
    whole, *parts = (f"{prefix}.attn_{name}_b.weight" for name in ("kv", "k", "v"))
    if whole in tensors:
        return (whole,), tensors[whole]
    k, v = (tensors[part] for part in parts)
    return tuple(parts), np.concatenate([k.swapaxes(1, 2), v], axis=1).reshape(-1, k.shape[1])


def longrope(tiny: Tiny, tensors: Tensors) -> dict[str, Any]:
    """The configuration of a file with two sets of frequency factors."""
    if "rope_factors_long.weight" not in tensors:
        return {}
    factors: dict[str, Any] = {
        f"{kind}_factor": [float(x) for x in tensors[f"rope_factors_{kind}.weight"]] for kind in ("long", "short")
    }
    original = tiny.metadata.get("rope.scaling.original_context_length", tiny.context)
    rotated = tiny.metadata.get("rope.dimension_count", tiny.head_dim) / tiny.head_dim
    parameters = rope(
        "longrope",
        original_max_position_embeddings=original,
        factor=tiny.context / original,
        partial_rotary_factor=rotated,
        **factors,
    )
    return {"rope_parameters": parameters}


def main(filters: list[str]) -> None:
    def made() -> Iterator[tuple[str, Any]]:
        for name in wanted(HF, filters):
            with tempfile.TemporaryDirectory() as folder, torch.no_grad():
                model = model_of(name, write_tiny(Path(folder) / "tiny.gguf", TINY[name]))
                yield name, model(torch.tensor([IDS]), use_cache=False).logits[0].numpy()

    made_with = f"transformers {transformers.__version__}, torch {torch.__version__}, float32 on the CPU"
    keep(TRANSFORMERS, made_with, made())


if __name__ == "__main__":
    main(sys.argv[1:])
