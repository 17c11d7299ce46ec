"""What a model has to be looked into, and to be changed while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .errors import WgmlError
from .loaded import Loaded
from .values import integer, integers
from .values import text as checked

# What looks is loaded when something is looked at.
if TYPE_CHECKING:
    from .generate.inspect import Dispatches, Inspection

_MOST_LIKELY = 1000  # tokens that are told of each position


class Introspection(Loaded):
    """A part of Model."""

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
        self.runner.rewritten = text
