"""Chat templates that nobody vouches for: composed from the grammar of the language, or real ones with pieces changed.

A case is the source of a template and a conversation of an odd size. What comes of it is a text or a refusal in one
line, never anything that Python keeps to itself.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fuzz import Fault
from py_wgml.chat import ChatTemplate, template
from py_wgml.chat.formats import FORMATS
from py_wgml.errors import WgmlError

LONGEST_MESSAGE = 500
AGAIN = 8
"""Of so many cases that no clock had a part in, one is checked twice."""
SECONDS = 1.5
"""Less than a case may take, which compiles and renders; most stop for want of fuel before."""
SECRET = "a-planted-secret-5d1f"
"""What a module of the project holds while cases run; no template has a way to it."""
ESCAPED = re.compile(
    re.escape(SECRET)
    + r"|<(?:class|module|function|method|bound method|built-in|frame|code|generator|slot wrapper|weakref|cell|"
    r"py_wgml|jinja2\.(?:env|loaders|compiler|sandbox)|Context|Template)\b"
)
"""Of what is written: things of Python's own, as Python writes them."""

# With an own thought and tools, as the elaborate ones have it.
ELABORATE = """{%- macro part(text, ns) -%}
    {%- set ns.count = ns.count + 1 -%}
    {{- text | trim if text is string else text | tojson(indent=2) -}}
{%- endmacro -%}
{%- set ns = namespace(count=0, text='', last=-1) -%}
{%- for m in messages[::-1] if m.role == 'user' -%}{%- set ns.last = loop.revindex0 -%}{%- break -%}{%- endfor -%}
{%- for key, value in (tools or [{'a': 1}])[0] | dictsort -%}{{ key }}: {{ value }};{%- endfor -%}
{%- for m in messages recursive -%}
    {%- if m.role not in ['user', 'assistant', 'system'] -%}{{ raise_exception('No ' ~ m.role) }}{%- endif -%}
    {%- set content = m.content.split('</think>')[-1].lstrip('\\n') -%}
    {%- set ns.text = ns.text + content -%}
    {{- '<|' + m['role'] + '|>' + part(content, ns) + '\\n' -}}
    {%- generation -%}{{ '%s of %d' % (loop.index, loop.length) }}{%- endgeneration -%}
{%- endfor -%}
{%- filter upper -%}{{ ns.text | replace('a', 'b') }}{%- endfilter -%}
{%- if add_generation_prompt -%}{{ '{} {:>4}'.format(ns.count, 1) }}{{ strftime_now('%Y') }}{%- endif -%}"""


def listed(text: str) -> list[str]:
    """What stands between semicolons."""
    return " ".join(text.split()).split(" ; ")


ATOMS = listed(
    r"""
    messages ; messages[0] ; messages[0].content ; m.content ; m ; tools ; x ; ns ; ns.x ; ns.s ; loop ; bos_token ;
    nothing ; true ; none ; 0 ; 1 ; -1 ; 3 ; 0.5 ; 1e308 ; 2305843009213693951 ; 9**999 ; 'a' ; '' ; '%s' ; '{0}' ; 'a'
    * 1000 ; 'ab' * 1000000 ; '%999999999d' ; '{:999999999}' ; [] ; {} ; range(100000) ; [1, 'a', none] ; {'a': 1} ; (1,
    2) ; [x, x] ; (ns.x, ns.x) ; namespace(a=ns.x) ; cycler(ns.x, ns.x) ; joiner(ns.s) ; dict(a=ns.x) ; dict([(1, 2)]) ;
    '\u0669\u0669%\u0669d' ; f ; self ; range ; dict ; namespace ; raise_exception ; strftime_now ; f(ns.s) ; caller ;
    varargs ; kwargs ; '%\u0669\u0669\u0669\u0669\u0669\u0669\u0669\u0669\u0669d' ; 'é\U0001f642' * 10000 ; '*' * 30
    """
)
WALKS = listed(
    r"""
    ''.__class__.__mro__ ; cycler.__init__.__globals__ ; self._TemplateReference__context ; x.__class__ ;
    ().__class__.__base__.__subclasses__() ; namespace.__init__.__globals__ ; messages.__class__ ; f.__call__ ;
    ''['__class__'] ; '{0.__class__.__init__.__globals__}'.format(ns) ; '{0.__class__}'.format(cycler) ; x |
    map(attribute='__class__') | list ; x | attr('__class__') ; ns._Namespace__attrs ; loop.__class__ ; loop._iterable ;
    f._func ; f._environment ; nothing._undefined_exception ; nothing.__class__ ; range.__self__ ; dict.fromkeys('ab') ;
    raise_exception.__globals__ ; strftime_now.__globals__ ; lipsum.__globals__ ; x.index.__self__ ; ('a').join.__self__
    ; cycler.next.__globals__ ; self.__init__ ; '%(a)s' % {'a': cycler} ; x | groupby('__class__') ; x |
    sum(attribute='__class__') ; joiner._joiner ; '{0[__class__]}'.format(x) ; '{0!r:}'.format(f) ;
    '{x.__class__}'.format_map({'x': 1}) ; x.sort.__self__ ; caller.__globals__ ; context ; environment ; resolve ;
    l_0_x ; loop.changed.__func__ ; dict.__mro__
    """
)
FILTERS = listed(
    r"""
    abs ; batch(3) ; batch(N, 'a') ; capitalize ; count ; d(x) ; default('a', true) ; dictsort ; dictsort(by='value') ;
    e ; first ; float ; format(x) ; groupby('role') ; groupby(0) ; indent(N) ; indent('ab' * 1000, first=true) ; int ;
    int(0, 36) ; items ; join ; join(x) ; join(ns.s) ; last ; length ; list ; lower ; map('upper') ; map('string') ;
    map(attribute='role') ; map('batch', N) ; max ; min ; reject('in', x) ; rejectattr('role', 'eq', x) ; replace('a',
    'b') ; replace('', ns.s) ; replace('a', ns.s, N) ; reverse ; round(N) ; round(9, 'ceil') ; safe ; select('in', x) ;
    select('divisibleby', N) ; select('odd') ; selectattr('content', 'in', x) ; slice(N) ; slice(3) ; sort ;
    sort(attribute='role') ; string ; sum ; sum(start=[]) ; sum(attribute='a') ; title ; tojson ; tojson(indent=N) ;
    tojson(separators=[ns.s, 'b']) ; trim(x) ; tojson(ensure_ascii=true, sort_keys=true) ; trim ; truncate(N) ; unique ;
    unique(attribute='role') ; upper ; map('map', 'list')
    """
)
UNLISTED = listed(
    r"""
    attr('x') ; center(N) ; map('center', N) ; nonesuch ; pprint ; random ; striptags ; urlize ; wordcount ; wordwrap(3)
    ; xmlattr ; first is callable ; first is escaped ; first is filter ; first is nonesuch ; first is test
    """
)
METHODS = listed(
    r"""
    append(1) ; capitalize() ; center(N) ; clear() ; copy() ; count(x) ; count('a') ; encode() ; endswith('a') ;
    expandtabs(N) ; find(x) ; format(x, x) ; format(a=ns.s) ; get('a', x) ; index(x) ; isdigit() ; items() ; join(x) ;
    join(ns.s) ; join(x | map('string')) ; keys() ; ljust(N) ; lstrip(x) ; maketrans('a', 'b') ; next() ; partition(x) ;
    pop() ; removeprefix('a') ; replace('a', ns.s) ; replace('', ns.s) ; rfind(x) ; rjust(N) ; rpartition(ns.s) ;
    rsplit(ns.s) ; rstrip(ns.s) ; sort() ; split() ; split(x) ; split('', N) ; splitlines() ; startswith(x) ; strip() ;
    strip(x) ; swapcase() ; title() ; to_bytes(N, 'big') ; current ; translate(x) ; update(x) ; upper() ; values() ;
    zfill(N) ; content ; role ; items ; a ; b ; x ; hex()
    """
)
TESTS = listed(
    r"""
    boolean ; defined ; divisibleby N ; divisibleby 2 ; eq x ; equalto(x) ; even ; odd ; ge x ; gt 1 ; in x ; in ns.s ;
    integer ; iterable ; le x ; lower ; lt 1 ; mapping ; ne x ; none ; number ; sameas x ; sequence ; string ; true ;
    undefined ; upper
    """
)
TAGS = listed(
    r"""
    {% call f(1) %}BODY{% endcall %} ; {% generation %}BODY{% endgeneration %} ; {% with a = x %}BODY{% endwith %} ;
    {% call(a) f(1) %}BODY{{ a }}{% endcall %} ; {% raw %}BODY{% endraw %} ; BODY{% break %} ; {# BODY #} ;
    {% include 'x' %}BODY ; {% import 'x' as x %}BODY ; {% block a %}BODY{% endblock %} ; {% extends x %}BODY ;
    {% autoescape true %}BODY{% endautoescape %}
    """
)
OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or")
NUMBERS = ("0", "1", "7", "-3", "1000", "99999", "1000000", "1999999999", "10**30", "true", "x", "'٣'", "1e9")
TOKENS = re.compile(r"\{%-?|-?%\}|\{\{-?|-?\}\}|'[^'\n]*'|\w+|\s+|.", re.DOTALL)


@dataclass(frozen=True)
class Case:
    """A template and what it is rendered with."""

    seed: int
    source: str
    messages: list[dict[str, Any]] = field(repr=False)
    variables: dict[str, Any] = field(repr=False)


def case(seed: int) -> Case:
    dice = random.Random(seed)
    source = dice.choice((composed, composed, mutated))(dice)
    return Case(seed, source, conversation(dice), {"x": value(dice), "y": value(dice)})


def composed(dice: random.Random) -> str:
    """Statements that know of a namespace, a macro and loops."""
    x, text = dice.choice(("1", "[1]", "x", "(1,)")), dice.choice(("x", "''"))
    before = f"{{% set ns = namespace(x={x}, s={text}) %}}"
    before += "{% set m = messages[0] %}"
    if dice.random() < 0.4:
        before += f"{{% macro f(a, b=x) %}}{statement(dice, 2)}{{% endmacro %}}"
    return before + "".join(statement(dice, dice.randrange(1, 4)) for _ in range(dice.randrange(1, 6)))


def mutated(dice: random.Random) -> str:
    """A real template with some of its pieces swapped, doubled, lost, or taken by others."""
    pieces = TOKENS.findall(dice.choice(seeds()))
    for _ in range(dice.choice((1, 2, 4, 8))):
        place, other = dice.randrange(len(pieces)), dice.randrange(len(pieces))
        match dice.randrange(7):
            case 0:
                pieces[place], pieces[other] = pieces[other], pieces[place]
            case 1:
                pieces[place:place] = pieces[other : other + dice.randrange(1, 12)]
            case 2:
                del pieces[place : place + dice.randrange(1, 4)]
            case 3:
                pieces[place] += statement(dice, 2) if pieces[place].endswith("%}") else ""
            case _:
                names = [index for index, piece in enumerate(pieces) if re.match(r"'|\w", piece)]
                pieces[dice.choice(names or [0])] = expression(dice, 2)
    return "".join(pieces)


@cache
def seeds() -> list[str]:
    return [ELABORATE, ELABORATE, *(format.template for format in FORMATS)]


def expression(dice: random.Random, depth: int) -> str:
    if depth <= 0 or dice.random() < 0.1:
        return dice.choice(WALKS if dice.random() < 0.12 else ATOMS)
    inner = expression(dice, depth - 1)
    number = dice.choice(NUMBERS)
    match dice.randrange(13):
        case 0 | 1 | 2:
            chain = dice.choice((1, 1, 2, 4)) if depth > 1 else 1
            filters = UNLISTED if dice.random() < 0.02 else FILTERS
            return inner + "".join("|" + dice.choice(filters).replace("N", number) for _ in range(chain))
        case 3 | 4 | 5:
            return f"({inner}).{dice.choice(METHODS).replace('N', number)}"
        case 6:
            return f"({inner}) is {dice.choice(('', 'not '))}{dice.choice(TESTS).replace('N', number)}"
        case 7 | 8:
            return f"({inner}) {dice.choice(OPERATORS)} ({expression(dice, depth - 1)})"
        case 9:
            return f"({inner})[{dice.choice((number, ':', '::-1', f'{number}:', f':{number}', expression(dice, 1)))}]"
        case 10:
            return dice.choice(("[{0}, {0}]", "({0}, {0})", "{{'a': {0}, 'b': {0}}}", "[[{0}]]")).format(inner)
        case 11:
            return f"{dice.choice(('not ', '-', '+', '- -'))}({inner})"
        case _:
            return f"({inner} if {expression(dice, depth - 1)} else {expression(dice, depth - 1)})"


def statement(dice: random.Random, depth: int) -> str:
    text = expression(dice, dice.randrange(1, 4))
    body = statement(dice, depth - 1) if depth > 1 else f"{{{{ {expression(dice, 1)} }}}}"
    many = dice.choice(("messages", "range(30)", "range(99999)", "[1, 2]", "ns.x", text))
    grown: tuple[str, ...] = ("ns.s ~ ns.s", "ns.s + ns.s", "[ns.x, ns.x]", "(ns.x, ns.x)", "{'a': ns.x, 'b': ns.x}")
    grown += ("ns.x + ns.x", "namespace(a=ns.x, b=ns.x)", "cycler(ns.x, ns.x)")
    grown += ("ns.s | replace('a', 'aa')", "ns.x * 2", "ns.x ** 2")
    match dice.randrange(12):
        case 0 | 1 | 2:
            return f"{{{{ {text} }}}}"
        case 3:
            return f"{{% for m in {many} %}}{body}{{% endfor %}}"
        case 4:
            return f"{{% for m in {many} if {expression(dice, 1)} recursive %}}{body}{{{{ loop(x) }}}}{{% endfor %}}"
        case 5 | 6:
            part = dice.choice(grown)
            target = "ns.s" if "ns.s" in part else "ns.x"
            turns = dice.choice((5, 60, 99999))
            return f"{{% for i in range({turns}) %}}{{% set {target} = {part} %}}{body}{{% endfor %}}"
        case 7:
            return f"{{% set {dice.choice(('x', 'ns.x', 'ns.s', 'm', 'a, b'))} = {text} %}}"
        case 8:
            return f"{{% if {text} %}}{body}{{% elif {expression(dice, 1)} %}}b{{% else %}}{body}{{% endif %}}"
        case 9:
            return f"{{% set {dice.choice(('x', 'ns.s'))} %}}{body}{{% endset %}}"
        case 10:
            name = dice.choice(FILTERS).replace("N", dice.choice(NUMBERS))
            return f"{{% filter {name} %}}{body}{{% endfilter %}}"
        case _:
            return dice.choice(TAGS).replace("BODY", body)


def conversation(dice: random.Random) -> list[dict[str, Any]]:
    roles = ("user", "assistant", "user", "system", "tool", "user", "assistant", "__class__")
    words = (
        "Hi",
        "",
        "word " * 400,
        "a" * 100_000,
        "é🙂\x00\u202e" * 50,
        "{{ x }}{% if %}",
        "%s {0} %(a)s",
        "</think>\n",
    )
    size = dice.choice((1, 1, 2, 3, 9, 200))
    return [
        {"role": roles[place % 2] if dice.random() < 0.99 else dice.choice(roles), "content": dice.choice(words)}
        for place in range(size)
    ]


def value(dice: random.Random) -> Any:
    makers: tuple[Callable[[], Any], ...] = (
        *(lambda: "a", lambda: "ab" * 5000, lambda: 3, lambda: 1e308, lambda: None, lambda: [1, 2, 3], list),
        *(lambda: ["b", "a", "é"] * 30, lambda: {"a": 1, "b": [1, {"c": "d"}]}, lambda: [{"role": "user"}] * 9),
    )
    return dice.choice(makers)()


def check(case: Case) -> str:
    """Compile it and render the conversation: it leaves what it is given alone, and some do the same once more."""
    template.PLANTED = SECRET  # type: ignore[attr-defined]
    before = repr((case.messages, case.variables))
    began = time.perf_counter()
    text, word = made(case)
    is_quick = time.perf_counter() - began < SECONDS / 10
    found = ESCAPED.search(text)
    if found:
        raise Fault(f"it tells what it should not: {text[found.start() :][:200]!r}")
    if repr((case.messages, case.variables)) != before:
        raise Fault("it changes what it is given")
    if case.seed % AGAIN == 0 and is_quick and made(case) != (text, word):
        raise Fault("it ends otherwise the next time")
    return word


def made(case: Case) -> tuple[str, str]:
    try:
        compiled = ChatTemplate(case.source, "<s>", "</s>", max_seconds=SECONDS)
    except WgmlError as error:
        return plain(error), "not compiled"
    try:
        text = compiled.render(case.messages, **case.variables)
    except WgmlError as error:
        message = plain(error)
        return message, next(
            (word for word in ("too long", "stopped", "fails", "refuses") if word in message), "refused"
        )
    if not isinstance(text, str):
        raise Fault(f"no text: {type(text).__name__}")
    return text, "rendered"


def plain(error: WgmlError) -> str:
    message = str(error)
    if not message.isprintable() or len(message) > LONGEST_MESSAGE:
        raise Fault(f"no plain message: {message[:300]!r}")
    return message
