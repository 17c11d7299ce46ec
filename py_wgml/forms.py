"""The form that an answer is asked for in: what is read into an automaton, once for each form, and kept."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .errors import WgmlError
from .generate import Constraint, Fitted, Prompt, TokenTexts
from .grammar.automaton import compile
from .grammar.nodes import Grammar, Sequence, literal, optional
from .tokenizer import Tokenizer
from .values import read_json, text, texts

_KEPT = 16  # automata, those used last


@dataclass(frozen=True)
class Form:
    """One of these, or none. schema: a JSON schema, as an object or as its text, or a type that one can be made of: a
    pydantic model, a dataclass, a TypedDict, or what `typing` has. regex: matches the whole answer. choices: texts of
    which it is one. grammar: GBNF, as llama.cpp has it, or an expression of `py_wgml.grammar`."""

    schema: Any = None
    regex: str | None = None
    choices: Iterable[str] | None = None
    grammar: str | Grammar | None = None

    @property
    def given(self) -> list[str]:
        """Which there are."""
        return [name for name, value in vars(self).items() if value is not None]

    def read(self, answer: str) -> Any:
        """The value that an answer in this form is: of a schema what the JSON says (a pydantic model, where that was
        asked for), else the text."""
        validate = getattr(self.schema, "model_validate_json", None)
        if callable(validate):
            return validate(answer)
        return answer if self.schema is None else read_json(answer)


class Forms:
    """What makes the Constraints of one model's answers."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._fitted: OrderedDict[Any, Fitted] = OrderedDict()
        self._texts: dict[frozenset[int], TokenTexts] = {}

    def constraint(self, form: Form, prompt: Prompt) -> Constraint | None:
        """The Constraint of an answer in `form`; None where there is none.

        Raises WgmlError for more than one form, one that can't be read or that no text fits, and where the answer that
        is to be gone on with does not begin so.
        """
        if not form.given:
            return None
        if len(form.given) > 1:
            raise WgmlError(f"an answer has one form, not several at once: {', '.join(form.given)}")
        key, read = _READERS[form.given[0]](form)
        # Space in front of the first token is no part of the text, where the vocabulary brings it.
        space = optional(literal(" ")) if self._tokenizer.space_prefix else Sequence()
        key = key, prompt.before, space
        if key not in self._fitted:
            grammar = read()
            automaton = compile(replace(grammar, root=Sequence((space, prompt.before, grammar.root))))
            self._fitted[key] = Fitted(automaton, self._token_texts(prompt.shown))
            if len(self._fitted) > _KEPT:
                self._fitted.popitem(last=False)
        self._fitted.move_to_end(key)
        return Constraint(self._fitted[key], prompt.begun)

    def _token_texts(self, shown: Container[int]) -> TokenTexts:
        key = frozenset(id for id in self._tokenizer.control.values() if id in shown)
        if key not in self._texts:
            self._texts[key] = TokenTexts(self._tokenizer, key)
        return self._texts[key]


Read = tuple[Any, Callable[[], Grammar]]  # what tells a form from others, and what reads it

# What reads a form is imported as it is asked for: most answers have none, and a page waits for what it loads.


def _schema(form: Form) -> Read:
    from .grammar.schema import schema
    from .grammar.types import of_type

    value = form.schema
    if not isinstance(value, Mapping | bool | str):
        value = of_type(value)
    return ("schema", value if isinstance(value, str) else json.dumps(value, default=repr)), lambda: schema(value)


def _regex(form: Form) -> Read:
    from .grammar.regex import regex

    pattern = text("regex", form.regex)
    return ("regex", pattern), lambda: Grammar(regex(pattern))


def _choices(form: Form) -> Read:
    from .grammar.schema import choices

    found = tuple(texts("choices", form.choices))
    return ("choices", found), lambda: Grammar(choices(found))


def _grammar(form: Form) -> Read:
    from .grammar.gbnf import gbnf

    if isinstance(form.grammar, Grammar):
        grammar = form.grammar
        return ("grammar", grammar.root, tuple(grammar.rules.items())), lambda: grammar
    written = text("grammar", form.grammar)
    return ("grammar", written), lambda: gbnf(written)


_READERS: dict[str, Callable[[Form], Read]] = {
    "schema": _schema,
    "regex": _regex,
    "choices": _choices,
    "grammar": _grammar,
}
