"""From texts, and pairs of them, to the tokens that a model is sent which makes vectors or scores of them."""

from dataclasses import dataclass

from .errors import WgmlError
from .generate import TokenizedText
from .gguf_model import Header
from .metadata import Metadata
from .models import RERANKING
from .tokenizer import Tokenizer
from .tokenizer.special import Splitter


@dataclass(frozen=True)
class Inputs:
    """What makes the inputs of one model. What has more than `context` tokens is cut at its end, before the tokens that
    every text ends with. closes: a text ends with EOS whatever the file says."""

    tokenizer: Tokenizer
    header: Header
    context: int
    closes: bool

    def text(self, text: str) -> TokenizedText:
        """A text, between the tokens that the file asks for."""
        start, end = self._around
        ids = self.tokenizer.encode(text, add_special=False)
        if self.closes and not end and ids[-1:] != [self.tokenizer.eos_id] and self.tokenizer.eos_id is not None:
            end = [self.tokenizer.eos_id]
        return TokenizedText([*start, *ids[: max(0, self.context - len(start) - len(end))], *end])

    def pair(self, query: str, document: str) -> TokenizedText:
        """A query and a document, which is cut where they are too long: in the file's template for reranking if it has
        one, else one behind the other. Raises WgmlError where the query alone is too long."""
        metadata = Metadata(self.header.metadata)
        if template := metadata.text(RERANKING):
            return self._filled(template, query, document)
        start, end = self._around
        between = end
        if metadata.text("tokenizer.ggml.model") != "bert":
            separator = metadata.integer("tokenizer.ggml.seperator_token_id", self.tokenizer.eos_id)
            if separator is not None and metadata.flag("tokenizer.ggml.add_sep_token", False):
                between = [*end, separator]
        first = [*start, *self.tokenizer.encode(query, add_special=False), *between]
        room = self.context - len(first) - len(end)
        self._require(room)
        ids = self.tokenizer.encode(document, add_special=False)
        return TokenizedText([*first, *ids[:room], *end], second=len(first))

    def _filled(self, template: str, query: str, document: str) -> TokenizedText:
        """The template with both. Its special tokens are those; what is written like one in either text is text."""
        pieces = [*Splitter(self.tokenizer.special).split(template)]
        while True:
            ids: list[int] = []
            for piece in pieces:
                if isinstance(piece, int):
                    ids.append(piece)
                else:
                    ids += self.tokenizer.encode(_filled(piece, query, document), add_special=False)
            excess = len(ids) - self.context
            if excess <= 0:
                return TokenizedText(ids)
            # Tokens at the seam may come out otherwise: then once more.
            inside = self.tokenizer.encode(document, add_special=False)
            self._require(len(inside) - excess)
            document = self.tokenizer.decode(inside[:-excess])

    def _require(self, room: int) -> None:
        if room < 1:
            raise WgmlError(f"the query leaves no room for a document in the {self.context} tokens of both")

    @property
    def _around(self) -> tuple[list[int], list[int]]:
        """The tokens before and after every text."""
        tokenizer = self.tokenizer
        both = tokenizer.encode("")
        count = int(tokenizer.add_bos and tokenizer.bos_id is not None)
        return both[:count], both[count:]


def _filled(template: str, query: str, document: str) -> str:
    """The template with both where it names them; what they hold themselves stays as it is."""
    parts = (part.split("{document}") for part in template.split("{query}"))
    return query.join(document.join(part) for part in parts)
