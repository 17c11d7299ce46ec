"""A jinja2 environment for templates nobody vouches for: no access to Python, and bounded in time, in memory and in
what it computes.

jinja2's own sandbox keeps a template from attributes and from changing what it is given; it does not keep it from
running for ever or from filling the memory. There is no second thread and no signal in a web page to stop it with, so
the template stops itself: the compiled code calls back at every turn of a loop, call, filter, operator, container and
output, and each of these looks at the clock and refuses to make more than MAX_SIZE. What Python does in one go, it then
does to values of that size at most.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from time import monotonic
from traceback import walk_stack
from typing import Any, cast

from jinja2 import Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler

MAX_SIZE = 2_000_000
"""Of any one value and of the whole output: characters and elements of containers, counted together."""
MAX_TOTAL = 32 * MAX_SIZE
"""Of all the text that one rendering makes on its way, beside what it is given times its messages: some templates add
up one text, message by message."""
_ADDITIONS = 8  # of that text, for each message
MAX_DEPTH = 40
"""Of calls in calls, and of containers in containers."""
MAX_TOKENS = 1000
"""Of the template language, between one {{ or {% and its end."""
MAX_FRAMES = 300
"""Of Python, on a small stack, while a template is compiled or rendered; usual ones take 70."""
SMALL_STACK = sys.platform == "emscripten"
"""A browser's stack overflows before Python's own limit is reached, and that ends the interpreter."""
MAX_BITS = 4096
"""Of integers."""
MAX_COUNT = 100_000
"""Of any width, length or number that a filter is given."""

# They take quadratic time, or make text without end, and no chat template has a use for them.
_FILTERS_LEFT_OUT = ("urlize", "wordwrap", "xmlattr", "striptags", "random", "pprint")
_GLOBALS_LEFT_OUT = ("lipsum",)
_ANY_NUMBER = ("default", "d")  # filters to which a number is a value
_STR_METHODS = """capitalize casefold center count endswith expandtabs find format index isalnum isalpha isascii
isdecimal isdigit islower isnumeric isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix
replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill"""
# What templates may call of Python's own values: numbers, bytes and whatever else they come by have nothing to call.
_METHODS: tuple[tuple[tuple[type, ...], frozenset[str]], ...] = (
    ((str,), frozenset(_STR_METHODS.split())),
    ((dict,), frozenset({"copy", "get", "items", "keys", "values"})),
    ((list, tuple), frozenset({"copy", "count", "index"})),
    ((Cycler,), frozenset({"current", "next", "reset"})),
    ((int, float, complex, bytes, bytearray, memoryview, set, frozenset, range), frozenset()),
)
_SLOW_METHODS = ("rfind", "rindex", "rsplit", "rpartition", "strip", "lstrip", "rstrip")
"""They compare every character with every one of their argument."""
MAX_WORK = 10_000_000
"""Of such comparisons."""
MAX_BRANCHES = 500
"""Of `elif`: each is a level of the program that is made of a template."""
_CONTAINERS = (list, tuple, dict, set, frozenset)


class LimitError(SecurityError):
    """A template asks for too much."""


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """An immutable sandbox that keeps to a time and to the sizes above. Used within limits() only."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, **options: Any) -> None:
        """`options` are those of jinja2.Environment, but for `finalize`."""
        super().__init__(finalize=self._output, **options)
        self.code_generator_class = _WatchedCode
        self.add_extension(_ShortTags)
        for name in _FILTERS_LEFT_OUT:
            del self.filters[name]
        for name in _GLOBALS_LEFT_OUT:
            del self.globals[name]
        for name, filter in self.filters.items():
            self.filters[name] = self.bounded_filter(name, filter)
        for name, test in self.tests.items():
            self.tests[name] = self._watched(cast(Callable[..., Any], test))

    @contextmanager
    def limits(self, seconds: float, total: int = MAX_TOTAL) -> Iterator[None]:
        """Within it templates can be compiled or rendered, for this long, with the sizes above and `total` for the one
        of all text."""
        self._deadline = monotonic() + seconds
        self._spent, self._total = 0, total
        self._depth = 0
        usual = sys.getrecursionlimit()
        if SMALL_STACK:
            sys.setrecursionlimit(min(usual, _frames() + MAX_FRAMES))
        try:
            yield
        finally:
            sys.setrecursionlimit(usual)
            self._deadline = 0.0

    def bounded_filter(self, name: str, filter: Callable[..., Any]) -> Callable[..., Any]:
        """The filter `filter`, with its arguments and its result checked. Those of jinja2 are so from the beginning."""
        given = 1 if hasattr(filter, "jinja_pass_arg") else 0  # what jinja2 itself passes comes before the value

        @wraps(filter)
        def bounded(*args: Any, **kwargs: Any) -> Any:
            self.tick()
            passed, (value, *rest) = args[:given], args[given:]
            if name == "join":
                value = list(value)
            self._check_filter(name, value, rest, kwargs)
            result = filter(*passed, value, *rest, **kwargs)
            # Made at once: iterators over iterators over iterators would be endless work, and a stack that overflows.
            return self.bounded(self._taken(result) if isinstance(result, Iterator) else result)

        return bounded

    def _taken(self, values: Iterator[Any]) -> list[Any]:
        kept = []
        for value in values:
            self.tick()
            kept.append(value)
            _check(len(kept))
        return kept

    def _watched(self, test: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(test)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.tick()
            return test(*args, **kwargs)

        return watched

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Of Python's own values what _METHODS names, of jinja2's what jinja2 itself takes for safe."""
        for types, names in _METHODS:
            if isinstance(obj, types):
                return attr in names
        return super().is_safe_attribute(obj, attr, value)

    def render_bounded(self, template: Template, variables: dict[str, Any]) -> str:
        """What `template` makes of `variables`. Raises LimitError, or anything that the template raises."""
        given = sum(self._weight(value) for value in variables.values())
        self._total += _ADDITIONS * given * len(variables.get("messages") or ())
        return template.render(variables)

    # What compiled templates call.

    def tick(self) -> None:
        """Raises LimitError when the time is over."""
        if monotonic() > self._deadline:
            raise LimitError("it takes too long")

    def bounded(self, value: Any) -> Any:
        """Gives back `value`, once it is known to be small enough."""
        self.tick()
        size = self._weight(value)
        if isinstance(value, str | bytes):
            self._spend(size)
        return value

    def concat(self, pieces: Iterable[str]) -> str:
        """Joins what a block, a macro or the template has written."""
        kept, size = [], 0
        for piece in pieces:
            self.tick()
            size += len(piece)
            _check(size)
            kept.append(piece)
        self._spend(size)
        return "".join(kept)

    def joined(self, values: Sequence[Any]) -> str:
        """The operator `~`."""
        for value in values:
            self._weight(value)
        return self.concat(map(str, values))

    def call(self, context: Context, callee: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Every call in a template."""
        self.tick()
        owner = getattr(callee, "__self__", None)
        if isinstance(owner, str):
            args = self._check_str_method(callee.__name__, owner, args, kwargs)
        if self._depth >= MAX_DEPTH:
            raise LimitError("its calls are nested too deep")
        self._depth += 1
        try:
            return self.bounded(super().call(context, callee, *args, **kwargs))
        finally:
            self._depth -= 1

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """The operators in `intercepted_binops`."""
        self._check_operands(operator, left, right)
        return self.bounded(super().call_binop(context, operator, left, right))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """The sandbox's own str.format and str.format_map, without endless fields."""
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None

        def bounded(*args: Any, **kwargs: Any) -> str:
            self._check_format(value.__self__, "{", [*args, *kwargs.values()])
            return wrapped(*args, **kwargs)

        return bounded

    def _output(self, value: Any) -> str:
        """Every value written out (jinja2's `finalize`)."""
        self.tick()
        text = value if isinstance(value, str) else str(value)
        self._spend(len(text))
        return text

    # Accounts. Each check happens before the value is made.

    def _spend(self, size: int) -> None:
        self._spent += size
        if self._spent > self._total:
            raise LimitError(f"it makes more than {self._total} characters on its way")

    def _weight(self, value: Any) -> int:
        """Characters and elements in `value`, each as often as it can be reached: what printing it would cost."""
        if isinstance(value, str | bytes):
            _check(len(value))
            return len(value)
        if not isinstance(value, _CONTAINERS):
            return 1
        size, depth, level = 0, 0, [value]
        while level:
            depth += 1
            if depth > MAX_DEPTH:
                raise LimitError("its containers are nested too deep")
            inner: list[Any] = []
            for container in level:
                self.tick()
                size += len(container)
                for part in (container, container.values()) if isinstance(container, dict) else (container,):
                    for item in part:
                        if isinstance(item, str):
                            size += len(item)
                        elif isinstance(item, _CONTAINERS):
                            inner.append(item)
                _check(size + len(inner))
            level = inner
        return size

    def _check_operands(self, operator: str, left: Any, right: Any) -> None:
        if operator == "%":
            if isinstance(left, str | bytes):
                values = right if isinstance(right, tuple) else (right,)
                self._check_format(left if isinstance(left, str) else left.decode("latin-1"), "%", values)
        elif operator == "+":
            if isinstance(left, str | bytes | list | tuple):
                _check(len(left) + self._weight(right))
        elif isinstance(left, int) and isinstance(right, int):
            if (_bits(left) + _bits(right) if operator == "*" else _bits(left) * abs(right)) > MAX_BITS:
                raise LimitError("it makes a number too large")
        elif operator == "*":
            for value, times in ((left, right), (right, left)):
                if isinstance(times, int):
                    _check(self._weight(value) * times)

    def _check_format(self, template: str, mark: str, values: Iterable[Any]) -> None:
        """A format string: no widths that are computed, and all fields at their widest not too large."""
        if "*" in template if mark == "%" else re.search(r"\{[^{}]*\{[^{]", template.replace("{{", "")):
            raise LimitError("it computes the width of a field")
        widths = [int(width) if len(width) < 9 else MAX_SIZE + 1 for width in re.findall(r"\d+", template)]
        longest = max(map(self._weight, values), default=0)
        # 400 is what the longest number takes that has no width.
        _check(len(template) + template.count(mark) * max(400, longest, *widths))

    def _check_str_method(self, name: str, text: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Gives back the arguments: an iterator can be looked at only once."""
        given = [*args, *kwargs.values()]
        numbers = [value for value in given if isinstance(value, int)]
        if name in _SLOW_METHODS and any(
            isinstance(value, str) and len(text) * len(value) > MAX_WORK for value in given
        ):
            raise LimitError(f"it uses str.{name} on too long a text")
        if name in ("ljust", "rjust", "center", "zfill"):
            _check(max(numbers, default=0))
        elif name == "expandtabs":
            _check(len(text) + text.count("\t") * max(numbers, default=8))
        elif name == "replace":
            _check_replace(text, given)
        elif name == "join" and args:
            args = (list(args[0]),)
            _check(sum(self._weight(item) + len(text) for item in args[0]))
        return args

    def _check_filter(self, name: str, value: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        given = [*args, *kwargs.values()]
        if name not in _ANY_NUMBER:
            for number in given:
                if isinstance(number, int) and abs(number) > MAX_COUNT:
                    raise LimitError(f"it gives the filter {name} the number {number}")
        if name == "replace":
            _check_replace(str(value), given)
        elif name == "join":
            separator = given[0] if given else ""
            _check(sum(self._weight(item) + len(str(separator)) for item in value))
        elif name == "indent":
            width = (*args, kwargs.get("width", 4))[0]
            _check((str(value).count("\n") + 1) * (len(width) if isinstance(width, str) else int(width)))
        elif name == "format":
            self._check_format(str(value), "%", given)
        elif name == "sum":
            start = kwargs.get("start", args[1] if len(args) > 1 else 0)
            if not isinstance(start, int | float):
                raise LimitError("it sums what are no numbers")
        elif name == "tojson":
            indent = kwargs.get("indent") or 0
            separators = sum(len(str(text)) for text in kwargs.get("separators") or ())
            width = indent if isinstance(indent, int) else len(str(indent))
            _check(self._weight(value) * max(1, width + separators))


class _ShortTags(Extension):
    """Refuses endless expressions and branches of if: "1+1+1+..." makes a tree so deep that freeing it
    overflows a browser's stack."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Every token of a template passes through here on its way to the parser."""
        length = branches = 0
        for token in stream:
            branches += token.test("name:elif")
            if branches > MAX_BRANCHES:
                raise LimitError(f"line {token.lineno} has more than {MAX_BRANCHES} branches of if")
            length = 0 if token.type in ("data", "variable_begin", "block_begin") else length + 1
            if length > MAX_TOKENS:
                raise LimitError(f"line {token.lineno} has an expression of more than {MAX_TOKENS} parts")
            yield token


class _WatchedCode(CodeGenerator):
    """Compiles templates to code that calls back where something can repeat or grow without a call or a filter."""

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        turn = nodes.Call(nodes.EnvironmentAttribute("tick"), [], [], None, None)
        node.body.insert(0, nodes.ExprStmt(turn, lineno=node.lineno))
        super().visit_For(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.joined((")
        for value in node.nodes:
            self.visit(value, frame)
            self.write(", ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:
        self.write("environment.bounded(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:
        self.write("environment.bounded(")
        super().visit_Dict(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:
        if node.ctx == "load":
            self.write("environment.bounded(")
        super().visit_Tuple(node, frame)
        if node.ctx == "load":
            self.write(")")


def _frames() -> int:
    """How many Python frames are in use."""
    return sum(1 for _ in walk_stack(None))


def _check(size: int) -> None:
    if size > MAX_SIZE:
        raise LimitError(f"it makes more than {MAX_SIZE} characters at once")


def _bits(number: int) -> int:
    return number.bit_length()


def _check_replace(text: str, given: Sequence[Any]) -> None:
    old, new, *count = given if len(given) > 1 else (None, None)
    if isinstance(old, str) and isinstance(new, str):  # Python refuses the rest
        times = text.count(old)
        if count and isinstance(count[0], int) and count[0] >= 0:
            times = min(times, count[0])
        _check(len(text) + times * len(new))
