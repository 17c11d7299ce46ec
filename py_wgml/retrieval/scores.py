"""How well passages suit a question: by their words (Okapi BM25), and by these together with vectors."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

K1 = 1.5  # how much it counts that a word occurs again
B = 0.75  # how much it counts against a passage that it is long
WORDS_SHARE = 0.3  # of words in a blend with vectors
# Scripts without spaces: two neighbouring letters are as good as a word.
_DENSE = "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TERM = re.compile(rf"[{_DENSE}]+|[^\W{_DENSE}]+")
_IS_DENSE = re.compile(rf"[{_DENSE}]")
_LONG = 4  # letters: of a longer word an s at its end is left out ("costs" is asked for, "cost" is written)

# Words of questions about a text as a whole, or about anything.
_ASKED = """
a about an and are can describe do document does explain file for from give how i in is it main me my of on pdf
point say summarise summarize summary tell text that the this to was we what when where which who why with you
das dem den der die dieser diese dieses datei dokument ein eine es fass fasse gib ist mir sind und um von was
welche wer wie wo worum zusammen zusammenfassung geht auf im in zu des document fichier le la les un une de du et
est que quoi qui quel quelle ce cette en sur pour parle résume résumé il elle documento archivo el los las una del
y es qué quién cuál cómo este esta trata resume resumen por para arquivo o os as um uma do da e é quem qual como
deste resumo resuma sobre
"""


def terms(text: str) -> list[str]:
    """The words of a text, as they are compared: without case, marks and an English plural."""
    found: list[str] = []
    for word in _TERM.findall(unicodedata.normalize("NFKC", text).casefold()):
        if _IS_DENSE.match(word):
            found += [word[i : i + 2] for i in range(max(1, len(word) - 1))]
        else:
            found.append(word[:-1] if len(word) >= _LONG and word.endswith("s") and not word.endswith("ss") else word)
    return found


ASKING = frozenset(terms(_ASKED))


class Words:
    """Which words occur in which of some texts, and how often."""

    def __init__(self, texts: Iterable[str]) -> None:
        postings: dict[str, list[tuple[int, int]]] = {}
        lengths: list[int] = []
        for text in texts:
            words = terms(text)
            lengths.append(len(words))
            for word, count in Counter(words).items():
                postings.setdefault(word, []).append((len(lengths) - 1, count))
        self.lengths = np.array(lengths, np.float64)
        self._postings = postings

    def of(self, word: str) -> list[tuple[int, int]]:
        """The texts that a word occurs in, by their places, and how often."""
        return self._postings.get(word, [])

    @staticmethod
    def telling(among: "Sequence[Words]", question: Sequence[str], common: float, few: int) -> list[str]:
        """The words of a question that are in some texts, but not in more than the share `common` of them, or `few`;
        and no words that questions have anyway."""
        most = max(few, common * sum(len(words.lengths) for words in among))
        return [
            word for word in question if word not in ASKING and 0 < sum(len(words.of(word)) for words in among) <= most
        ]

    @staticmethod
    def scores(among: "Sequence[Words]", question: Sequence[str]) -> npt.NDArray[np.float64]:
        """How well each text suits the words of a question, of all collections one behind the other: float64 [n].

        Okapi BM25; how rare a word is, is told over all of them: log(1 + (N - n + 1/2) / (n + 1/2)).
        """
        lengths = np.concatenate([words.lengths for words in among]) if among else np.zeros(0)
        scores = np.zeros(len(lengths))
        if not len(lengths):
            return scores
        norms = K1 * (1 - B + B * lengths / max(1e-9, lengths.mean()))
        starts = np.cumsum([0, *(len(words.lengths) for words in among)])
        for word, times in Counter(question).items():
            found = [(start + i, n) for start, words in zip(starts, among, strict=False) for i, n in words.of(word)]
            if not found:
                continue
            places, counts = np.array(found).T
            rarity = np.log(1 + (len(lengths) - len(found) + 0.5) / (len(found) + 0.5))
            scores[places] += times * rarity * counts * (K1 + 1) / (counts + norms[places])
        return scores


def blended(words: npt.NDArray[np.float64], nearness: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64]:
    """Scores by words and by vectors in one, from 0 to 1: float64 [n]; those by words alone where there are no others.

    nearness: the cosines of the vectors with the question's; NaN where there is no vector.
    """
    by_words = _spread(words)
    if nearness is None or np.isnan(nearness).all():
        return by_words
    by_vectors = _spread(np.where(np.isnan(nearness), np.nanmean(nearness), nearness))
    return WORDS_SHARE * by_words + (1 - WORDS_SHARE) * by_vectors


def _spread(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """From 0, the lowest, to 1, the highest."""
    low, high = (scores.min(), scores.max()) if len(scores) else (0.0, 0.0)
    spread: npt.NDArray[np.float64] = (scores - low) / (high - low) if high > low else np.zeros_like(scores)
    return spread
