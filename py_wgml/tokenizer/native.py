"""The same vocabularies in the `tokenizers` package: compiled code, for where it can be imported."""

from __future__ import annotations

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE

from ..metadata import readable
from .byte_level import pre_tokenizer
from .sentencepiece import SPACE, byte_ids
from .vocabulary import Vocabulary


class NativeTokenizer:
    """Encodes text that has no special tokens in it."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """`tokenizer` knows no special tokens."""
        self._tokenizer = tokenizer

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def byte_level(vocabulary: Vocabulary) -> NativeTokenizer:
    """A vocabulary of model `gpt2`."""
    row = pre_tokenizer(vocabulary)
    ids = vocabulary.ids
    pairs = [(left, right) for left, _, right in (entry.partition(" ") for entry in vocabulary.merges)]
    merges = [pair for pair in pairs if pair[0] in ids and pair[1] in ids and pair[0] + pair[1] in ids]
    tokenizer = Tokenizer(BPE(ids, merges, ignore_merges=row.ignore_merges))
    if row.nfc:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            *(pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in row.patterns),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return NativeTokenizer(tokenizer)


def sentencepiece(vocabulary: Vocabulary) -> NativeTokenizer:
    """A vocabulary of model `llama`. The package merges by rank, so each way to make a token of two gets one."""
    ids, scores = vocabulary.ids, vocabulary.scores
    made = sorted(ids.items(), key=lambda item: -scores[item[1]])
    merges = [
        (left, right)
        for token, _ in made
        for place in range(1, len(token))
        if (left := token[:place]) in ids and (right := token[place:]) in ids
    ]
    known = ids | vocabulary.bytes
    unknown = None
    if vocabulary.unknown_id is not None:
        unknown = readable(vocabulary.tokens[vocabulary.unknown_id])
        known[unknown] = vocabulary.unknown_id
    tokenizer = Tokenizer(
        BPE(known, merges, unk_token=unknown, fuse_unk=True, byte_fallback=byte_ids(vocabulary) is not None)
    )
    tokenizer.normalizer = normalizers.Replace(" ", SPACE)
    return NativeTokenizer(tokenizer)
