"""The marks around calls, one row a way of writing them, and which of them a model's file names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What stands before calls and behind them: several may stand between the two, each in marks of its own."""

    opening: str
    closings: tuple[str, ...] = ()
    each: tuple[str, str] = ("", "")
    strict: bool = False
    """Other texts begin so too: only a function that was given is called."""
    inside: bool = False
    """The opening is the beginning of the call itself."""


_DEEPSEEK = ("<\uff5ctool\u2581call\u2581begin\uff5c>", "<\uff5ctool\u2581call\u2581end\uff5c>")
_KIMI = ("<|tool_call_begin|>", "<|tool_call_end|>")

ROWS = (
    # Hermes, Qwen 2.5 and 3, Granite 4, SmolLM 3: JSON. Qwen 3 Coder and 3.5: <function=...>. GLM 4.5: <arg_key>.
    Row("<tool_call>", ("</tool_call>",)),
    Row("<tool_calls>", ("</tool_calls>",)),  # Hunyuan, Falcon, Jamba
    Row("<TOOLCALL>", ("</TOOLCALL>",)),  # Nemotron
    Row("<function_call>", ("</function_call>",)),
    Row("<function_calls>", ("</function_calls>",)),  # OLMo 3
    Row("<seed:tool_call>", ("</seed:tool_call>",)),
    Row("<minimax:tool_call>", ("</minimax:tool_call>",)),
    Row("[TOOL_CALLS]", ("[/TOOL_CALLS]",)),  # Mistral: a list of JSON, or NAME[ARGS]{...}
    Row("<|tool_call|>", ("<|/tool_call|>",)),  # Phi-4-mini, Granite 3
    Row("<|tool_call>", ("<tool_call|>",)),  # Gemma 4
    Row("<start_function_call>", ("<end_function_call>",)),  # FunctionGemma
    Row("<|tool_call_start|>", ("<|tool_call_end|>",)),  # LFM 2
    Row("<|python_tag|>", ("<|eom_id|>",)),  # Llama 3.1
    Row("<|START_ACTION|>", ("<|END_ACTION|>",)),  # Command R7B
    Row("<|tools_prefix|>", ("<|tools_suffix|>",)),  # Apertus
    Row("<|plugin|>", ("<|action_end|>",)),  # InternLM 2
    Row("<\uff5ctool\u2581calls\u2581begin\uff5c>", ("<\uff5ctool\u2581calls\u2581end\uff5c>",), _DEEPSEEK),
    Row(_DEEPSEEK[0], _DEEPSEEK[1:]),
    Row("<|tool_calls_section_begin|>", ("<|tool_calls_section_end|>",), _KIMI),
    Row(_KIMI[0], _KIMI[1:]),
    Row("<function=", inside=True),  # functionary 3.1, and Llama by its other prompt
    Row("<invoke name=", inside=True),
    Row(">>>", strict=True),  # functionary 3.2
    Row("```tool_code", ("```",), strict=True),  # Gemma 3
    Row("```tool_call", ("```",), strict=True),
    Row("```json", ("```",), strict=True),
)
