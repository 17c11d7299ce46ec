"""How text is cut into words before byte-level BPE, by the name in `tokenizer.ggml.pre`.

One row a way of cutting: to support another, add a row. The patterns are those of the models' own tokenizers; each is
applied to the pieces that the one before it left, and what lies between two matches is a piece as well. They must mean
the same to `regex` and to Oniguruma (which the `tokenizers` package uses), hold no capturing group, and take a time
that grows with the text alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Each style of tokenizer differs from its parent in a few alternatives.
_ENDINGS = "'s|'t|'re|'ve|'m|'ll|'d"  # of English contractions
_KANA = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
_GPT2 = rf"{_ENDINGS}| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?!\S)|\s+"
_CL100K = (
    rf"(?i:{_ENDINGS})|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN2 = _CL100K.replace(r"\p{N}{1,3}", r"\p{N}")
_QWEN35 = _QWEN2.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]", r"[^\s\p{L}\p{M}\p{N}]")
_UFAKZEKA = _QWEN2.removeprefix(f"(?i:{_ENDINGS})|")
_JAIS2 = _CL100K.removesuffix(r"\s+(?!\S)|\s+")
_JAIS2 += "".join(rf"\s{{{count}}}(?!\S)|" for count in (512, 256, 128, 64, 32, 16, 8, 4)) + r"\s{1,2}(?!\S)|\s"
_SEED = _QWEN2.replace(r"[^\s\p{L}\p{N}]+[\r\n]*", r"[^\s\p{L}\p{N}\r\n]+")
_BAILING = _QWEN2.replace(r"\s*[\r\n]+", r"\s*[\r\n]")
_EXAONE_MOE = _BAILING.replace(r"\p{L}+", r"(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+").replace("+[\\r\\n]*", "+[\\r\\n/]?")
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def _by_case(upper: str, lower: str, endings: str, digits: str, slash: str = "/") -> str:
    """Words are cut where a capital letter follows a small one."""
    return (
        rf"[^\r\n\p{{L}}\p{{N}}]?{upper}*{lower}+{endings}|[^\r\n\p{{L}}\p{{N}}]?{upper}+{lower}*{endings}"
        rf"|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n{slash}]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


_O200K = _by_case(_UPPER, _LOWER, f"(?i:{_ENDINGS})?", r"\p{N}{1,3}")
_YOUTU = _by_case(_UPPER, _LOWER, f"(?i:{_ENDINGS})?", r"\p{N}")
_YOUTU_SCRIPTS = (
    "[\uac00-\ud7a3\u3131-\u318e]+"
    "|[\uff01\u2026\u201c\u201d\u2018\u2019\u2014\uff1a\uff1b\uff0c\u3001-\u303f\ufe30-\ufe4f]+"
    f"|[\u3105-\u312f]+|{_KANA}"
)
_TEKKEN = _by_case(_UPPER, _LOWER, "", r"\p{N}")
_NO_HAN = r"(?:(?!\p{Han})%s)"
_KIMI = r"\p{Han}+|" + _by_case(_NO_HAN % _UPPER, _NO_HAN % _LOWER, f"(?i:{_ENDINGS})?", r"\p{N}{1,3}", "")

# `\b` behind a digit, spelled out: `regex` and Oniguruma do not agree on what is in a word.
_WORD_ENDS = r"(?![\p{L}\p{M}\p{N}\p{Pc}])"
# Digits are grouped by threes from the right. Where a group ends is known at the end of the number only; so that it is
# not looked for anew from each digit, these match near a number's start alone: the first digits of a piece that go
# before its whole groups, and the place where a number's whole groups begin.
_FIRST_DIGITS = r"\A\d{1,2}(?=(?>(?:\d{3})+)(?![\s\S]))"
_WHOLE_GROUPS = r"(?:(?<!\d)|(?<=\A\d)|(?<=\D\d)|(?<=\A\d\d)|(?<=\D\d\d))(?=(?>(?:\d{3})+)(?!\d))"
# Letters with a case, but for those of some scripts.
_DEEPSEEK_CASED = (
    "A-Za-z\xb5\xc0-\xd6\xd8-\xf6\xf8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376\u0377\u037b-\u037d"
    "\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5"
    "\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d"
    "\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4"
    "\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115"
    "\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184"
    "\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e"
    "\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3"
    "\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943"
)
_DEEPSEEK_MARKS = "!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002"
_DEEPSEEK_CJK = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
_DEEPSEEK_V3 = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPARK = _DEEPSEEK_V3.replace(r"[\r\n]*|\s*[\r\n]+", r"|[\r\n]")
_AFMOE_SCRIPTS = (
    "[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u3040-\u309f\u30a0-\u30ff\uff65-\uff9f\u2f00-\u2fdf\u0e40-\u0e7f"
    "\u0e80-\u0eff\u1780-\u17ff\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff\uac00-\ud7af\u1100-\u11ff]+"
)
_CHAMELEON_MARKS = "<sentinel:[0-9]+>", "IMGIMG[A-I]{1,4}Z", r"[\t\n]|    |  "
_BLOOM = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+"


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

    def splitter(self) -> Callable[[str], list[str]]:
        """A function from text to its words, none of them empty: together they are the text."""
        import regex  # here, because only this kind of vocabulary needs it, and not where `tokenizers` is used

        # A split by a captured pattern gives matches and what lies between them.
        splits = [regex.compile(f"({pattern})").split for pattern in self.patterns]

        def words(text: str) -> list[str]:
            found = [text]
            for split in splits:
                found = [piece for word in found for piece in split(word) if piece]
            return found

        return words


_ROWS: tuple[tuple[str, PreTokenizer], ...] = (
    ("default", PreTokenizer((r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", "[0-9][0-9][0-9]"))),
    ("falcon", PreTokenizer((r"[\p{P}\$\+<=>\^~\|`]+", _GPT2, "[0-9][0-9][0-9]"))),
    (
        "gpt-2 phi-2 jais trillion granite-docling exaone4 gigachat mellum a.x-4.0 roberta-bpe jina-es jina-de"
        " jina-v1-en jina-v2-es jina-v2-de jina-v2-code",
        PreTokenizer((_GPT2,)),
    ),
    ("mpt olmo modern-bert", PreTokenizer((_GPT2,), nfc=True)),
    ("smollm starcoder refact command-r codeshell exaone minerva-7b mellum2", PreTokenizer((r"\p{N}", _GPT2))),
    ("chameleon", PreTokenizer((*_CHAMELEON_MARKS, r"\p{N}", r"[\p{P}!-/:-@\[-`{-~]", _GPT2), add_bos=True)),
    (
        "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
        PreTokenizer((_CL100K,), ignore_merges=True, add_bos=True),
    ),
    ("dbrx smaug-bpe chatglm-bpe", PreTokenizer((_CL100K,))),
    ("glm4 glm5", PreTokenizer((_CL100K,), ignore_merges=True)),
    ("jais-2", PreTokenizer((_JAIS2,))),
    ("minicpm5", PreTokenizer((r"\p{N}{1,3}", _CL100K), ignore_merges=True)),
    ("qwen2", PreTokenizer((_QWEN2,), nfc=True)),
    ("deepseek-r1-qwen stablelm2 hunyuan megrez kormo f2llmv2 grok-2 solar-open", PreTokenizer((_QWEN2,))),
    ("qwen35", PreTokenizer((_QWEN35,), nfc=True)),
    ("laguna", PreTokenizer((r"[^\n]+|\n+", _QWEN2))),
    ("ufakzeka", PreTokenizer((_UFAKZEKA,))),
    ("seed-coder", PreTokenizer((_SEED,))),
    ("bailingmoe bailingmoe2 llada-moe", PreTokenizer((_BAILING,))),
    ("exaone-moe", PreTokenizer((_EXAONE_MOE,))),
    ("gpt-4o llama4 minimax-m2 kanana2 talkie", PreTokenizer((_O200K,))),
    ("granite-embed-multi-97m", PreTokenizer((_O200K,), ignore_merges=True)),
    ("youtu", PreTokenizer((_YOUTU_SCRIPTS, _YOUTU), ignore_merges=True)),
    ("tiny_aya cohere2moe", PreTokenizer((rf"(?<!\d)(?>\d+){_WORD_ENDS}", _FIRST_DIGITS, _O200K))),
    ("tekken", PreTokenizer((_TEKKEN,), ignore_merges=True, add_bos=True)),
    ("kimi-k2", PreTokenizer((_KIMI,))),
    ("superbpe", PreTokenizer((r"\p{N}+", _WHOLE_GROUPS, r"\d{3}(?=\d)"))),
    (
        "deepseek-llm",
        PreTokenizer(
            (
                r"[\r\n]",
                rf"\s?[{_DEEPSEEK_CASED}]+",
                rf"\s?[{_DEEPSEEK_MARKS}]+",
                r"(?<!\s)\s+$",
                _DEEPSEEK_CJK,
                r"\p{N}+",
            )
        ),
    ),
    ("deepseek-coder", PreTokenizer((r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _DEEPSEEK_CJK, r"\p{N}"))),
    (
        "deepseek-v3 hunyuan-dense joyai-llm hy_v4",
        PreTokenizer((r"\p{N}{1,3}", _KANA, _DEEPSEEK_V3)),
    ),
    ("spark2_5", PreTokenizer((r"\p{N}{1,3}", _KANA, _SPARK, r"\p{N}"))),
    (
        "afmoe",
        PreTokenizer(
            (r"\p{N}+", _FIRST_DIGITS.replace(r"\d", r"\p{N}"), r"\p{N}{1,3}", _AFMOE_SCRIPTS, _DEEPSEEK_V3),
        ),
    ),
    ("bloom poro-chat gpt3-finnish", PreTokenizer((_BLOOM,))),
    ("viking", PreTokenizer((_BLOOM, r"\p{N}"))),
)

PRE_TOKENIZERS: dict[str, PreTokenizer] = {name: row for names, row in _ROWS for name in names.split()}
