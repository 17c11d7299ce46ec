"""How conversations are written for models whose files have no chat template: one row a format.

A format is known by tokens that only models trained on it have in their vocabulary; one whose marks are plain text, by
the model's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..metadata import MAX_NAME, Metadata

# A model that was trained on no conversations goes on with the text as it stands.
PLAIN = "{% for message in messages %}{{ message.content }}{{ '\\n' if not loop.last }}{% endfor %}"


@dataclass(frozen=True)
class Format:
    """What is written for a message of each role: {} is its content, {bos} and {eos} are the model's tokens."""

    name: str
    known_by: tuple[str, ...] | re.Pattern[str]
    """Tokens of the vocabulary, all of them; or what the model's name or architecture says."""
    system: str
    user: str
    assistant: str
    answer: str
    """Where the model goes on."""
    system_inside: bool = False
    """The system's message lies within the user's first, in front of its content."""

    @property
    def template(self) -> str:
        """The format as a jinja2 template."""
        system = _expression(self.system, "message.content")
        return (
            "{% set ns = namespace(before='') %}{% for message in messages %}{% if message.role == 'system' %}"
            + (f"{{% set ns.before = {system} %}}" if self.system_inside else f"{{{{ {system} }}}}")
            + f"{{% elif message.role == 'assistant' %}}{{{{ {_expression(self.assistant, 'message.content')} }}}}"
            + f"{{% else %}}{{{{ {_expression(self.user, 'ns.before ~ message.content')} }}}}{{% set ns.before = '' %}}"
            + f"{{% endif %}}{{% endfor %}}{{% if add_generation_prompt %}}{{{{ {self.answer!r} }}}}{{% endif %}}"
        )


def _expression(pattern: str, content: str) -> str:
    names = {"{}": content, "{bos}": "bos_token", "{eos}": "eos_token"}
    return " ~ ".join(names.get(part) or repr(part) for part in re.split(r"(\{\w*\})", pattern) if part)


def _same(name: str, known_by: tuple[str, ...] | re.Pattern[str], pattern: str, answer: str) -> Format:
    """A format that only names the role: ROLE in `pattern`."""
    system, user, assistant = (pattern.replace("ROLE", role) for role in ("system", "user", "assistant"))
    return Format(name, known_by, system, user, assistant, answer)


def _named(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


FORMATS = (
    _same(
        "Phi-4",
        ("<|im_start|>", "<|im_sep|>"),
        "<|im_start|>ROLE<|im_sep|>{}<|im_end|>",
        "<|im_start|>assistant<|im_sep|>",
    ),
    _same("ChatML", ("<|im_start|>", "<|im_end|>"), "<|im_start|>ROLE\n{}<|im_end|>\n", "<|im_start|>assistant\n"),
    _same(
        "Llama 3",
        ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "<|start_header_id|>ROLE<|end_header_id|>\n\n{}<|eot_id|>",
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    _same(
        "Llama 4",
        ("<|header_start|>", "<|header_end|>", "<|eot|>"),
        "<|header_start|>ROLE<|header_end|>\n\n{}<|eot|>",
        "<|header_start|>assistant<|header_end|>\n\n",
    ),
    _same(
        "Granite",
        ("<|start_of_role|>", "<|end_of_role|>"),
        "<|start_of_role|>ROLE<|end_of_role|>{}<|end_of_text|>\n",
        "<|start_of_role|>assistant<|end_of_role|>",
    ),
    _same("Phi-3", ("<|user|>", "<|assistant|>", "<|end|>"), "<|ROLE|>\n{}<|end|>\n", "<|assistant|>\n"),
    Format(
        "Gemma 4",
        ("<|turn>", "<turn|>"),
        "<|turn>system\n{}<turn|>\n",
        "<|turn>user\n{}<turn|>\n",
        "<|turn>model\n{}<turn|>\n",
        "<|turn>model\n",
    ),
    _same(
        "Kimi",
        ("<|im_system|>", "<|im_user|>", "<|im_assistant|>", "<|im_middle|>"),
        "<|im_ROLE|>ROLE<|im_middle|>{}<|im_end|>",
        "<|im_assistant|>assistant<|im_middle|>",
    ),
    _same("Seed", ("<seed:bos>", "<seed:eos>"), "<seed:bos>ROLE\n{}<seed:eos>", "<seed:bos>assistant\n"),
    _same(
        "Apertus",
        ("<|user_start|>", "<|user_end|>", "<|assistant_start|>"),
        "<|ROLE_start|>{}<|ROLE_end|>",
        "<|assistant_start|>",
    ),
    Format(
        "Gemma",
        ("<start_of_turn>", "<end_of_turn>"),
        "{}\n\n",
        "<start_of_turn>user\n{}<end_of_turn>\n",
        "<start_of_turn>model\n{}<end_of_turn>\n",
        "<start_of_turn>model\n",
        system_inside=True,
    ),
    Format(
        "harmony",
        ("<|start|>", "<|channel|>", "<|message|>"),
        "<|start|>developer<|message|># Instructions\n\n{}<|end|>",
        "<|start|>user<|message|>{}<|end|>",
        "<|start|>assistant<|channel|>final<|message|>{}<|end|>",
        "<|start|>assistant",
    ),
    Format(
        "Command R",
        ("<|START_OF_TURN_TOKEN|>", "<|CHATBOT_TOKEN|>"),
        "<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>{}<|END_OF_TURN_TOKEN|>",
        "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>{}<|END_OF_TURN_TOKEN|>",
        "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>{}<|END_OF_TURN_TOKEN|>",
        "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
    ),
    Format(
        "DeepSeek",
        ("<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>"),
        "{}",
        "<\uff5cUser\uff5c>{}",
        "<\uff5cAssistant\uff5c>{}{eos}",
        "<\uff5cAssistant\uff5c>",
    ),
    Format(
        "EXAONE",
        ("[|system|]", "[|assistant|]", "[|endofturn|]"),
        "[|system|]{}[|endofturn|]\n",
        "[|user|]{}\n",
        "[|assistant|]{}[|endofturn|]\n",
        "[|assistant|]",
    ),
    Format(
        "OpenChat",
        ("<|end_of_turn|>",),
        "{}<|end_of_turn|>",
        "GPT4 Correct User: {}<|end_of_turn|>",
        "GPT4 Correct Assistant: {}<|end_of_turn|>",
        "GPT4 Correct Assistant:",
    ),
    Format("Mistral", ("[INST]", "[/INST]"), "{}\n\n", "[INST] {}[/INST]", " {}{eos}", "", system_inside=True),
    Format(
        "Mistral",
        _named("(mistral|mixtral).*instruct"),
        "{}\n\n",
        "[INST] {} [/INST]",
        " {}{eos}",
        "",
        system_inside=True,
    ),
    Format(
        "Llama 2",
        _named("llama.?2.*chat|codellama.*instruct"),
        "<<SYS>>\n{}\n<</SYS>>\n\n",
        "{bos}[INST] {} [/INST]",
        " {} {eos}",
        "",
        system_inside=True,
    ),
    _same("Zephyr", _named("zephyr|tinyllama.*chat"), "<|ROLE|>\n{}{eos}\n", "<|assistant|>\n"),
    Format(
        "Alpaca",
        _named("alpaca"),
        "{}\n\n",
        "### Instruction:\n{}\n\n",
        "### Response:\n{}{eos}\n\n",
        "### Response:\n",
    ),
    Format("Vicuna", _named("vicuna"), "{}\n\n", "USER: {}\n", "ASSISTANT: {}{eos}\n", "ASSISTANT:"),
    Format(
        "SOLAR",
        _named("solar.*instruct"),
        "### System:\n{}\n\n",
        "### User:\n{}\n\n",
        "### Assistant:\n{}{eos}\n\n",
        "### Assistant:\n",
    ),
    Format(
        "DeepSeek V2",
        _named("deepseek.?v2.*chat"),
        "{}\n\n",
        "User: {}\n\n",
        "Assistant: {}{eos}",
        "Assistant:",
    ),
    Format("RWKV", _named("rwkv"), "System: {}\n\n", "User: {}\n\n", "Assistant: {}\n\n", "Assistant:"),
    Format("Falcon", _named("falcon.*instruct"), "{}\n\n", "User: {}\n\n", "Assistant: {}\n\n", "Assistant:"),
    Format("Phi-2", _named("phi.?2"), "{}\n", "Instruct: {}\n", "Output: {}\n", "Output:"),
)


def template_of(metadata: Mapping[str, Any]) -> str:
    """The chat template for a GGUF file with this metadata: its own, or that of the format it is known by, or PLAIN.

    A template without a brace would write nothing of any conversation: some files have a name in its place."""
    view = Metadata(metadata)
    own = view.text("tokenizer.chat_template")
    if "{" in own:
        return own
    marks = {mark for format in FORMATS if isinstance(format.known_by, tuple) for mark in format.known_by}
    present = marks.intersection(view.strings("tokenizer.ggml.tokens") or ())
    names = ("name", "basename", "finetune", "architecture")
    name = " ".join(view.text(f"general.{key}", most=MAX_NAME) for key in names)
    for format in FORMATS:
        known_by = format.known_by
        if present.issuperset(known_by) if isinstance(known_by, tuple) else known_by.search(name):
            return format.template
    return PLAIN
