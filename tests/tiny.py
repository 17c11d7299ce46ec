"""Tiny models with random weights, written with the gguf package: every part of a real one, in milliseconds.

`TINY` has one of each family, with the tensors and the metadata that llama.cpp's converter gives it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, TokenType
from quantize import quantize

# A template like that of models trained on ChatML.
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
EXPERTS = 6  # of a mixture
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


@dataclass(frozen=True)
class Tiny:
    """A model to write.

    layer: names of a layer's tensors, `+` after those with a bias, `=` after those that are only a bias, `!` after
    those without a suffix, `*` after those with a scale of the whole tensor, `~` after those that are only a scale;
    first: those of every second layer, from the first on, where they differ; each: of each layer, where they differ
    otherwise; rest: names of those after the layers. wanted: the context to load it with. metadata: keys beside the
    usual ones, without the architecture. shapes: of tensors whose shape is not the usual, by name, with the block or
    for all; values: of those that are not random.
    """

    architecture: str
    layer: str
    rest: str = "output_norm output"
    first: str = ""
    each: Sequence[str] = ()
    layers: int = 2
    embedding: int = 64
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 16
    feed_forward: int = 128
    vocabulary: int = 512
    context: int = 1024
    wanted: int | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    values: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Of the tensor `name`, without its block and suffix."""
        e, f, q, kv = (
            self.embedding,
            self.feed_forward,
            self.heads * self.head_dim,
            self.kv_heads * self.head_dim,
        )
        experts: int = self.metadata.get("expert_feed_forward_length", f)
        shared = self.metadata.get("expert_shared_feed_forward_length")
        shared = shared or experts * self.metadata.get("expert_shared_count", 1)
        usual: dict[str, tuple[int, ...]] = {
            "token_embd": (self.vocabulary, e),
            "output": (self.vocabulary, e),
            "position_embd": (self.context, e),
            "attn_q": (q, e),
            "attn_k": (kv, e),
            "attn_v": (kv, e),
            "attn_qkv": (q + 2 * kv, e),
            "attn_output": (e, q),
            "attn_q_norm": (self.head_dim,),
            "attn_k_norm": (self.head_dim,),
            "token_types": (2, e),
            "cls": (e, e),
            "ffn_gate": (f, e),
            "ffn_up": (f, e),
            "ffn_down": (e, f),
            "ffn_gate_inp": (EXPERTS, e),
            "ffn_gate_exps": (EXPERTS, experts, e),
            "ffn_up_exps": (EXPERTS, experts, e),
            "ffn_gate_up_exps": (EXPERTS, 2 * experts, e),
            "ffn_down_exps": (EXPERTS, e, experts),
            "ffn_gate_inp_shexp": (1, e),
            "ffn_gate_shexp": (shared, e),
            "ffn_up_shexp": (shared, e),
            "ffn_down_shexp": (e, shared),
            "exp_probs_b": (EXPERTS,),
            "attn_sinks": (self.heads,),
            "in_proj": (3 * e, e),
            "conv": (e, 3),
            "out_proj": (e, e),
            "eh_proj": (e, 2 * e),
            "rope_freqs": (self.head_dim // 2,),
            "rope_factors_long": (self.head_dim // 2,),
            "rope_factors_short": (self.head_dim // 2,),
            "layer_output_scale": (1,),
        }
        return self.shapes.get(name) or usual.get(name) or (e,)


_SEPARATE = "attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down"
_NORMED = "attn_norm attn_q attn_q_norm attn_k attn_k_norm attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down"
_POST_NORMED = (
    "attn_q attn_q_norm attn_k attn_k_norm attn_v attn_output post_attention_norm ffn_gate ffn_up ffn_down"
    " post_ffw_norm"
)
_MIXTURE = "attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps"
_SHARED = " ffn_gate_shexp ffn_up_shexp ffn_down_shexp"
_QKV_BIASED = _SEPARATE.replace("q ", "q+ ").replace("k ", "k+ ").replace("v ", "v+ ")
_USED = {"expert_count": EXPERTS, "expert_used_count": 2}
_SMALL = {**_USED, "expert_feed_forward_length": 32}  # each has a width of its own
_RMS = {"attention.layer_norm_rms_epsilon": 1e-5}
_LAYER_NORM = {"attention.layer_norm_epsilon": 1e-5}
_BIASED = "attn_norm+ attn_q+ attn_k+ attn_v+ attn_output+ ffn_norm+ ffn_up+ ffn_down+"
_FUSED = "attn_norm+ attn_qkv+ attn_output+ ffn_norm+ ffn_up+ ffn_down+"
_GLM = "attn_norm attn_q+ attn_q_norm attn_k+ attn_k_norm attn_v+ attn_output post_attention_norm"
_GLM_EXPERTS = " ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps exp_probs_b=" + _SHARED
_GEMMA = {"attention.layer_norm_rms_epsilon": 1e-6, "attention.key_length": 24, "attention.value_length": 24}
_SANDWICH = _SEPARATE.replace("ffn_norm", "post_attention_norm ffn_norm") + " post_ffw_norm"

_DENSE = " post_attention_norm ffn_gate ffn_up ffn_down"
_EXPERTS = " ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps"
_SHARED_MIXTURE = _EXPERTS.replace("ffn_norm", "post_attention_norm") + " ffn_gate_inp_shexp" + _SHARED
_EXPERT_KEYS = {"expert_feed_forward_length": 128, "expert_shared_feed_forward_length": 256}
# The gated delta rule of Qwen3-Next: 2 heads of keys for 4 of values, each of 16 elements.
_GATED = "attn_norm attn_q attn_q_norm attn_k attn_k_norm attn_v attn_output"
_DELTA = "attn_norm attn_qkv attn_gate ssm_alpha ssm_beta ssm_conv1d ssm_dt= ssm_a! ssm_norm ssm_out"
_DELTA_SHAPES = {
    "attn_q": (128, 64),
    "attn_qkv": (128, 64),
    "attn_gate": (64, 64),
    "ssm_in": (192, 64),
    "ssm_ba": (8, 64),
    "ssm_alpha": (4, 64),
    "ssm_beta": (4, 64),
    "ssm_conv1d": (128, 4),
    "ssm_dt": (4,),
    "ssm_a": (4,),
    "ssm_norm": (16,),
    "ssm_out": (64, 64),
}
_DELTA_KEYS = {
    "attention.layer_norm_rms_epsilon": 1e-6,
    "attention.key_length": 16,
    "attention.value_length": 16,
    "attention.head_count_kv": 2,
    "full_attention_interval": 2,
    "rope.dimension_count": 4,
    "ssm.conv_kernel": 4,
    "ssm.state_size": 16,
    "ssm.group_count": 2,
    "ssm.time_step_rank": 4,
    "ssm.inner_size": 64,
}
# The state of Mamba-2: 8 heads of 16 elements in 2 groups, 16 keys.
_STATE = "ssm_in ssm_conv1d+ ssm_dt= ssm_a! ssm_d! ssm_norm ssm_out"
_STATE_SHAPES = {
    "ssm_in": (328, 64),
    "ssm_conv1d": (192, 4),
    "ssm_dt": (8,),
    "ssm_a": (8, 1),
    "ssm_d": (8, 1),
    "ssm_norm": (2, 64),
    "ssm_out": (64, 128),
}
_STATE_KEYS = {
    "attention.layer_norm_rms_epsilon": 1e-5,
    "ssm.conv_kernel": 4,
    "ssm.state_size": 16,
    "ssm.group_count": 2,
    "ssm.time_step_rank": 8,
    "ssm.inner_size": 128,
}
# That of Mamba itself: 128 channels with 16 elements each, which 8 numbers tell how to remember.
_SELECTIVE = "ssm_in ssm_conv1d+ ssm_x ssm_dt+ ssm_a! ssm_d! ssm_out"
_SELECTIVE_SHAPES = {
    "ssm_in": (256, 64),
    "ssm_conv1d": (128, 4),
    "ssm_x": (40, 128),
    "ssm_dt": (128, 8),
    "ssm_a": (128, 16),
    "ssm_d": (128,),
    "ssm_dt_norm": (8,),
    "ssm_b_norm": (16,),
    "ssm_c_norm": (16,),
    "ssm_out": (64, 128),
}
_SELECTIVE_KEYS = {
    "attention.layer_norm_rms_epsilon": 1e-5,
    "ssm.conv_kernel": 4,
    "ssm.state_size": 16,
    "ssm.time_step_rank": 8,
    "ssm.inner_size": 128,
}
# The memory of RWKV-7: 2 heads of 32, as few elements as llama.cpp's kernel is right for.
_TIME_MIX = " ".join(
    f"time_mix_{part}"
    for part in (
        *("w0", "w1", "w2", "a0", "a1", "a2", "v0", "v1", "v2", "g1", "g2", "lerp_fused", "k_k", "k_a", "r_k"),
        *("receptance", "key", "value", "ln+", "output"),
    )
)
_TIME_MIX_SHAPES = {
    **{f"time_mix_{part}1": (rank, 64) for part, rank in (("w", 8), ("a", 12), ("v", 10), ("g", 20))},
    **{f"time_mix_{part}2": (64, rank) for part, rank in (("w", 8), ("a", 12), ("v", 10), ("g", 20))},
    # Those that nothing uses are made like those of the rates.
    "blk.0.time_mix_v1": (12, 64),
    "blk.0.time_mix_v2": (64, 12),
    "time_mix_lerp_fused": (6, 1, 1, 64),
    **{f"time_mix_{part}": (64, 64) for part in ("receptance", "key", "value", "output")},
    "channel_mix_key": (128, 64),
    "channel_mix_value": (64, 128),
}
_TIME_MIX_KEYS = {
    "wkv.head_size": 32,
    "attention.decay_lora_rank": 8,
    "attention.iclr_lora_rank": 12,
    "attention.value_residual_mix_lora_rank": 10,
    "attention.gate_lora_rank": 20,
}
_NORMED_SELECTIVE = "attn_norm " + _SELECTIVE + " ssm_dt_norm ssm_b_norm ssm_c_norm"
_PLAMO = "attn_norm ssm_in ssm_conv1d ssm_x ssm_dt+ ssm_dt_norm! ssm_b_norm! ssm_c_norm! ssm_a! ssm_d! ssm_out"
_POST = " post_attention_norm! ffn_norm ffn_up ffn_down post_ffw_norm!"
_GRANITE_SCALES = {"attention.scale": 0.4, "embedding_scale": 3.0, "residual_scale": 0.22, "logit_scale": 4.0}
_LATENT = "ffn_gate_inp exp_probs_b= ffn_up_exps ffn_down_exps ffn_latent_down ffn_latent_up"
_LATENT += " ffn_up_shexp ffn_down_shexp"
_NEMOTRON_MIXTURE = {
    **_USED,
    "feed_forward_length": [0, 128, 0],
    "expert_feed_forward_length": 128,
    "expert_shared_feed_forward_length": 256,
    "expert_shared_count": 1,
    "expert_weights_norm": True,
    "expert_weights_scale": 2.5,
    "expert_gating_func": 2,
    "rope.scaling.finetuned": False,
}
_GEMMA4_LAYER = (
    "attn_norm attn_q attn_q_norm attn_k attn_k_norm attn_v attn_output post_attention_norm ffn_norm ffn_gate ffn_up"
    " ffn_down post_ffw_norm layer_output_scale"
)
_GEMMA4_SHARED = _GEMMA4_LAYER.replace("attn_k attn_k_norm attn_v ", "")
_GEMMA4_KEYS = _GEMMA4_LAYER.replace("attn_v ", "")
_GEMMA4_EXPERTS = (
    " ffn_gate_inp ffn_gate_inp~ pre_ffw_norm_2 post_ffw_norm_1 post_ffw_norm_2 ffn_gate_up_exps ffn_down_exps"
    " ffn_down_exps~"
)
_PER_LAYER = " inp_gate proj post_norm"


def gemma4(local: Sequence[int], kv_heads: Sequence[int], each: Sequence[str], rest: str, **more: Any) -> Tiny:
    """Heads are twice as long in layers without a window. more: metadata."""
    layers, embedding, heads = len(local), 64, 4
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (is_local, count) in enumerate(zip(local, kv_heads, strict=True)):
        length, prefix = 16 if is_local else 32, f"blk.{layer}.attn"
        shapes |= {f"{prefix}_{part}": (count * length, embedding) for part in "kv"}
        shapes |= {f"{prefix}_q": (heads * length, embedding), f"{prefix}_output": (embedding, heads * length)}
        shapes |= {f"{prefix}_{part}_norm": (length,) for part in "qk"}
    wide = more.get("feed_forward_length", [])
    for layer, width in enumerate(wide):
        shapes |= {f"blk.{layer}.ffn_{part}": (width, embedding) for part in ("gate", "up")}
        shapes[f"blk.{layer}.ffn_down"] = (embedding, width)
    own = more.get("embedding_length_per_layer_input", 0)
    shapes |= {"per_layer_token_embd": (512, own * layers), "per_layer_model_proj": (own * layers, embedding)}
    shapes |= {"per_layer_proj_norm": (own,), "inp_gate": (own, embedding), "proj": (embedding, own)}
    metadata = {
        "attention.layer_norm_rms_epsilon": 1e-6,
        "attention.head_count_kv": list(kv_heads),
        "attention.key_length": 32,
        "attention.value_length": 32,
        "attention.key_length_swa": 16,
        "attention.value_length_swa": 16,
        "attention.sliding_window": 7,
        "attention.sliding_window_pattern": [bool(is_local) for is_local in local],
        "attention.shared_kv_layers": 0,
        "rope.freq_base": 1000000.0,
        "rope.freq_base_swa": 10000.0,
        "rope.dimension_count": 32,
        "rope.dimension_count_swa": 16,
        "embedding_length_per_layer_input": 0,
        **more,
    }
    # A quarter of the pairs turns.
    values = {"rope_freqs": [1.0] * 4 + [1e30] * 12}
    return Tiny(
        "gemma4",
        "",
        rest,
        each=each,
        layers=layers,
        feed_forward=wide[0] if wide else 128,
        metadata=metadata,
        shapes=shapes,
        values=values,
    )


def gemma3n(local: Sequence[int], own: int, rank: int, **more: Any) -> Tiny:
    """Half of the layers share keys and values, and have some that nothing uses. own: elements of a layer's embeddings;
    rank: of the path beside attention."""
    layers, embedding = len(local), 64
    names = (
        "attn_norm attn_q attn_q_norm attn_k attn_k_norm attn_v attn_output post_attention_norm ffn_norm ffn_gate"
        " ffn_up ffn_down post_ffw_norm altup_router_norm altup_router altup_predict_coef altup_correct_coef"
        " altup_correct_scale laurel_l laurel_r laurel_post_norm"
    )
    shapes = {
        "per_layer_token_embd": (512, own * layers),
        "per_layer_model_proj": (own * layers, embedding),
        "per_layer_proj_norm": (own,),
        "inp_gate": (own, embedding),
        "proj": (embedding, own),
        "altup_proj": (3, embedding, embedding),
        "altup_unembd_proj": (3, embedding, embedding),
        "altup_router": (4, embedding),
        "altup_predict_coef": (16, 4),
        "altup_correct_coef": (4, 4),
        "laurel_l": (rank, embedding),
        "laurel_r": (embedding, rank),
    }
    metadata = {
        "attention.layer_norm_rms_epsilon": 1e-6,
        "attention.key_length": 16,
        "attention.value_length": 16,
        "attention.sliding_window": 7,
        "attention.sliding_window_pattern": [bool(is_local) for is_local in local],
        "rope.freq_base": 1000000.0,
        "rope.freq_base_swa": 10000.0,
        "feed_forward_length": [128] * layers,
        "embedding_length_per_layer_input": own,
        "altup.active_idx": 0,
        "altup.num_inputs": 4,
        **more,
    }
    rest = "output_norm per_layer_token_embd per_layer_model_proj per_layer_proj_norm altup_proj altup_unembd_proj"
    return Tiny("gemma3n", names + _PER_LAYER, rest, layers=layers, metadata=metadata, shapes=shapes)


_E2B = {
    "attention.shared_kv_layers": 3,
    "embedding_length_per_layer_input": 16,
    "feed_forward_length": [64] * 4 + [128] * 3,
}
_E2B_REST = "output_norm rope_freqs per_layer_token_embd per_layer_model_proj per_layer_proj_norm"

_MLA = "attn_norm attn_q attn_kv_a_mqa attn_kv_a_norm attn_k_b attn_v_b attn_output ffn_norm ffn_gate ffn_up ffn_down"
_MLA_LOW_RANK = _MLA.replace("attn_q", "attn_q_a attn_q_a_norm attn_q_b")
_DEEPSEEK = {  # 4 heads of keys of 24 + 16 elements and of values of 20, made of latents of 32
    "attention.layer_norm_rms_epsilon": 1e-6,
    "attention.kv_lora_rank": 32,
    "attention.key_length": 48,
    "attention.value_length": 32,
    "attention.key_length_mla": 40,
    "attention.value_length_mla": 20,
    "rope.dimension_count": 16,
    "rope.freq_base": 10000.0,
}
_LOW_RANK = {"attention.q_lora_rank": 40}
_MLA_DENSE = {"leading_dense_block_count": 2, "expert_shared_count": 0, "expert_feed_forward_length": 32}
_UNSPLIT = {
    **{key: value for key, value in _DEEPSEEK.items() if not key.endswith("_mla")},
    "attention.key_length": 40,
    "attention.value_length": 20,
}
_MLA_SHAPES = {
    "attn_q": (160, 64),
    "attn_q_a": (40, 64),
    "attn_q_a_norm": (40,),
    "attn_q_b": (160, 40),
    "attn_kv_a_mqa": (48, 64),
    "attn_kv_a_norm": (32,),
    "attn_k_b": (4, 32, 24),
    "attn_v_b": (4, 20, 32),
    "attn_kv_b": (4 * (24 + 20), 32),
    "attn_output": (64, 80),
}
_KDA = "attn_norm attn_q attn_k attn_v ssm_conv1d_q ssm_conv1d_k ssm_conv1d_v ssm_f_a ssm_f_b ssm_beta ssm_a! ssm_dt="
_KDA += " ssm_g_a ssm_g_b ssm_norm attn_output"
_FEW_EXPERTS = {"expert_count": EXPERTS, "expert_used_count": 3, "expert_feed_forward_length": 32}


def _with_experts(layer: str) -> str:
    """A layer with a mixture in the place of its last part, and experts that all tokens share."""
    experts = "ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps ffn_gate_shexp ffn_up_shexp ffn_down_shexp"
    return layer.replace("ffn_gate ffn_up ffn_down", experts)


TINY = {
    "llama": Tiny("llama", _SEPARATE, metadata=_RMS),
    "llama, tied, frequency factors": Tiny("llama", _SEPARATE, "output_norm rope_freqs", metadata=_RMS),
    "llama, linear scaling": Tiny(
        "llama", _SEPARATE, metadata={**_RMS, "rope.scaling.type": "linear", "rope.scaling.factor": 4.0}
    ),
    "llama, heads wider than the embedding": Tiny(
        "llama",
        _SEPARATE,
        head_dim=24,
        metadata={**_RMS, "attention.key_length": 24, "attention.value_length": 24, "rope.dimension_count": 24},
    ),
    "mistral3": Tiny(
        "mistral3",
        _SEPARATE,
        metadata={
            **_RMS,
            "attention.temperature_scale": 0.1,
            "rope.scaling.type": "yarn",
            "rope.scaling.factor": 4.0,
            "rope.scaling.original_context_length": 256,
            "rope.scaling.yarn_log_multiplier": 1.0,
        },
    ),
    "arcee": Tiny(
        "arcee",
        _SEPARATE.replace("ffn_gate ", ""),
        metadata={
            **_RMS,
            "rope.scaling.type": "yarn",
            "rope.scaling.factor": 20.0,
            "rope.scaling.original_context_length": 256,
        },
    ),
    "smollm3": Tiny("smollm3", _SEPARATE, "output_norm", layers=4, metadata=_RMS),
    "ernie4_5": Tiny("ernie4_5", _SEPARATE, "output_norm", metadata=_RMS),
    "deepseek": Tiny(
        "deepseek",
        _MIXTURE + _SHARED,
        first=_SEPARATE,
        metadata={
            **_RMS,
            **_SMALL,
            "expert_shared_count": 2,
            "expert_weights_scale": 1.0,
            "leading_dense_block_count": 1,
        },
    ),
    "internlm2": Tiny("internlm2", _SEPARATE, metadata=_RMS),
    "qwen2": Tiny("qwen2", _QKV_BIASED, metadata=_RMS),
    "qwen2, yarn": Tiny(
        "qwen2",
        _QKV_BIASED,
        metadata={
            **_RMS,
            "rope.scaling.type": "yarn",
            "rope.scaling.factor": 4.0,
            "rope.scaling.original_context_length": 256,
        },
    ),
    "qwen2vl": Tiny(
        "qwen2vl",
        _QKV_BIASED,
        metadata={**_RMS, "rope.dimension_sections": [2, 3, 3, 0]},
    ),
    "qwen3vl": Tiny(
        "qwen3vl",
        _NORMED,
        "output_norm",
        metadata={**_RMS, "rope.dimension_sections": [3, 3, 2, 0], "n_deepstack_layers": 3},
    ),
    "qwen3": Tiny(
        "qwen3",
        _NORMED,
        "output_norm",
        head_dim=24,
        metadata={**_RMS, "attention.key_length": 24, "attention.value_length": 24},
    ),
    "qwen2, scales of tensors": Tiny(
        "qwen2",
        "attn_norm attn_q+* attn_k+ attn_v+* attn_output* ffn_norm ffn_gate ffn_up ffn_down",
        metadata=_RMS,
    ),
    "qwen3, scales of tensors": Tiny(
        "qwen3",
        "attn_norm attn_q* attn_q_norm attn_k* attn_k_norm attn_v attn_output* ffn_norm ffn_gate* ffn_up* ffn_down*",
        "output_norm",
        metadata=_RMS,
    ),
    "paddleocr": Tiny(
        "paddleocr",
        _SEPARATE,
        head_dim=24,
        metadata={
            **_RMS,
            "attention.key_length": 24,
            "attention.value_length": 24,
            "rope.dimension_sections": [4, 4, 4, 0],
        },
    ),
    "seed_oss": Tiny(
        "seed_oss",
        _QKV_BIASED.replace("ffn_norm", "post_attention_norm"),
        head_dim=24,
        metadata={
            **_RMS,
            "attention.key_length": 24,
            "attention.value_length": 24,
            "rope.freq_base": 10000000.0,
        },
    ),
    "exaone": Tiny("exaone", _SEPARATE, "output_norm output rope_freqs", metadata=_RMS),
    "phi3": Tiny(
        "phi3",
        "attn_norm attn_qkv attn_output ffn_norm ffn_up ffn_down",
        shapes={"ffn_up": (256, 64)},
        metadata={**_RMS, "attention.sliding_window": 9},
    ),
    "phi3, longrope": Tiny(
        "phi3",
        "attn_norm attn_qkv attn_output ffn_norm ffn_up ffn_down",
        "output_norm rope_factors_long rope_factors_short",
        shapes={"ffn_up": (256, 64), "rope_factors_long": (6,), "rope_factors_short": (6,)},
        metadata={
            **_RMS,
            "attention.sliding_window": 0,
            "rope.scaling.original_context_length": 256,
            "rope.scaling.attn_factor": 1.118034,  # sqrt(1 + ln(1024 / 256) / ln(256))
            "rope.dimension_count": 12,
        },
    ),
    "phi3, longrope beyond the original context": Tiny(
        "phi3",
        "attn_norm attn_qkv attn_output ffn_norm ffn_up ffn_down",
        "output_norm rope_factors_long rope_factors_short",
        wanted=1024,
        shapes={"ffn_up": (256, 64)},
        metadata={
            **_RMS,
            "attention.sliding_window": 0,
            "rope.scaling.original_context_length": 16,
            "rope.scaling.attn_factor": 1.5811388,  # sqrt(1 + ln(1024 / 16) / ln(16))
        },
    ),
    "granite": Tiny(
        "granite",
        _SEPARATE,
        "output_norm",
        metadata={
            **_RMS,
            "attention.scale": 0.4,
            "embedding_scale": 3.0,
            "residual_scale": 0.22,
            "logit_scale": 4.0,
        },
    ),
    "minicpm": Tiny(
        "minicpm",
        _SEPARATE,
        "output_norm",
        metadata={**_RMS, "embedding_scale": 12.0, "residual_scale": 0.25, "logit_scale": 2.5},
    ),
    "gemma": Tiny("gemma", _SEPARATE, "output_norm", head_dim=24, kv_heads=1, metadata=_GEMMA),
    "gemma2": Tiny(
        "gemma2",
        _SANDWICH,
        "output_norm",
        head_dim=24,
        metadata={
            **_GEMMA,
            "attn_logit_softcapping": 2.0,
            "final_logit_softcapping": 5.0,
            "attention.sliding_window": 7,
        },
    ),
    "gemma3": Tiny(
        "gemma3",
        _SANDWICH.replace("attn_q ", "attn_q attn_q_norm ").replace("attn_k ", "attn_k attn_k_norm "),
        "output_norm",
        layers=7,
        head_dim=24,
        shapes={"attn_q_norm": (24,), "attn_k_norm": (24,)},
        metadata={
            **_GEMMA,
            "attention.sliding_window": 7,
            "rope.freq_base": 1000000.0,
            "rope.scaling.type": "linear",
            "rope.scaling.factor": 8.0,
        },
    ),
    "gemma3n": gemma3n(
        [1, 0, 1, 0, 1, 1, 0],
        own=16,
        rank=8,
        **{
            "attention.shared_kv_layers": 3,
            "activation_sparsity_scale": [1.6448536] * 2 + [-np.inf] * 5,
        },
    ),
    "gemma4": gemma4(
        [1, 0, 1, 0, 1, 1, 0],
        [1] * 7,
        [_GEMMA4_LAYER + _PER_LAYER] * 4 + [_GEMMA4_SHARED + _PER_LAYER] * 3,
        _E2B_REST,
        **_E2B,
    ),
    "gemma4, keys and values that nothing uses": gemma4(
        [1, 0, 1, 0, 1, 1, 0], [1] * 7, [_GEMMA4_LAYER + _PER_LAYER] * 7, _E2B_REST, **_E2B, final_logit_softcapping=5.0
    ),
    "gemma4, keys as values": gemma4(
        [1, 1, 1, 0, 1, 0],
        [2, 2, 2, 1, 2, 1],
        [_GEMMA4_LAYER if is_local else _GEMMA4_KEYS for is_local in (1, 1, 1, 0, 1, 0)],
        "output_norm rope_freqs",
        final_logit_softcapping=30.0,
    ),
    "gemma4, mixture": gemma4(
        [1, 1, 0],
        [2, 2, 1],
        [_GEMMA4_LAYER + _GEMMA4_EXPERTS] * 2 + [_GEMMA4_KEYS + _GEMMA4_EXPERTS],
        "output_norm rope_freqs",
        **_USED,
        expert_feed_forward_length=128,
    ),
    "glm4": Tiny(
        "glm4",
        "attn_norm attn_q+ attn_k+ attn_v+ attn_output post_attention_norm ffn_norm ffn_up ffn_down post_ffw_norm",
        shapes={"ffn_up": (256, 64)},
        metadata={**_RMS, "rope.dimension_count": 8},
    ),
    "glm4moe": Tiny(
        "glm4moe",
        "",
        each=(
            _GLM + " ffn_gate ffn_up ffn_down",
            _GLM + _GLM_EXPERTS,
            _GLM + _GLM_EXPERTS + " nextn.eh_proj nextn.enorm nextn.hnorm nextn.shared_head_norm",
        ),
        metadata={
            **_RMS,
            **_SMALL,
            "expert_shared_count": 1,
            "expert_gating_func": 2,
            "expert_weights_scale": 2.5,
            "expert_weights_norm": True,
            "leading_dense_block_count": 1,
            "nextn_predict_layers": 1,
            "rope.dimension_count": 8,
        },
    ),
    "dots1": Tiny(
        "dots1",
        _MIXTURE.replace("attn_q ", "attn_q attn_q_norm ").replace("attn_k ", "attn_k attn_k_norm ")
        + " exp_probs_b="
        + _SHARED,
        first=_NORMED,
        kv_heads=4,
        metadata={
            **_RMS,
            **_SMALL,
            "expert_shared_count": 2,
            "expert_gating_func": 2,
            "expert_weights_scale": 2.5,
            "expert_weights_norm": True,
            "leading_dense_block_count": 1,
        },
    ),
    "olmo2": Tiny("olmo2", _POST_NORMED, shapes={"attn_q_norm": (64,), "attn_k_norm": (32,)}, metadata=_RMS),
    "olmo3": Tiny(
        "olmo2",
        _POST_NORMED,
        layers=4,
        shapes={"attn_q_norm": (64,), "attn_k_norm": (32,)},
        metadata={
            **_RMS,
            "attention.sliding_window": 7,
            "attention.sliding_window_pattern": [True, True, True, False],
            "rope.scaling.type": "yarn",
            "rope.scaling.factor": 4.0,
            "rope.scaling.original_context_length": 256,
        },
    ),
    "exaone4": Tiny("exaone4", _POST_NORMED, metadata=_RMS),
    "exaone4, sliding window": Tiny(
        "exaone4", _POST_NORMED, layers=4, metadata={**_RMS, "attention.sliding_window": 7}
    ),
    "mixtral": Tiny("llama", _MIXTURE, metadata={**_RMS, **_USED}),
    "mixtral, gates and values in one": Tiny(
        "llama", _MIXTURE.replace("gate_exps ffn_up_exps", "gate_up_exps"), metadata={**_RMS, **_USED}
    ),
    "qwen2moe": Tiny(
        "qwen2moe",
        _MIXTURE.replace("q ", "q+ ").replace("k ", "k+ ").replace("v ", "v+ ")
        + " ffn_gate_inp_shexp ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        metadata={**_RMS, **_SMALL, "expert_shared_feed_forward_length": 160},
    ),
    "ernie4_5-moe": Tiny(
        "ernie4_5-moe",
        _MIXTURE + " exp_probs_b= ffn_gate_shexp ffn_up_shexp ffn_down_shexp",
        "output_norm",
        _SEPARATE,
        metadata={
            **_RMS,
            **_SMALL,
            "expert_shared_count": 2,
            "expert_shared_feed_forward_length": 64,
            "leading_dense_block_count": 1,
            "interleave_moe_layer_step": 1,
        },
    ),
    "qwen3moe": Tiny(
        "qwen3moe",
        _MIXTURE.replace("attn_q ", "attn_q attn_q_norm ").replace("attn_k ", "attn_k attn_k_norm "),
        metadata={**_RMS, **_SMALL},
    ),
    "qwen3moe, scales of tensors": Tiny(
        "qwen3moe",
        "attn_norm attn_q attn_q_norm attn_k attn_k_norm attn_v* attn_output ffn_norm ffn_gate_inp ffn_gate_exps*"
        " ffn_up_exps* ffn_down_exps*",
        metadata={**_RMS, **_SMALL},
    ),
    "qwen3vlmoe": Tiny(
        "qwen3vlmoe",
        _MIXTURE.replace("attn_q ", "attn_q attn_q_norm ").replace("attn_k ", "attn_k attn_k_norm "),
        metadata={**_RMS, **_SMALL, "n_deepstack_layers": 3, "rope.dimension_sections": [3, 3, 2, 0]},
    ),
    "olmoe": Tiny(
        "olmoe",
        _MIXTURE.replace("attn_q ", "attn_q attn_q_norm ").replace("attn_k ", "attn_k attn_k_norm "),
        kv_heads=4,
        shapes={"attn_q_norm": (64,), "attn_k_norm": (64,)},
        metadata={**_RMS, **_USED},
    ),
    "smallthinker": Tiny(
        "smallthinker",
        _MIXTURE,
        layers=5,
        feed_forward=32,
        metadata={**_RMS, **_SMALL, "expert_gating_func": 2, "attention.sliding_window": 7},
    ),
    "smallthinker, softmax": Tiny(
        "smallthinker",
        _MIXTURE,
        "output_norm",
        feed_forward=32,
        metadata={**_RMS, **_SMALL, "expert_gating_func": 1},
    ),
    "granitemoe": Tiny(
        "granitemoe",
        _MIXTURE,
        "output_norm",
        metadata={
            **_RMS,
            **_USED,
            "attention.scale": 0.4,
            "embedding_scale": 3.0,
            "residual_scale": 0.22,
            "logit_scale": 4.0,
        },
    ),
    "gpt-oss": Tiny(
        "gpt-oss",
        "attn_norm attn_q+ attn_k+ attn_v+ attn_output+ attn_sinks post_attention_norm ffn_gate_inp+ ffn_gate_exps+"
        " ffn_up_exps+ ffn_down_exps+",
        metadata={
            **_RMS,
            **_USED,
            "expert_feed_forward_length": 128,
            "attention.sliding_window": 7,
            "rope.scaling.type": "yarn",
            "rope.scaling.factor": 4.0,
            "rope.scaling.original_context_length": 256,
        },
    ),
    "lfm2": Tiny(
        "lfm2",
        _NORMED,
        "token_embd_norm",
        "attn_norm shortconv.in_proj shortconv.conv shortconv.out_proj ffn_norm ffn_gate ffn_up ffn_down",
        layers=5,
        metadata={**_RMS, "shortconv.l_cache": 3, "rope.freq_base": 1000000.0},
    ),
    "lfm2moe": Tiny(
        "lfm2moe",
        "attn_norm attn_q attn_q_norm attn_k attn_k_norm attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps"
        " ffn_up_exps ffn_down_exps exp_probs_b=",
        "token_embd_norm",
        "attn_norm shortconv.in_proj shortconv.conv shortconv.out_proj ffn_norm ffn_gate ffn_up ffn_down",
        metadata={
            **_RMS,
            **_SMALL,
            "shortconv.l_cache": 3,
            "leading_dense_block_count": 1,
            "expert_gating_func": 2,
        },
    ),
    "deepseek2, dense": Tiny(
        "deepseek2",
        _MLA_LOW_RANK,
        "output_norm",
        kv_heads=1,
        shapes=_MLA_SHAPES,
        metadata={**_DEEPSEEK, **_LOW_RANK, **_MLA_DENSE},
    ),
    "deepseek2, queries of one matrix": Tiny(
        "deepseek2",
        _MLA,
        layers=26,  # by their number llama.cpp knows these models
        kv_heads=1,
        shapes=_MLA_SHAPES,
        metadata={**_DEEPSEEK, **_MLA_DENSE, "leading_dense_block_count": 26},
    ),
    "deepseek2, softmax and yarn": Tiny(
        "deepseek2",
        _with_experts(_MLA_LOW_RANK),
        first=_MLA_LOW_RANK,
        kv_heads=1,
        shapes=_MLA_SHAPES,
        metadata={
            **_DEEPSEEK,
            **_LOW_RANK,
            **_FEW_EXPERTS,
            "leading_dense_block_count": 1,
            "expert_shared_count": 2,
            "expert_weights_scale": 1.0,
            "expert_gating_func": 1,
            "expert_group_count": 1,
            "expert_group_used_count": 1,
            "rope.scaling.type": "yarn",
            "rope.scaling.factor": 40.0,
            "rope.scaling.original_context_length": 64,
            "rope.scaling.yarn_log_multiplier": 0.0707,
        },
    ),
    "deepseek2, sigmoid": Tiny(
        "deepseek2",
        _with_experts(_MLA_LOW_RANK) + " exp_probs_b=",
        first=_MLA_LOW_RANK,
        kv_heads=1,
        shapes=_MLA_SHAPES,
        metadata={
            **_DEEPSEEK,
            **_LOW_RANK,
            **_FEW_EXPERTS,
            "leading_dense_block_count": 1,
            "expert_shared_count": 2,
            "expert_weights_scale": 2.5,
            "expert_weights_norm": True,
            "expert_gating_func": 2,
        },
    ),
    "deepseek2, keys and values in one": Tiny(
        "deepseek2",
        _MLA_LOW_RANK.replace("attn_k_b attn_v_b", "attn_kv_b"),
        kv_heads=4,
        shapes=_MLA_SHAPES,
        metadata={**_UNSPLIT, **_LOW_RANK, **_MLA_DENSE},
    ),
    "kimi-linear": Tiny(
        "kimi-linear",
        "",
        each=(
            _KDA + " ffn_norm ffn_gate ffn_up ffn_down",
            _with_experts(_MLA) + " exp_probs_b=",
            _with_experts(_KDA + " ffn_norm ffn_gate ffn_up ffn_down") + " exp_probs_b=",
        ),
        shapes={
            **_MLA_SHAPES,
            "attn_q": (64, 64),
            "attn_k": (64, 64),
            "attn_v": (64, 64),
            "attn_output": (64, 64),
            "blk.1.attn_q": (160, 64),
            "blk.1.attn_output": (64, 80),
            **dict.fromkeys(("ssm_conv1d_q", "ssm_conv1d_k", "ssm_conv1d_v"), (1, 64, 1, 4)),
            "ssm_f_a": (16, 64),
            "ssm_f_b": (64, 16),
            "ssm_g_a": (16, 64),
            "ssm_g_b": (64, 16),
            "ssm_beta": (4, 64),
            "ssm_a": (1, 1, 4, 1),
            "ssm_dt": (64,),
            "ssm_norm": (16,),
        },
        metadata={
            **_DEEPSEEK,
            **_FEW_EXPERTS,
            "attention.head_count_kv": [0, 1, 0],
            "ssm.conv_kernel": 4,
            "kda.head_dim": 16,
            "leading_dense_block_count": 1,
            "expert_shared_count": 1,
            "expert_weights_scale": 2.446,
            "expert_gating_func": 2,
        },
    ),
    "minicpm3": Tiny(
        "minicpm3",
        _MLA_LOW_RANK.replace("attn_k_b attn_v_b", "attn_kv_b"),
        "output_norm rope_factors_long rope_factors_short",
        kv_heads=4,
        # Values are as long as a head's share of the embedding, which the file does not say.
        shapes={
            **_MLA_SHAPES,
            "attn_kv_b": (4 * (24 + 16), 32),
            "attn_output": (64, 64),
            "rope_factors_long": (8,),
            "rope_factors_short": (8,),
        },
        metadata={
            **_LOW_RANK,
            "attention.layer_norm_rms_epsilon": 1e-6,
            "attention.kv_lora_rank": 32,
            "attention.key_length": 40,
            "rope.dimension_count": 16,
        },
    ),
    "plm": Tiny(
        "plm",
        _MLA.replace("attn_k_b attn_v_b", "attn_kv_b").replace("ffn_gate ", ""),
        "output_norm",
        kv_heads=4,
        shapes=_MLA_SHAPES,
        metadata=_UNSPLIT,
    ),
    "qwen3next": Tiny(
        "qwen3next",
        _GATED + _SHARED_MIXTURE,
        first=_DELTA.replace("ssm_alpha ssm_beta", "ssm_ba") + _SHARED_MIXTURE,
        layers=3,
        shapes=_DELTA_SHAPES,
        metadata={**_DELTA_KEYS, **_USED, **_EXPERT_KEYS},
    ),
    "qwen3next, early": Tiny(
        "qwen3next",
        _GATED + _SHARED_MIXTURE,
        first=_DELTA.replace("attn_qkv attn_gate ssm_alpha ssm_beta", "ssm_in ssm_ba") + _SHARED_MIXTURE,
        shapes=_DELTA_SHAPES,
        metadata={**_DELTA_KEYS, **_USED, **_EXPERT_KEYS},
    ),
    "qwen35": Tiny(
        "qwen35",
        _GATED + _DENSE,
        "output_norm",
        _DELTA + _DENSE,
        layers=5,
        shapes=_DELTA_SHAPES,
        metadata={**_DELTA_KEYS, "rope.dimension_sections": [1, 1, 0, 0]},
    ),
    "qwen35, a block that predicts": Tiny(
        "qwen35",
        "",
        each=(
            _DELTA + _DENSE,
            _GATED + _DENSE,
            _GATED + _DENSE + " nextn.eh_proj nextn.enorm nextn.hnorm nextn.shared_head_norm",
        ),
        shapes={**_DELTA_SHAPES, "eh_proj": (64, 128)},
        metadata={**_DELTA_KEYS, "rope.dimension_sections": [1, 1, 0, 0], "nextn_predict_layers": 1},
    ),
    "qwen35moe": Tiny(
        "qwen35moe",
        _GATED + _SHARED_MIXTURE,
        first=_DELTA + _SHARED_MIXTURE,
        shapes=_DELTA_SHAPES,
        metadata={**_DELTA_KEYS, **_USED, **_EXPERT_KEYS, "rope.dimension_sections": [1, 1, 0, 0]},
    ),
    "rwkv7": Tiny(
        "rwkv7",
        f"attn_norm+ attn_norm_2+ {_TIME_MIX} channel_mix_lerp_k channel_mix_key channel_mix_value",
        "token_embd_norm+ output_norm+ output",
        heads=0,
        shapes=_TIME_MIX_SHAPES,
        metadata={**_TIME_MIX_KEYS, **_LAYER_NORM},
    ),
    "arwkv7": Tiny(
        "arwkv7",
        f"attn_norm {_TIME_MIX} ffn_norm ffn_gate ffn_up ffn_down",
        layers=3,  # the third takes values of the first
        heads=0,
        shapes=_TIME_MIX_SHAPES,
        metadata={**_TIME_MIX_KEYS, **_RMS, "token_shift_count": 1},
    ),
    "arwkv7, without gates": Tiny(
        "arwkv7",
        f"attn_norm {_TIME_MIX} ffn_norm ffn_gate ffn_up ffn_down".replace(" time_mix_g1 time_mix_g2", "").replace(
            " time_mix_ln+", ""
        ),
        heads=0,
        shapes={**_TIME_MIX_SHAPES, "time_mix_lerp_fused": (5, 1, 1, 64)},
        metadata={**_TIME_MIX_KEYS, **_RMS, "token_shift_count": 1, "attention.gate_lora_rank": 0},
    ),
    "mamba": Tiny("mamba", "attn_norm " + _SELECTIVE, heads=0, shapes=_SELECTIVE_SHAPES, metadata=_SELECTIVE_KEYS),
    "mamba, normed steps": Tiny(
        "mamba",
        "attn_norm " + _SELECTIVE,
        "output_norm",
        heads=0,
        shapes=_SELECTIVE_SHAPES,
        metadata={**_SELECTIVE_KEYS, "ssm.dt_b_c_rms": True},
    ),
    "jamba": Tiny(
        "jamba",
        "",
        each=(
            _NORMED_SELECTIVE + " ffn_norm ffn_gate ffn_up ffn_down",
            _SEPARATE,
            _NORMED_SELECTIVE + _EXPERTS,
        ),
        shapes=_SELECTIVE_SHAPES,
        metadata={**_SELECTIVE_KEYS, **_USED},
    ),
    "mamba2": Tiny("mamba2", "attn_norm " + _STATE, heads=0, shapes=_STATE_SHAPES, metadata=_STATE_KEYS),
    "plamo2": Tiny(
        "plamo2",
        "",
        each=(
            "attn_norm attn_qkv attn_q_norm attn_k_norm attn_output" + _POST,
            *(_PLAMO + _POST,) * 2,
        ),
        head_dim=24,
        shapes={
            "attn_q_norm": (4, 24),
            "attn_k_norm": (2, 24),
            "ffn_up": (256, 64),
            "ssm_in": (128, 64),
            "ssm_conv1d": (64, 4),
            "ssm_x": (96, 64),
            "ssm_dt": (4, 64),
            "ssm_dt_norm": (64,),
            "ssm_b_norm": (16,),
            "ssm_c_norm": (16,),
            "ssm_a": (4,),
            "ssm_d": (4,),
            "ssm_out": (64, 64),
        },
        metadata={
            **_STATE_KEYS,
            "attention.head_count": [4, 0, 0],
            "attention.head_count_kv": [2, 0, 0],
            "attention.key_length": 24,
            "attention.value_length": 24,
            "ssm.group_count": 0,
            "ssm.time_step_rank": 4,
            "ssm.inner_size": 64,
        },
    ),
    "granitehybrid": Tiny(
        "granitehybrid",
        _SEPARATE,
        "output_norm",
        "attn_norm " + _STATE + " ffn_norm ffn_gate ffn_up ffn_down",
        layers=3,
        shapes=_STATE_SHAPES,
        metadata={**_STATE_KEYS, **_GRANITE_SCALES, "rope.scaling.finetuned": False},
    ),
    "granitehybrid, a mixture that rotates": Tiny(
        "granitehybrid",
        _MIXTURE + _SHARED,
        "output_norm",
        "attn_norm " + _STATE + _EXPERTS + _SHARED,
        layers=3,
        shapes=_STATE_SHAPES,
        metadata={
            **_STATE_KEYS,
            **_GRANITE_SCALES,
            **_USED,
            "expert_shared_feed_forward_length": 256,
            "rope.scaling.finetuned": True,
        },
    ),
    "falcon-h1": Tiny(
        "falcon-h1",
        _SEPARATE.replace("ffn_norm ", "ffn_norm! ") + " " + _STATE,
        shapes=_STATE_SHAPES,
        metadata=_STATE_KEYS,
    ),
    "falcon-h1, no norm of the state": Tiny(
        "falcon-h1",
        _SEPARATE.replace("ffn_norm ", "ffn_norm! ") + " " + _STATE.replace("ssm_norm ", ""),
        "output_norm",
        shapes=_STATE_SHAPES,
        metadata=_STATE_KEYS,
    ),
    "nemotron_h": Tiny(
        "nemotron_h",
        "",
        each=("attn_norm " + _STATE, "attn_norm ffn_up ffn_down", "attn_norm attn_q attn_k attn_v attn_output"),
        shapes=_STATE_SHAPES,
        metadata={
            **_STATE_KEYS,
            **_LAYER_NORM,
            "feed_forward_length": [0, 128, 0],
            "rope.scaling.finetuned": False,
        },
    ),
    "nemotron_h_moe": Tiny(
        "nemotron_h_moe",
        "",
        each=("attn_norm " + _STATE, "attn_norm " + _LATENT, "attn_norm attn_q attn_k attn_v attn_output"),
        shapes={
            **_STATE_SHAPES,
            "ffn_up_exps": (EXPERTS, 128, 32),
            "ffn_down_exps": (EXPERTS, 32, 128),
            "ffn_latent_down": (32, 64),
            "ffn_latent_up": (64, 32),
        },
        metadata={**_STATE_KEYS, **_LAYER_NORM, **_NEMOTRON_MIXTURE, "moe_latent_size": 32},
    ),
    "nemotron_h_moe, whole": Tiny(
        "nemotron_h_moe",
        "",
        each=(
            "attn_norm " + _STATE,
            "attn_norm " + _LATENT.replace(" ffn_latent_down ffn_latent_up", ""),
            "attn_norm attn_q attn_k attn_v attn_output",
        ),
        shapes=_STATE_SHAPES,
        metadata={**_STATE_KEYS, **_LAYER_NORM, **_NEMOTRON_MIXTURE},
    ),
    "hunyuan-dense": Tiny("hunyuan-dense", _NORMED, "output_norm", metadata=_RMS),
    "hunyuan-moe": Tiny(
        "hunyuan-moe",
        _MIXTURE.replace("attn_q ", "attn_q attn_q_norm ").replace("attn_k ", "attn_k attn_k_norm ") + _SHARED,
        "output_norm",
        metadata={
            **_RMS,
            **_USED,
            "expert_feed_forward_length": 128,
            "expert_shared_feed_forward_length": 128,
            "expert_shared_count": 1,
            "rope.scaling.type": "none",
        },
    ),
    "apertus": Tiny(
        "apertus",
        _NORMED.replace("ffn_gate ", ""),
        "output_norm output rope_freqs",
        metadata={
            **_RMS,
            "rope.freq_base": 12000000.0,
            "xielu.alpha_p": [0.3, 1.1],
            "xielu.alpha_n": [-0.7, 0.6],
            "xielu.beta": [0.5, 0.5],
            "xielu.eps": [-1e-6, -1e-6],
        },
    ),
    "command-r": Tiny(
        "command-r",
        _SEPARATE.replace("ffn_norm ", ""),
        "output_norm",
        metadata={**_LAYER_NORM, "logit_scale": 0.25},
    ),
    "cohere2": Tiny(
        "cohere2",
        _SEPARATE.replace("ffn_norm ", ""),
        "output_norm",
        layers=4,
        metadata={**_LAYER_NORM, "logit_scale": 0.25, "attention.sliding_window": 7},
    ),
    "stablelm": Tiny(
        "stablelm",
        "attn_norm+ attn_q+ attn_k+ attn_v+ attn_output ffn_norm+ ffn_gate ffn_up ffn_down",
        "output_norm+ output",
        metadata={**_LAYER_NORM, "rope.dimension_count": 4, "use_parallel_residual": False},
    ),
    "stablelm, parallel": Tiny(
        "stablelm",
        "attn_norm+ attn_q attn_k attn_v attn_output ffn_gate ffn_up ffn_down",
        "output_norm+ output",
        metadata={**_LAYER_NORM, "rope.dimension_count": 4, "use_parallel_residual": True},
    ),
    "phi2": Tiny(
        "phi2",
        "attn_norm+ attn_q+ attn_k+ attn_v+ attn_output+ ffn_up+ ffn_down+",
        "output_norm+ output+",
        kv_heads=4,
        metadata={**_LAYER_NORM, "rope.dimension_count": 8},
    ),
    "falcon": Tiny(
        "falcon", "attn_norm+ attn_qkv attn_output ffn_up ffn_down", "output_norm+", kv_heads=1, metadata=_LAYER_NORM
    ),
    "gptneox": Tiny(
        "gptneox",
        _FUSED,
        "output_norm+ output",
        kv_heads=4,
        metadata={**_LAYER_NORM, "rope.dimension_count": 4, "use_parallel_residual": True},
    ),
    "gptneox, sequential": Tiny(
        "gptneox",
        _FUSED,
        "output_norm+ output",
        kv_heads=4,
        metadata={**_LAYER_NORM, "rope.dimension_count": 4, "use_parallel_residual": False},
    ),
    "gpt2": Tiny("gpt2", _FUSED, "position_embd output_norm+", kv_heads=4, metadata=_LAYER_NORM),
    "starcoder": Tiny("starcoder", _FUSED, "position_embd output_norm+", kv_heads=1, metadata=_LAYER_NORM),
    "starcoder2": Tiny("starcoder2", _BIASED, "output_norm+", metadata=_LAYER_NORM),
    "nemotron": Tiny(
        "nemotron",
        "attn_norm+ attn_q attn_k attn_v attn_output ffn_norm+ ffn_up ffn_down",
        "output_norm+ output",
        metadata={**_LAYER_NORM, "rope.dimension_count": 8},
    ),
}

_BERT = "attn_q+ attn_k+ attn_v+ attn_output+ attn_output_norm+ ffn_up+ ffn_down+ layer_output_norm+"
_BERT_REST = "token_embd_norm+ token_types position_embd"
_NOMIC = "attn_qkv attn_output attn_output_norm+ ffn_gate ffn_up ffn_down layer_output_norm+"
_NOMIC_MOE = "attn_qkv+ attn_output+ attn_output_norm+ ffn_up+ ffn_down+ layer_output_norm+"
_JINA = "attn_q+ attn_k+ attn_v+ attn_output+ attn_output_norm+ ffn_up ffn_down+ layer_output_norm+"
_MODERN = "attn_norm attn_qkv attn_output ffn_norm ffn_up ffn_down"
_HEADED = {**_LAYER_NORM, "attention.causal": False, "tokenizer.ggml.token_type_count": 2}
_ENCODER = {**_HEADED, "pooling_type": 1}
_MODERN_HEADED = {
    **_HEADED, "attention.sliding_window": 9, "rope.freq_base": 160000.0, "rope.freq_base_swa": 10000.0,
}  # fmt: skip
_MODERN_ENCODER = {**_MODERN_HEADED, "pooling_type": 1}

# Those that make vectors of texts, or scores.
EMBEDDING = {
    "bert": Tiny("bert", _BERT, _BERT_REST, kv_heads=4, metadata=_ENCODER),
    "bert, cls, one type": Tiny(
        "bert",
        _BERT,
        _BERT_REST,
        kv_heads=4,
        shapes={"token_types": (1, 64)},
        metadata={**_ENCODER, "pooling_type": 2, "tokenizer.ggml.token_type_count": 1},
    ),
    "bert, reranker": Tiny(
        "bert", _BERT, f"{_BERT_REST} cls+ cls.output+", kv_heads=4, shapes={"cls.output": (1, 64)}, metadata=_HEADED
    ),
    "bert, reranker without a pooler": Tiny(
        "bert",
        _BERT,
        f"{_BERT_REST} cls.output+",
        kv_heads=4,
        shapes={"cls.output": (3, 64)},
        metadata={**_HEADED, "classifier.output_labels": ["a", "b", "c"]},
    ),
    "nomic-bert": Tiny(
        "nomic-bert",
        _NOMIC,
        "token_embd_norm+ token_types",
        kv_heads=4,
        metadata={**_ENCODER, "rope.freq_base": 1000.0},
    ),
    "nomic-bert-moe": Tiny(
        "nomic-bert-moe",
        "attn_qkv+ attn_output+ attn_output_norm+ ffn_gate_inp ffn_up_exps ffn_down_exps layer_output_norm+",
        "token_embd_norm+ token_types",
        _NOMIC_MOE,
        kv_heads=4,
        metadata={**_ENCODER, **_USED, "moe_every_n_layers": 2},
    ),
    "jina-bert-v2": Tiny(
        "jina-bert-v2",
        _JINA,
        "token_embd_norm+ token_types",
        kv_heads=4,
        shapes={"ffn_up": (256, 64)},
        metadata=_ENCODER,
    ),
    "jina-bert-v2, six heads": Tiny(
        "jina-bert-v2",
        _JINA,
        "token_embd_norm+ token_types",
        embedding=96,
        heads=6,
        kv_heads=6,
        shapes={"ffn_up": (256, 96)},
        metadata=_ENCODER,
    ),
    "jina-bert-v2, reranker": Tiny(
        "jina-bert-v2",
        _JINA,
        "token_embd_norm+ token_types cls+",
        kv_heads=4,
        shapes={"ffn_up": (256, 64), "cls": (1, 64)},
        metadata=_HEADED,
    ),
    "modern-bert": Tiny(
        "modern-bert",
        _MODERN,
        "token_embd_norm output_norm",
        layers=5,
        each=(_MODERN.removeprefix("attn_norm "), *[_MODERN] * 4),
        kv_heads=4,
        shapes={"ffn_up": (256, 64)},
        metadata=_MODERN_ENCODER,
    ),
    "modern-bert, cls, silu": Tiny(
        "modern-bert",
        _MODERN,
        "token_embd_norm output_norm",
        layers=2,
        each=(_MODERN.removeprefix("attn_norm "), *[_MODERN] * 1),
        kv_heads=4,
        shapes={"ffn_up": (256, 64)},
        metadata={**_MODERN_ENCODER, "pooling_type": 2, "hidden_activation": "silu", "attention.sliding_window": 8},
    ),
    "modern-bert, reranker": Tiny(
        "modern-bert",
        _MODERN,
        "token_embd_norm output_norm cls cls.norm cls.output+",
        layers=4,
        each=(_MODERN.removeprefix("attn_norm "), *[_MODERN] * 3),
        kv_heads=4,
        shapes={"ffn_up": (256, 64), "cls.output": (1, 64)},
        metadata=_MODERN_HEADED,
    ),
    "gemma-embedding": Tiny(
        "gemma-embedding",
        _SANDWICH.replace("attn_q ", "attn_q attn_q_norm ").replace("attn_k ", "attn_k attn_k_norm "),
        "output_norm dense_2 dense_3",
        layers=7,
        head_dim=24,
        shapes={"attn_q_norm": (24,), "attn_k_norm": (24,), "dense_2": (160, 64), "dense_3": (64, 160)},
        metadata={
            **_GEMMA,
            "attention.sliding_window": 8,
            "attention.causal": False,
            "rope.freq_base": 1000000.0,
            "pooling_type": 1,
            "dense_2_feat_in": 64,
            "dense_2_feat_out": 160,
            "dense_3_feat_in": 160,
            "dense_3_feat_out": 64,
        },
    ),
    "qwen3, embedding": Tiny("qwen3", _NORMED, "output_norm", metadata={**_RMS, "pooling_type": 3}),
    "qwen3, reranker": Tiny(
        "qwen3",
        _NORMED,
        "output_norm cls.output",
        shapes={"cls.output": (2, 64)},
        metadata={**_RMS, "pooling_type": 4, "classifier.output_labels": ["yes", "no"]},
    ),
    "llama-embed": Tiny("llama-embed", _SEPARATE, metadata={**_RMS, "attention.causal": False, "pooling_type": 1}),
}


def vocabulary(size: int) -> tuple[list[str], list[TokenType]]:
    """Byte-level tokens: three special ones, the 256 bytes, and words that no merge makes (but a model can say)."""
    from tokenizers.pre_tokenizers import ByteLevel

    tokens = [*SPECIAL, *sorted(ByteLevel.alphabet())]
    types = [TokenType.CONTROL] * len(SPECIAL) + [TokenType.NORMAL] * 256
    while len(tokens) < size:
        tokens.append(f"Ġword{len(tokens)}")
        types.append(TokenType.NORMAL)
    return tokens, types


def write_tiny(
    path: Path,
    tiny: Tiny,
    *,
    type: GGMLQuantizationType = GGMLQuantizationType.F32,
    types: Mapping[str, GGMLQuantizationType] | None = None,
    seed: int = 0,
) -> Path:
    """Write `tiny` to `path`. type: of its matrices; `types` names others by a part of the tensor's name.

    Control tokens are never the most likely ones (unless the output is tied), so that a chat goes on until it is
    stopped.
    """
    random = np.random.default_rng(seed)
    writer = GGUFWriter(path, tiny.architecture)
    writer.add_name("tiny")
    writer.add_block_count(len(tiny.each) or tiny.layers)
    writer.add_context_length(tiny.context)
    writer.add_embedding_length(tiny.embedding)
    if "feed_forward_length" not in tiny.metadata:
        writer.add_feed_forward_length(tiny.feed_forward)
    if "attention.head_count" not in tiny.metadata:
        writer.add_head_count(tiny.heads)
    layers = [tiny.layer if layer % 2 or not tiny.first else tiny.first for layer in range(tiny.layers)]
    layers = list(tiny.each) or layers
    kv_heads = [tiny.kv_heads * ("attn_output" in names) for names in layers]
    if "attention.head_count_kv" not in tiny.metadata:
        writer.add_head_count_kv(tiny.kv_heads if all(kv_heads) else kv_heads)
    tokens, token_types = vocabulary(tiny.vocabulary)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(token_types)
    writer.add_token_merges(["h e", "l l", "Ġ a"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(CHATML)
    add: dict[Any, Callable[[str, Any], None]] = {str: writer.add_string, bool: writer.add_bool}
    add |= {float: writer.add_float32, int: writer.add_uint32}
    add_array: Callable[[str, Any], None] = writer.add_array
    for key, value in tiny.metadata.items():
        key = key if key.startswith(("general.", "tokenizer.", "xielu.")) else f"{tiny.architecture}.{key}"
        add.get(value.__class__, add_array)(key, value)

    # What is remembered may cancel out, and is normed after that, which makes much of rounding errors.
    outputs = ("ssm_out", "time_mix_output", "attn_output")
    remembering = [(n, names.split()) for n, names in enumerate(layers) if "ssm_" in names or "time_mix" in names]
    damped = {f"blk.{n}.{next(name for name in outputs if name in names)}" for n, names in remembering}

    def vector(name: str, shape: tuple[int, ...], mean: float) -> None:
        writer.add_tensor(name, (mean + 0.1 * random.standard_normal(shape)).astype(np.float32))

    def tensor(name: str) -> None:
        if name.endswith("!"):
            plain = name[:-1].rpartition(".")[2]
            values = random.standard_normal(tiny.shape_of(plain)).astype(np.float32)
            values = -np.exp(values) if plain == "ssm_a" else 1 + 0.1 * values if plain.endswith("_norm") else values
            writer.add_tensor(name[:-1], values)
            return
        if name.endswith("="):
            vector(f"{name[:-1]}.bias", tiny.shape_of(name[:-1].rpartition(".")[2]), 0.0)
            return
        if name.endswith("~"):
            # A factor of what comes in, or one of each expert's.
            vector(f"{name[:-1]}.scale", (EXPERTS if "_exps" in name else tiny.embedding,), 1.0)
            return
        name, scaled, _ = name.partition("*")
        name, biased, _ = name.partition("+")
        plain = name.rpartition(".")[2]
        shape = tiny.shapes.get(name) or tiny.shape_of(plain)
        if plain in tiny.values:
            writer.add_tensor(f"{name}.weight", np.array(tiny.values[plain], np.float32))
        elif plain.startswith("rope_"):
            writer.add_tensor(f"{name}.weight", random.uniform(1, 8, shape).astype(np.float32))
        elif len(shape) == 1 or plain.endswith("_norm"):
            # How much of a value goes past the norm, times a sum that may cancel out: little, as in trained models.
            vector(f"{name}.weight", shape, 0.0 if plain == "time_mix_r_k" else 1.0)
        else:
            # Larger weights of that router, which is given little, would make much of rounding errors.
            scales = {"token_embd": np.sqrt(tiny.embedding), "output": 4.0, "altup_router": 4.0}
            scales["time_mix_lerp_fused"] = np.sqrt(tiny.embedding)
            scale = scales.get(plain, 0.25 if name in damped else 1.0)
            values = (scale * random.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)
            if name == "output":
                values[: len(SPECIAL)] = 0
            chosen = next((t for part, t in (types or {}).items() if part in name), type)
            if plain.startswith(("ssm_conv1d", "time_mix_lerp")):  # llama.cpp never quantizes it
                chosen = GGMLQuantizationType.F32
            rows = quantize(values.reshape(-1, shape[-1]), chosen)
            writer.add_tensor(f"{name}.weight", rows.reshape(*shape[:-1], -1), raw_dtype=chosen)
        if scaled:
            count = shape[0] if len(shape) == 3 else 1
            writer.add_tensor(f"{name}.scale", random.uniform(0.5, 2, count).astype(np.float32))
            writer.add_tensor(f"{name}.input_scale", random.uniform(0.5, 2, count).astype(np.float32))
        if biased:
            vector(f"{name}.bias", shape[:-1] or shape, 0.0)

    tensor("token_embd")
    for layer, names in enumerate(layers):
        for name in names.split():
            tensor(f"blk.{layer}.{name}")
    for name in tiny.rest.split():
        tensor(name)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_tiny_llama(
    path: Path,
    *,
    tied: bool = False,
    biases: bool = False,
    rope_factors: bool = False,
    metadata: Mapping[str, Any] | None = None,
    type: GGMLQuantizationType = GGMLQuantizationType.F32,
    types: Mapping[str, GGMLQuantizationType] | None = None,
    seed: int = 0,
    **sizes: Any,
) -> Path:
    """Write a model of the architecture llama. metadata: further keys, or other values. sizes: members of `Tiny`."""
    tiny = TINY["llama"]
    if biases:
        names = tiny.layer.split()
        tiny = replace(tiny, layer=" ".join(n + "+" * (n.startswith("attn_") and n != "attn_norm") for n in names))
    rest = "output_norm" + " output" * (not tied) + " rope_freqs" * rope_factors
    tiny = replace(tiny, rest=rest, metadata={**tiny.metadata, **(metadata or {})}, **sizes)
    tiny = replace(tiny, head_dim=tiny.embedding // tiny.heads)
    return write_tiny(path, tiny, type=type, types=types, seed=seed)
