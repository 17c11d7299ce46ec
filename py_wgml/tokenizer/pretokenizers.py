"""How text is cut into words before byte-level BPE, by the name in `tokenizer.ggml.pre`.

One row a way of cutting: to support another, add a row. The patterns are those of the models' own tokenizers; each is
applied to the pieces that the one before it left, and what lies between two matches is a piece as well. They must mean
the same to `regex` and to Oniguruma (which the `tokenizers` package uses), and hold no capturing group.
"""

from __future__ import annotations

from dataclasses import dataclass

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN2 = _LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


@dataclass(frozen=True)
class PreTokenizer:
    """A way of cutting text into words, and what goes with it."""

    patterns: tuple[str, ...]
    ignore_merges: bool = False
    """A word that is a token as a whole is that token, whatever the merges would make of it."""
    add_bos: bool = False
    """Begin texts with the BOS token where the file does not say."""
    nfc: bool = False
    """Text is brought to Unicode's normal form C first."""


_ROWS: tuple[tuple[str, PreTokenizer], ...] = (
    ("default", PreTokenizer((r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", "[0-9][0-9][0-9]"))),
    ("gpt-2 phi-2 mpt olmo jais trillion granite-docling", PreTokenizer((_GPT2,))),
    ("smollm starcoder refact command-r codeshell exaone minerva-7b", PreTokenizer((r"\p{N}", _GPT2))),
    ("llama-bpe llama3 llama-v3 falcon3", PreTokenizer((_LLAMA3,), ignore_merges=True, add_bos=True)),
    ("dbrx smaug-bpe", PreTokenizer((_LLAMA3,))),
    ("qwen2", PreTokenizer((_QWEN2,), nfc=True)),
    ("deepseek-r1-qwen stablelm2 hunyuan", PreTokenizer((_QWEN2,))),
)

PRE_TOKENIZERS: dict[str, PreTokenizer] = {name: row for names, row in _ROWS for name in names.split()}
