"""Chat templates that are made to harm by their depth or length. Pyodide reads this file too, so it imports nothing."""

N = 20_000


def chain(made: str, before: str = "") -> str:
    """A template that makes something of what it made before, again and again."""
    return (
        "{% set ns = namespace(x=1) %}{% for i in range(50000) %}"
        + before
        + "{% set ns.x = "
        + made
        + " %}{% endfor %}{{ ns.y.z }}"
    )


def nested(start: str, end: str, times: int, within: str = "1") -> str:
    return "{{ " + start * times + within + end * times + " }}"


def blocks(tag: str, times: int, given: str = "") -> str:
    return f"{{% {tag} {given} %}}" * times + f"{{% end{tag} %}}" * times


def each_after_another(first: str, one: str, times: int) -> str:
    """A template that names something, and what is next after it."""
    return first + "".join(one.replace("THIS", f"m{n + 1}").replace("LAST", f"m{n}") for n in range(times))


HOSTILE = {
    "parentheses": nested("(", ")", N),
    "open parentheses": nested("(", "", N),
    "parentheses, not too many for a tag": nested("(", ")", 400),
    "lists": nested("[", "]", 400),
    "objects": nested("{1:", "}", 300),
    "tuples": nested("(", ",)", 300),
    "subscripts": nested("x[", "]", 300),
    "calls": nested("range(", ")", 300),
    "arguments of filters": nested("x|default(", ")", 200),
    "filters": nested("", "|slice(1)", 20_000),
    "filters, not too many for a tag": nested("", "|list", 450),
    "tests": nested("", " is defined", 450),
    "not": nested("not ", "", 900),
    "minus": nested("-", "", 900),
    "plus": nested("+", "", 900),
    "attributes": nested("", ".a", 450, "x"),
    "many attributes": nested("", ".a", N, "x"),
    "items": nested("", "[0]", 300, "x"),
    "methods": nested("", ".strip()", 200, "''"),
    "sums": nested("", " + 1", 490),
    "many sums": nested("", " + 1", N),
    "powers": nested("", " ** 1", 490),
    "and": nested("", " and 1", 490),
    "or": nested("", " or 0", 490),
    "many pieces": nested("", " ~ 1", N),
    "many comparisons": nested("", " < 1", N),
    "if within an expression": nested("", " if 1 else 1", 240),
    "a long list": nested("[", "", 1, "1," * N),
    "a long object": nested("{", "", 1, "1:1," * N),
    "if": blocks("if", 500, "x"),
    "many if": blocks("if", 10_000, "x"),
    "elif": "{% if a %}" + "{% elif b %}" * 15_000 + "{% endif %}",
    "for": blocks("for", 500, "a in x"),
    "macro": blocks("macro", 500, "a()"),
    "call": blocks("call", 500, "a()"),
    "filter blocks": blocks("filter", 500, "trim"),
    "set blocks": blocks("set", 500, "a"),
    "with": blocks("with", 500),
    "generation": blocks("generation", 500),
    "many targets": "{% set " + ", ".join(f"a{number}" for number in range(5000)) + " = x %}",
    "nested targets": "{% set " + "(" * 300 + "a" + ",)" * 300 + " = x %}",
    "a recursive macro": "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "two macros": "{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a caller": "{% macro f() %}{% call f() %}{{ caller() }}{% endcall %}{% endmacro %}{{ f() }}",
    "a recursive loop": "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "a chain of slices": chain("ns.x | list | slice(1)").replace("x=1", "x=[1]"),
    "a chain of batches": chain("ns.x | batch(1)").replace("x=1", "x=[1]"),
    "a chain of lists": chain("[ns.x]"),
    "a chain of tuples": chain("(ns.x,)"),
    "a chain of objects": chain("{1: ns.x}"),
    "a chain of views": chain("{1: ns.x}.values()"),
    "a chain of namespaces": chain("namespace(x=ns.x)"),
    "a chain of namespaces that are set": chain("a", "{% set a = namespace() %}{% set a.x = ns.x %}"),
    "a chain of cyclers": chain("cycler(ns.x)"),
    "a chain of joiners": chain("joiner(ns.x)"),
    "a chain of methods": chain("[ns.x].index"),
    "a chain of methods, mapped": chain("[[ns.x]] | map(attribute='index') | first"),
    "a chain of what is missing": chain("{1: ns.x}.y"),
    "a chain of what is missing, by name": chain("{}[(ns.x,)]"),
    "a chain of loops": chain("1", "{% for j in [ns.x] %}{% set ns.x = loop %}{% endfor %}"),
    "a chain of macros": chain("f", "{% set p = ns.x %}{% macro f() %}{{ p }}{% endmacro %}"),
    "macros, each knows the last": each_after_another(
        "{% macro m0() %}{% endmacro %}", "{% macro THIS() %}{{ LAST }}{% endmacro %}", 1200
    )
    + "{{ m1.a.b }}",
    "macros, each is given the last": each_after_another(
        "{% macro m0() %}{% endmacro %}", "{% macro THIS(a=LAST) %}{{ a }}{% endmacro %}", 1000
    )
    + "{{ m1.a.b }}",
    "lists, each of the last": each_after_another("{% set m0 = [] %}", "{% set THIS = [LAST] %}", 1800),
    "methods of the last": each_after_another("{% set m0 = [] %}", "{% set THIS = [LAST].index %}", 1200),
    "a namespace in itself": "{% set ns = namespace() %}{% set ns.x = namespace(y=ns) %}{{ ns }}",
}
HARD = {
    "many escapes": ("{{ '" + "\\\\" * 60_000 + "' | length }}", "60000"),
    "many texts": ("{{ 'a' }}" * 5_000, "a" * 5_000),
    "many lines": ("a{{ '' }}\n" * 3_000, "a\n" * 2_999 + "a"),
    "many names": (each_after_another("{% set m0 = 1 %}", "{% set THIS = LAST %}", 2_000) + "{{ m2000 }}", "1"),
}
"""With what they make: nothing is wrong with them."""
