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

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib.metadata import version
from inspect import signature, unwrap
from itertools import chain
from time import monotonic
from traceback import clear_frames, walk_stack
from typing import Any, cast

from jinja2 import Template, nodes, pass_context
from jinja2 import filters as jinja2_filters
from jinja2 import tests as jinja2_tests
from jinja2.exceptions import UndefinedError
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import Cycler, Joiner, Namespace, missing

from ..errors import WgmlError
from ..values import MAX_BITS
from . import costs
from .costs import Cost, fields, given_alone, methods_of, nothing, operands, whole
from .limits import (
    ADDITIONS,
    BYTES,
    CONTAINER,
    ELEMENT,
    ENTRY,
    FUNCTIONS,
    MAX_DEPTH,
    MAX_FRAMES,
    MAX_FUEL,
    MAX_HELD,
    MAX_NAME,
    MAX_NESTING,
    MAX_SIZE,
    MESSAGES,
    MOST_FUEL,
    SHORT_BITS,
    SMALL_STACK,
    STEP,
    GivenError,
    LimitError,
    SizeError,
    TimeError,
    check,
    contents,
    kind_of,
)
from .syntax import SYNTAX, CountedCode, ShortTags

OLDEST = [3, 1, 6]
"""The first jinja2 whose sandbox holds. What this package asks for, a notebook's host may pass over."""


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
    _bytes_held: int
    """Bytes of that."""
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "**", "%"})

    def __init__(self, **options: Any) -> None:
        """`options` are those of jinja2.Environment, but for `finalize`, `optimized` and `undefined`."""
        have = version("jinja2")
        if [int(part) for part in have.split(".")[:3] if part.isdecimal()] < OLDEST:
            raise WgmlError(f"jinja2 {have} is too old: templates can get out of its sandbox; install 3.1.6 or newer")
        # Nothing is computed while a template is compiled: all of it is counted.
        finalize: Callable[..., str] = self._output
        super().__init__(finalize=finalize, optimized=False, undefined=_Missing, **options)
        self.undefined: Any = self._missed  # which counts, and makes one of the class above
        self.code_generator_class = CountedCode
        self.add_extension(ShortTags)
        self.filters = {}
        for name, cost in costs.FILTERS.items():
            self.add_filter(name, jinja2_filters.FILTERS[name], cost)
        self.tests = {name: self._counted_test(name, cost) for name, cost in costs.TESTS.items()}

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
            return result if cost is nothing else self.made(result)

        self.filters[name] = counted

    def _counted_test(self, name: str, cost: Cost) -> Callable[..., Any]:
        test: Any = jinja2_tests.TESTS[name]

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
            check(ELEMENT * len(kept))
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
                if not isinstance(node, SYNTAX):
                    raise LimitError(f"line {node.lineno} uses {type(node).__name__}, which templates here may not")
            level = [child for node in level for child in node.iter_child_nodes()]
        return tree

    def render_bounded(self, template: Template, variables: dict[str, Any]) -> str:
        """What `template` makes of `variables`. Raises LimitError, or anything that the template raises."""
        try:
            given = self.weights(value for value in variables.values() if not isinstance(value, FUNCTIONS))
        except SizeError:
            raise GivenError(f"more than {MAX_SIZE} characters") from None
        messages = len(variables.get("messages") or ())
        extra = min(ADDITIONS * given * messages, MOST_FUEL)
        self.fuel += extra
        self._step = max(STEP, int(STEP * (1 + extra / MAX_FUEL) / (1 + messages / MESSAGES)))
        try:  # without jinja2's own traceback, whose frames would hold what the template held
            return self.concat(template.root_render_func(template.new_context(variables)))
        except Exception as error:
            clear_frames(error.__traceback__)
            raise

    # Accounts.

    def spend(self, cost: int) -> None:
        """Account for work. Raises LimitError when the fuel or the time is used up."""
        self.fuel -= cost
        if self.fuel < 0:
            raise LimitError("it takes too many steps, or makes too much on its way")
        if monotonic() > self._deadline:
            raise TimeError("it takes too long")

    def weight(self, value: Any) -> int:
        """Characters and elements in `value`, each as often as it can be reached: what printing it would cost. Raises
        LimitError where that is more than MAX_SIZE."""
        kind = kind_of(type(value))
        if kind is str:
            size = len(value)
            return size if size <= MAX_SIZE else check(size)
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
                self.spend(CONTAINER)
                container = contents(container)
                size = check(size + ELEMENT * len(container))
                if isinstance(container, range):
                    continue
                for item in chain(container, container.values()) if isinstance(container, dict) else container:
                    kind = kind_of(type(item))
                    if kind is str:
                        size += len(item)
                    elif kind is list:
                        inner.append(item)
                    elif isinstance(item, int) and item.bit_length() > SHORT_BITS:
                        size += item.bit_length() // 3
                check(size + ELEMENT * len(inner))
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
        return self._kept(value, BYTES * size)

    def _kept(self, value: Any, size: int) -> Any:
        """Gives back `value`, which takes `size` bytes; of a text it is known. Raises LimitError where too much is in
        use."""
        if id(value) not in self._made:
            size = ENTRY + (sys.getsizeof(value) if isinstance(value, str) else size)
            self._made[id(value)] = value, size
            self._bytes_held += size
            if self._bytes_held > MAX_HELD:
                self._sweep()
        return value

    def _sweep(self) -> None:
        made = list(self._made.values())
        self._let_go()
        alive = []
        while made:  # the newest first: it may hold older ones
            value, size = made.pop()
            if sys.getrefcount(value) > 2:  # this name, and what is asked
                alive.append((value, size))
                self._bytes_held += size
        if self._bytes_held > MAX_HELD // 2:
            raise LimitError("it keeps too much at once")
        self._made = {id(pair[0]): pair for pair in reversed(alive)}

    def _let_go(self) -> None:
        self._made = {}
        self._bytes_held = 0

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
            size = check(size + len(piece))
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
            cost = methods_of(owner).get(getattr(callee, "__name__", ""))
            if cost is None:
                owner, cost = None, whole
            cost(self, owner, (*args, *kwargs.values()))
            result = super().call(context, callee, *args, **kwargs)
            return result if cost in (nothing, given_alone) else self.made(result)
        finally:
            self._depth -= 1

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Every operator that computes."""
        self.step()
        operands(self, operator, left, right)
        return self.made(super().call_binop(context, operator, left, right))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """What the tables name, and what a namespace holds."""
        if isinstance(obj, Namespace):
            return not attr.startswith("_")
        return attr in methods_of(obj)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """The sandbox's own str.format, without endless fields; format_map is refused like other methods."""
        wrapped = super().wrap_str_format(value)
        if wrapped is None or value.__name__ != "format":
            return None

        def bounded(*args: Any, **kwargs: Any) -> str:
            fields(self, value.__self__, "{", [*args, *kwargs.values()])
            return wrapped(*args, **kwargs)

        return bounded

    @pass_context  # which keeps jinja2 from doing it once and for all while it compiles
    def _output(self, context: Context, value: Any) -> str:
        """Every value written out (jinja2's `finalize`)."""
        self.spend(self._step + self.weight(value))
        return value if isinstance(value, str) else cast(str, self._kept(str(value), 0))


def _frames() -> int:
    """How many Python frames are in use."""
    return sum(1 for _ in walk_stack(None))
