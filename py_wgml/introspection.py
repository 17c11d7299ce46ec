"""What a model has to be looked into, and to be changed while it runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import WgmlError
from .generate import Runner
from .models import FAMILIES
from .prompts import Message, Prompts
from .values import integer, integers
from .values import text as checked

# What looks is loaded when something is looked at.
if TYPE_CHECKING:
    from .generate.inspect import Dispatches, Inspection

_MOST_LIKELY = 1000  # tokens that are told of each position


class Introspection(ABC):
    """A part of Model."""

    _prompts: Prompts
    rewritten: str | None = None
    """What runs in the place of the family's text, if anything does."""

    @property
    @abstractmethod
    def runner(self) -> Runner:
        """What generates. Raises WgmlError for a model that embeds."""

    async def inspect(
        self,
        ids: Sequence[int],
        layer: int | None = None,
        head: int | None = None,
        top: int = 5,
        first: int = 0,
        end: int | None = None,
    ) -> Inspection:
        """Look inside: at each position of `ids`, or those first .. end, what the model holds likeliest to come next,
        how likely was what did come, and what attention weighs the positions by, of a head of a layer or all of them.

        It is processed as an answer is, with what the cache holds, which is kept: the next answer waits for nothing.
        Raises WgmlError where these are no ids of tokens or don't fit the context, for a layer without attention (named
        with those that have), and where there would be too much to keep.
        """
        from .generate.inspect import inspect

        runner = self.runner
        ids = integers("ids", ids, 0, runner.config.vocabulary - 1)
        if not ids:
            raise WgmlError("ids is empty: there is nothing to look at")
        layer = None if layer is None else integer("layer", layer, 0)
        head = None if head is None else integer("head", head, 0)
        if head is not None and layer is None:
            raise WgmlError("a head is one of a layer: which one?")
        end = len(ids) if end is None else integer("end", end, 1, len(ids))
        first = integer("first", first, 0, end - 1)
        top = integer("top", top, 1, min(_MOST_LIKELY, runner.config.vocabulary))
        return await inspect(
            runner, ids, layer, head, integer("top", top, 1, min(_MOST_LIKELY, runner.config.vocabulary)), first, end
        )

    async def profile_token(self) -> list[Dispatches]:
        """What the time of a token goes to on the GPU: its dispatches by kind. Raises WgmlError where this GPU has no
        clock that may be read."""
        from .generate.inspect import profile_token

        return await profile_token(self.runner)

    @property
    def source(self) -> str:
        """The Python of the model, whose `forward` makes its step: of its family, or as it was rewritten. Raises
        WgmlError where the package is compiled and has none."""
        from .models.rewritten import source_of

        return self.rewritten or source_of(self.family)

    @property
    def family(self) -> str:
        """What the file of the model's family in py_wgml/models is called, without its suffix."""
        return FAMILIES[self.runner.config.architecture]

    async def rewrite(self, text: str | None) -> None:
        """Run another `forward(g, c)` in the place of the family's, with the weights that are there: the text of a
        module, as `source` is. None: the family's own again. A step of it is tried first; on an error, the last one
        that worked stays. What was processed is forgotten.

        It runs the text: give it none that is not your own. Raises ForwardError with the traceback of what is wrong
        with it, also where it needs weights or memory that are not there.
        """
        from .models.rewritten import compiled

        if text is None:
            await self.runner.replace(None)
        else:
            await self.runner.replace(compiled(checked("text", text), self.family))
        self.rewritten = text

    def answered(
        self,
        messages: Iterable[Message],
        /,
        *,
        drop_oldest: bool = False,
        tools: Sequence[Mapping[str, Any]] | None = None,
        **variables: Any,
    ) -> tuple[list[int], int]:
        """The token ids of a conversation whose last message is the assistant's, as it was generated, and where among
        them that begins. (Its text is cut into tokens anew: where the model had written it in other ones, they differ.)

        The rest as for `prompt_text` and `generate`, and so are the errors raised.
        """
        return self._prompts.answered(messages, self.runner.context, {"tools": tools, **variables}, drop_oldest)
