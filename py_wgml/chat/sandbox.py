"""A jinja2 environment for templates nobody vouches for: no access to Python, and bounded in time, in memory and in
what it computes.

jinja2's own sandbox keeps a template from attributes and from changing what it is given; it does not keep it from
running for ever or from filling the memory. There is no second thread and no signal in a web page to stop it with, so
the template stops itself. Four ideas do it:

- What a template may use is listed: tags, operators, filters, tests, functions, methods. All else is refused by name.
- Every value has a weight, its characters and elements, and no value weighs more than MAX_SIZE; what would is refused
  before it is made.
- Everything that a template does costs fuel: each step STEP, and what Python then does in one go as much as the values
  weigh that it looks at or makes. So a template stops at the same place on every machine. The clock is asked at each
  step as well, for machines that are slower than that.
- What it made is remembered, and now and then it is seen what of that it still holds: no more than half of MAX_HELD.

docs/families.md tells why it is not another engine, which counts fuel itself.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, wraps
from inspect import signature, unwrap
from itertools import chain
from string import Formatter
from time import monotonic
from traceback import clear_frames, walk_stack
from types import BuiltinMethodType, FunctionType, MethodType
from typing import Any, cast

from jinja2 import Template, nodes, pass_context
from jinja2.compiler import CodeGenerator, Frame, operators
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.ext import Extension
from jinja2.filters import FILTERS
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.tests import TESTS
from jinja2.utils import Cycler, Joiner, Namespace, missing

from ..values import MAX_BITS

MAX_SIZE = 2_000_000
"""The weight of any one value, and of the whole output."""
MAX_FUEL = 32 * MAX_SIZE
"""Of one rendering, beside what it is given times its messages: some templates add up one text, message by message."""
_ADDITIONS = 8  # of that text, for each message
_MOST_FUEL = 8 * MAX_FUEL
MAX_HELD = 32 * MAX_SIZE
"""Bytes of all values that were made and are not yet known to be let go. Half of them may be in use."""
_BYTES = 4  # of a unit of weight, about: of a wide character, a fourth of a place in a list with what is in it
STEP = 128
"""What a turn of a loop, a call, an operator costs: as long as they take, some hundred characters can be looked at."""
_MESSAGES = 250  # so many allow for as many steps again as no message does; further fuel is for text
_SHORT_BITS = 48
"""Of integers that are written with fewer characters than ELEMENT."""
_UNBOUND = 512
"""Characters of the longest float that has no width."""
_CONTAINER = STEP  # to look at one
ELEMENT = 16
"""The weight of an element of a container, and of anything else that is no text."""
_ENTRY = 128
"""Bytes that it takes to remember a value."""
MAX_DEPTH = 40
"""Of calls in calls, and of containers in containers."""

MAX_NAME = 100
"""Characters of what is missing that a message shows."""
MAX_PARTS = 20_000
"""Of a template's syntax: names, texts, marks. Elaborate templates have 5 thousand."""
MAX_TOKENS = 1000
"""Of them between one {{ or {% and its end: "1+1+1+..." makes a tree so deep that freeing it overflows a stack."""
MAX_BRANCHES = 500
"""Of `elif`: each is a level of the program that is made of a template."""
MAX_NESTING = 80
"""Of syntax in syntax."""
MAX_FRAMES = 300
"""Of Python, on a small stack, while a template is compiled or rendered; usual ones take 70."""
SMALL_STACK = sys.platform == "emscripten"
"""A browser's stack overflows before Python's own limit is reached, and that ends the interpreter."""

_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_SIZED: tuple[Any, ...] = (str, list, tuple, dict, set, frozenset, range, *_VIEWS)
_CONTAINERS: tuple[Any, ...] = (*_SIZED[1:], Namespace, Cycler, Joiner)
_FUNCTIONS = (Macro, LoopContext, FunctionType, MethodType, BuiltinMethodType)
"""They are called, and no more. No container may hold one: each holds values itself, and endlessly many in each
other overflow a stack."""


class LimitError(SecurityError):
    """A template asks for too much."""


class TimeError(LimitError):
    """Its time is over."""


class SizeError(LimitError):
    """A value weighs more than MAX_SIZE."""


class GivenError(LimitError):
    """What a template is given does: nothing was rendered."""


class _Missing(Undefined):
    """What is not there. jinja2's own holds what it is missing in, and so may hold endlessly many of its kind."""

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: Any = None, exc: Any = UndefinedError
    ) -> None:
        name = name[:MAX_NAME] if isinstance(name, str) else name if isinstance(name, int) else "this"
        super().__init__(hint, obj, name, exc)
        self._undefined_hint, self._undefined_obj = self._undefined_message, missing


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """An immutable sandbox that keeps to a time and to the sizes above. Used within limits() only."""

    _made: dict[int, tuple[Any, int]]
    """What was made, with how many bytes it takes, by its identity."""
    _held: int
    """Bytes of that."""
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})

    def __init__(self, **options: Any) -> None:
        """`options` are those of jinja2.Environment, but for `finalize`, `optimized` and `undefined`."""
        # Nothing is computed while a template is compiled: all of it is counted.
        finalize: Callable[..., str] = self._output
        super().__init__(finalize=finalize, optimized=False, undefined=_Missing, **options)
        self.undefined: Any = self._missed  # which counts, and makes one of the class above
        self.code_generator_class = _CountedCode
        self.add_extension(_ShortTags)
        self.filters = {}
        for name, cost in _FILTERS.items():
            self.add_filter(name, FILTERS[name], cost)
        self.tests = {name: self._counted_test(name, cost) for name, cost in _TESTS.items()}

        class CountedNamespace(Namespace):
            def __setitem__(namespace, name: str, value: Any) -> None:
                # A text was paid for when it was made, and is not copied.
                super().__setitem__(name, value if isinstance(value, str) else self.counted([value])[0])

        self.globals = {
            "range": safe_range,
            "cycler": lambda *items: Cycler(*items),  # classes have more to offer than to be called
            "joiner": lambda *separator: Joiner(*separator),
            "dict": self._dict,
            "namespace": lambda *given, **names: CountedNamespace(self._dict(*given, **names)),
        }

    @contextmanager
    def limits(self, seconds: float, fuel: int = MAX_FUEL) -> Iterator[None]:
        """Within it templates can be compiled or rendered, for this long and with so much fuel."""
        self._deadline = monotonic() + seconds
        self.fuel, self._step = fuel, STEP
        """What is left; of use when the limits are over, too."""
        self._depth = 0
        self._let_go()
        usual = sys.getrecursionlimit()
        if SMALL_STACK:
            sys.setrecursionlimit(min(usual, _frames() + MAX_FRAMES))
        try:
            yield
        finally:
            sys.setrecursionlimit(usual)
            self._deadline = 0.0
            self._let_go()

    def add_filter(self, name: str, filter: Callable[..., Any], cost: Cost) -> None:
        """Templates may use `filter`, at this cost."""
        passed = 1 if hasattr(filter, "jinja_pass_arg") else 0  # what jinja2 itself passes comes before the value
        named = signature(filter)
        if hasattr(unwrap(filter), "jinja_pass_arg"):
            named = named.replace(parameters=[*named.parameters.values()][1:])

        @wraps(filter)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.step()
            before, (value, *rest) = args[:passed], args[passed:]
            if isinstance(value, Iterator):  # it can be looked at only once
                value = self._taken(value)
            given: Sequence[Any] = rest
            if kwargs:  # a cost knows arguments by their places
                bound = named.bind(value, *rest, **kwargs)
                given = (*bound.args[1:], *bound.kwargs.values())
            cost(self, value, given)
            result = filter(*before, value, *rest, **kwargs)
            # Made at once: iterators over iterators over iterators would be endless work, and a stack that overflows.
            result = self._taken(result) if isinstance(result, Iterator) else result
            return result if cost is _nothing else self.made(result)

        self.filters[name] = counted

    def _counted_test(self, name: str, cost: Cost) -> Callable[..., Any]:
        test: Any = TESTS[name]

        @wraps(test)
        def counted(value: Any, *args: Any, **kwargs: Any) -> Any:
            self.step()
            cost(self, value, (*args, *kwargs.values()))
            return test(value, *args, **kwargs)

        return cast(Callable[..., Any], counted)

    def _missed(self, *args: Any, **names: Any) -> _Missing:
        self.step()  # to look in vain takes as long
        return _Missing(*args, **names)

    def _taken(self, values: Iterator[Any]) -> list[Any]:
        kept = []
        for value in values:
            self.step()
            kept.append(value)
            _check(ELEMENT * len(kept))
        return kept

    def _dict(self, given: Any = (), /, **names: Any) -> dict[Any, Any]:
        if not isinstance(given, dict):
            given = list(given)
            self.spend(len(given) ** 2)  # keys can be chosen so that each is compared with each
        return dict(given, **names)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        level: list[nodes.Node] = [tree]
        depth = 0
        while level:
            depth += 1
            if depth > MAX_NESTING:
                raise LimitError(f"line {level[0].lineno} is nested more than {MAX_NESTING} deep")
            for node in level:
                if not isinstance(node, _SYNTAX):
                    raise LimitError(f"line {node.lineno} uses {type(node).__name__}, which templates here may not")
            level = [child for node in level for child in node.iter_child_nodes()]
        return tree

    def render_bounded(self, template: Template, variables: dict[str, Any]) -> str:
        """What `template` makes of `variables`. Raises LimitError, or anything that the template raises."""
        try:
            given = self.weights(value for value in variables.values() if not isinstance(value, _FUNCTIONS))
        except SizeError:
            raise GivenError(f"more than {MAX_SIZE} characters") from None
        messages = len(variables.get("messages") or ())
        more = min(_ADDITIONS * given * messages, _MOST_FUEL)
        self.fuel += more
        self._step = max(STEP, int(STEP * (1 + more / MAX_FUEL) / (1 + messages / _MESSAGES)))
        try:  # without jinja2's own traceback, whose frames would hold what the template held
            return self.concat(template.root_render_func(template.new_context(variables)))
        except Exception as error:
            clear_frames(error.__traceback__)
            raise

    # Accounts.

    def spend(self, cost: int) -> None:
        """Raises LimitError when the fuel or the time is used up."""
        self.fuel -= cost
        if self.fuel < 0:
            raise LimitError("it takes too many steps, or makes too much on its way")
        if monotonic() > self._deadline:
            raise TimeError("it takes too long")

    def weight(self, value: Any) -> int:
        """Characters and elements in `value`, each as often as it can be reached: what printing it would cost. Raises
        LimitError where that is more than MAX_SIZE."""
        kind = _kind(type(value))
        if kind is str:
            size = len(value)
            return size if size <= MAX_SIZE else _check(size)
        if kind is None:
            bits = value.bit_length() if isinstance(value, int) else 0
            if bits > MAX_BITS:
                raise LimitError("it makes a number too large")
            return max(ELEMENT, bits + bits // 4)  # as "{:_b}" writes it
        size, depth, level = ELEMENT, 0, [value]
        while level:
            depth += 1
            if depth > MAX_DEPTH:
                raise LimitError("its containers are nested too deep")
            inner: list[Any] = []
            for container in level:
                self.spend(_CONTAINER)
                container = _held(container)
                size = _check(size + ELEMENT * len(container))
                if isinstance(container, range):
                    continue
                for item in chain(container, container.values()) if isinstance(container, dict) else container:
                    kind = _kind(type(item))
                    if kind is str:
                        size += len(item)
                    elif kind is list:
                        inner.append(item)
                    elif isinstance(item, int) and item.bit_length() > _SHORT_BITS:
                        size += item.bit_length() // 3
                _check(size + ELEMENT * len(inner))
            level = inner
        return size

    def weights(self, values: Iterable[Any]) -> int:
        """What all of them weigh."""
        return sum(map(self.weight, values))

    # What compiled templates call.

    def step(self) -> bool:
        """One step, of anything."""
        self.spend(self._step)
        return True

    def counted(self, value: Any) -> Any:
        """Gives back `value`, once it is known to be small enough and is paid for."""
        self.spend(self.weight(value))
        return value

    def made(self, value: Any) -> Any:
        """Gives back `value`, which is new, once it is paid for and there is room for it."""
        size = self.weight(value)
        self.spend(size)
        return self._kept(value, _BYTES * size)

    def _kept(self, value: Any, size: int) -> Any:
        """Gives back `value`, which takes `size` bytes; of a text it is known. Raises LimitError where too much is in
        use."""
        if id(value) not in self._made:
            size = _ENTRY + (sys.getsizeof(value) if isinstance(value, str) else size)
            self._made[id(value)] = value, size
            self._held += size
            if self._held > MAX_HELD:
                self._sweep()
        return value

    def _sweep(self) -> None:
        made = list(self._made.values())
        self._let_go()
        held = []
        while made:  # the newest first: it may hold older ones
            value, size = made.pop()
            if sys.getrefcount(value) > 2:  # this name, and what is asked
                held.append((value, size))
                self._held += size
        if self._held > MAX_HELD // 2:
            raise LimitError("it keeps too much at once")
        self._made = {id(pair[0]): pair for pair in reversed(held)}

    def _let_go(self) -> None:
        self._made = {}
        self._held = 0

    def sliced(self, value: Any, part: slice) -> Any:
        """The operator [:]."""
        made = value[part]
        size = len(made) * (1 if isinstance(made, str) else ELEMENT)
        self.spend(self._step + size)
        return self._kept(made, size)

    def concat(self, pieces: Iterable[str]) -> str:
        """Joins what a block, a macro or the template has written."""
        kept, size = [], 0
        for piece in pieces:
            size = _check(size + len(piece))
            self.spend(ELEMENT + len(piece))
            kept.append(piece)
        return cast(str, self._kept("".join(kept), size))

    def joined(self, values: Sequence[Any]) -> str:
        """The operator `~`."""
        self.spend(self._step + self.weights(value for value in values if not isinstance(value, str)))
        return self.concat(map(str, values))

    def getitem(self, obj: Any, argument: Any) -> Any:
        """The operator []."""
        if isinstance(argument, tuple):
            self.counted(argument)  # all of it is hashed
        return super().getitem(obj, argument)

    def call(self, context: Context, callee: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Every call in a template."""
        self.step()
        if self._depth >= MAX_DEPTH:
            raise LimitError("its calls are nested too deep")
        self._depth += 1
        try:
            if isinstance(callee, Macro | LoopContext):  # what they do is counted where they do it
                return super().call(context, callee, *args, **kwargs)
            owner = getattr(callee, "__self__", None)
            cost = _methods(owner).get(getattr(callee, "__name__", ""))
            if cost is None:
                owner, cost = None, _whole
            cost(self, owner, (*args, *kwargs.values()))
            result = super().call(context, callee, *args, **kwargs)
            return result if cost in (_nothing, _given) else self.made(result)
        finally:
            self._depth -= 1

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Every operator that computes."""
        self.step()
        _operands(self, operator, left, right)
        return self.made(super().call_binop(context, operator, left, right))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """What the tables name, and what a namespace holds."""
        if isinstance(obj, Namespace):
            return not attr.startswith("_")
        return attr in _methods(obj)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """The sandbox's own str.format, without endless fields; format_map is refused like other methods."""
        wrapped = super().wrap_str_format(value)
        if wrapped is None or value.__name__ != "format":
            return None

        def bounded(*args: Any, **kwargs: Any) -> str:
            _fields(self, value.__self__, "{", [*args, *kwargs.values()])
            return wrapped(*args, **kwargs)

        return bounded

    @pass_context  # which keeps jinja2 from doing it once and for all while it compiles
    def _output(self, context: Context, value: Any) -> str:
        """Every value written out (jinja2's `finalize`)."""
        self.spend(self._step + self.weight(value))
        return value if isinstance(value, str) else cast(str, self._kept(str(value), 0))


# What things cost, and what of them is refused: each is called with the environment, the value and all other arguments
# before anything is made.

Cost = Callable[[BoundedEnvironment, Any, Sequence[Any]], object]


def _nothing(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """Its result is something that was there before."""


def _given(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """So is its result, but it looks at all its other arguments."""
    env.spend(env.weights(given))


def _whole(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """It looks at all that it is given."""
    env.spend(env.weight(value) + env.weights(given))


def _each(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """It looks at its arguments for each element or character of the value."""
    _whole(env, value, given)
    env.spend(_length(value) * env.weights(text for text in given if isinstance(text, str)) // ELEMENT)


def _slow(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """Each character is looked at in Python, not in C."""
    env.spend(ELEMENT * _length(value))
    _each(env, value, given)


def _listed(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """Characters of a text become elements too."""
    _check(ELEMENT * _length(value))
    _whole(env, value, given)


def _split(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """The method: what stands between separators, or between white space."""
    _whole(env, value, given)
    separator, *most = given or (None,)
    parts = value.count(separator) if isinstance(separator, str) else 0
    if separator is None:
        parts = len(value.split(None, MAX_SIZE // ELEMENT))  # no more than it takes to know that they are too many
    if most and isinstance(most[0], int) and most[0] >= 0:
        parts = min(parts, most[0])
    _check(ELEMENT * parts)


def _rsplit(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    _split(env, value, given)
    _each(env, value, given)


def _split_lines(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    _check(ELEMENT * _lines(value))
    _whole(env, value, given)


def _sorted(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    _check(ELEMENT * _length(value))
    env.spend(env.weight(value) * 20)  # there are no more than 2 ** 20 elements
    _each(env, value, given)


def _unique(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    env.spend(_length(value) ** 2)  # as for dict()
    _each(env, value, given)


def _summed(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    if not all(isinstance(item, int | float | str) for item in given):
        raise LimitError("it sums what are no numbers")
    _each(env, value, given)


def _widths(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """Integers are lengths of what is made."""
    _whole(env, value, given)
    env.spend(sum(_check(ELEMENT * abs(number)) for number in given if isinstance(number, int)))


def _rounded(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    if not isinstance(value, int | float):  # a text would be multiplied
        raise LimitError("it rounds what is no number")
    if any(isinstance(number, int) and abs(number) > MAX_BITS for number in given):
        raise LimitError("it makes a number too large")


def _divided(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    if not all(isinstance(number, int | float) for number in (value, *given)):  # % would be a format
        raise LimitError("it divides what is no number")
    _whole(env, value, given)


def _replaced(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    _whole(env, value, given)
    if not 2 <= len(given) <= 3:
        return  # Python refuses it
    text, old, new = str(value), str(given[0]), str(given[1])
    times = text.count(old)
    if len(given) == 3 and isinstance(given[2], int) and given[2] >= 0:
        times = min(times, given[2])
    env.spend(_check(len(text) + times * len(new)))


def _joined(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """The filter: elements, then the separator."""
    _check(ELEMENT * _length(value))
    separator = max(map(env.weight, given), default=0)
    env.spend(_check(env.weight(value) + _length(value) * separator))


def _str_joined(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """The method: the separator, then elements."""
    for items in given:
        _joined(env, items, (value,))


def _indented(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    width = max((len(item) if isinstance(item, str) else int(item) for item in given), default=4)
    size = env.weight(value)
    env.spend(size)
    env.spend(_check(size + _lines(str(value)) * (ELEMENT + max(4, width))))


def _formatted(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    env.spend(env.weight(value))
    _fields(env, str(value), "%", given)


def serialised(env: BoundedEnvironment, value: Any, given: Sequence[Any]) -> None:
    """The cost of JSON: an indentation and separators for each element."""
    env.spend(env.weights(given))
    parts = chain.from_iterable(item if isinstance(item, list | tuple) else (item,) for item in given)
    around = sum(item if isinstance(item, int) else len(str(item)) for item in parts if item is not None)
    env.spend(_check(env.weight(value) * max(1, around)))


def _kind_of(given: type) -> type | None:
    """str: its values have characters, list: elements, None: neither."""
    if issubclass(given, _FUNCTIONS):
        raise LimitError("it takes a function for a value")
    return str if issubclass(given, str) else list if issubclass(given, _CONTAINERS) else None


_kind = cast(Callable[[type], type | None], cache(_kind_of))


def _held(container: Any) -> Any:
    """What is in one of _CONTAINERS, as one of Python's own."""
    if issubclass(type(container), Namespace):  # isinstance() would ask the namespace, which takes long
        return object.__getattribute__(container, "_Namespace__attrs")
    if isinstance(container, Cycler):
        return container.items
    return [container.sep] if isinstance(container, Joiner) else container


def _lines(text: str) -> int:
    """How many lines a text has at most, as Python counts them."""
    return 1 + sum(map(text.count, "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"))


def _length(value: Any) -> int:
    return len(value) if isinstance(value, _SIZED) else 1


def _fields(env: BoundedEnvironment, template: str, mark: str, values: Iterable[Any]) -> None:
    """A format string: no widths that are computed, and all fields at their widest not too large."""
    # In names of fields there may be braces too: what is a width only the parser knows.
    if "*" in template if mark == "%" else any("{" in (spec or "") for _, _, spec, _ in Formatter().parse(template)):
        raise LimitError("it computes the width of a field")
    widths = [int(width) if len(width) < 9 else MAX_SIZE + 1 for width in re.findall(r"\d+", template)]
    longest = max(map(env.weight, values), default=0)
    env.spend(_check(len(template) + template.count(mark) * max(_UNBOUND, longest, *widths)))


def _operands(env: BoundedEnvironment, operator: str, left: Any, right: Any) -> None:
    if operator == "+" and isinstance(left, str | list | tuple):
        _check(env.weight(left) + env.weight(right))
        if isinstance(left, str):
            return  # all that is done is to copy it, for which the text that is made pays
    env.spend(env.weight(left) + env.weight(right))
    if operator == "%":
        if isinstance(left, str):
            _fields(env, left, "%", right if isinstance(right, tuple) else (right,))
    elif operator in ("*", "**"):
        if isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length(), right.bit_length()
            if (sum(bits) if operator == "*" else bits[0] * abs(right)) > MAX_BITS:
                raise LimitError("it makes a number too large")
        elif operator == "*":
            for value, times in ((left, right), (right, left)):
                if isinstance(times, int):
                    _check(env.weight(value) * times)


def _check(size: int) -> int:
    if size > MAX_SIZE:
        raise SizeError(f"it makes more than {MAX_SIZE} characters at once")
    return size


def _methods(value: Any) -> dict[str, Cost]:
    """What templates may use of a value, and what that costs."""
    return next((names for types, names in _METHODS if isinstance(value, types)), {})


def _frames() -> int:
    """How many Python frames are in use."""
    return sum(1 for _ in walk_stack(None))


# What templates may use. The templates of the most used models, Hugging Face's documentation of chat templates and
# llama.cpp's collection of them need less.


def _table(*rows: tuple[Cost, str]) -> dict[str, Cost]:
    return {name: cost for cost, names in rows for name in names.split()}


_FILTERS = _table(
    (_nothing, "abs count d default first last length"),
    (_whole, "capitalize e escape float forceescape int items lower reverse safe string truncate upper"),
    (_listed, "list"),
    (_slow, "max min title"),
    (_each, "map reject rejectattr select selectattr trim"),
    (_sorted, "dictsort groupby sort"),
    (_unique, "unique"),
    (_summed, "sum"),
    (_widths, "batch slice"),
    (_rounded, "round"),
    (_replaced, "replace"),
    (_joined, "join"),
    (_indented, "indent"),
    (_formatted, "format"),
)
_TESTS = _table(
    (_nothing, "boolean defined false float integer iterable mapping none number sameas sequence string true"),
    (_nothing, "callable undefined"),
    (_whole, "eq equalto == ne != lt lessthan < le <= gt greaterthan > ge >= in lower upper"),
    (_divided, "divisibleby even odd"),
)
_METHODS: tuple[tuple[type | tuple[type, ...], dict[str, Cost]], ...] = (
    (
        str,
        _table(
            (_whole, "capitalize count endswith find format index isalnum isalpha isascii isdecimal isdigit islower"),
            (_whole, "isnumeric isspace istitle isupper lower partition removeprefix removesuffix"),
            (_whole, "startswith swapcase title upper"),
            (_split, "split"),
            (_rsplit, "rsplit"),
            (_split_lines, "splitlines"),
            (_each, "lstrip rfind rindex rpartition rstrip strip"),  # each character is compared with each
            (_widths, "center ljust rjust zfill"),
            (_replaced, "replace"),
            (_str_joined, "join"),
        ),
    ),
    (dict, _table((_nothing, "items keys values"), (_given, "get"), (_whole, "copy"))),
    ((list, tuple), _table((_whole, "copy count index"))),
    (Cycler, _table((_nothing, "current next reset"))),
    (
        LoopContext,
        _table((_nothing, "cycle depth depth0 first index index0 last length nextitem previtem revindex revindex0")),
    ),
)
"""And other attributes: all other values have none."""
_SYNTAX = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Break, nodes.Continue, nodes.With),
    *(nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.Assign, nodes.AssignBlock, nodes.Scope),
    *(nodes.Name, nodes.NSRef, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword),
    *(nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem, nodes.Getattr, nodes.Slice, nodes.Concat),
    *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow),
)
"""No other files, no blocks to be extended, no automatic escaping."""


class _ShortTags(Extension):
    """Refuses endless source before a tree is made of it."""

    environment: BoundedEnvironment

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Every token of a template passes through here on its way to the parser."""
        length = branches = 0
        for parts, token in enumerate(stream):
            self.environment.step()
            if parts > MAX_PARTS:
                raise LimitError(f"it has more than {MAX_PARTS} parts")
            branches += token.test("name:elif")
            if branches > MAX_BRANCHES:
                raise LimitError(f"line {token.lineno} has more than {MAX_BRANCHES} branches of if")
            length = 0 if token.type in ("data", "variable_begin", "block_begin") else length + 1
            if length > MAX_TOKENS:
                raise LimitError(f"line {token.lineno} has an expression of more than {MAX_TOKENS} parts")
            yield token


class _CountedCode(CodeGenerator):
    """Compiles templates to code that calls back where something can repeat or grow without a call or a filter."""

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        step = nodes.EnvironmentAttribute("step()", lineno=node.lineno)
        node.body.insert(0, nodes.ExprStmt(step, lineno=node.lineno))
        if node.test is not None:
            node.test = nodes.And(step, node.test, lineno=node.lineno)
        super().visit_For(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.joined((")
        for value in node.nodes:
            self.visit(value, frame)
            self.write(", ")
        self.write("))")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        # What equals a constant is no longer than that: Python looks no further.
        values = [node.expr, *(operand.expr for operand in node.ops)]
        is_equality = len(node.ops) == 1 and node.ops[0].op in ("eq", "ne")
        is_short = is_equality and any(isinstance(value, nodes.Const) for value in values)
        for value, operator in zip(values, ["(", *(f" {operators[operand.op]} " for operand in node.ops)], strict=True):
            self.write(operator)
            self.write("(" if is_short or isinstance(value, nodes.Const) else "environment.counted(")
            self.visit(value, frame)
            self.write(")")
        self.write(")")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        part = node.arg
        if not isinstance(part, nodes.Slice):
            super().visit_Getitem(node, frame)
            return
        self.write("environment.sliced(")
        self.visit(node.node, frame)
        self.write(", slice(")
        for end in (part.start, part.stop, part.step):
            self.visit(nodes.Const(None) if end is None else end, frame)
            self.write(", ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:
        self.write("environment.made(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:
        self.write("environment.made(")
        super().visit_Dict(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:
        if node.ctx == "load":
            self.write("environment.made(")
        super().visit_Tuple(node, frame)
        if node.ctx == "load":
            self.write(")")
