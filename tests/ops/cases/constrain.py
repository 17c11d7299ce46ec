import numpy as np
from ops.harness import Bench, Job, Mutation, cases

from py_wgml.grammar.automaton import Automaton, compile
from py_wgml.grammar.nodes import EMPTY, Bytes, Choice, Grammar, Node, Repeat, Rule, Sequence, literal
from py_wgml.grammar.walk import Walk
from py_wgml.ops import Tables, automaton_words, constrain, constrain_numpy, step_uniform, text_words, walk_words

LETTERS = Repeat(Bytes(((97, 122), (0xC3, 0xC3), (0xA0, 0xBF))), 1)


def _list(item: Node) -> Node:
    return Sequence(
        (literal("["), Choice((EMPTY, Sequence((item, Repeat(Sequence((literal(","), item))))))), literal("]"))
    )


GRAMMARS = {
    "choice": Grammar(Choice((literal("yes"), literal("yellow"), literal("no")))),
    "words": Grammar(Sequence((LETTERS, Repeat(Sequence((literal(" "), LETTERS)), 0, 9)))),
    "forced": Grammar(LETTERS),
    "nested": Grammar(Rule("list"), {"list": _list(Choice((LETTERS, Rule("list"))))}),
    "shallow": Grammar(Rule("list"), {"list": _list(Choice((LETTERS, Rule("list"))))}),
}
BEGUN = {
    "choice": [b"ye"],
    "words": [b"some", b" words"],
    "forced": [b"b"],
    "nested": [b"[[a,", b"[", b"bc]"],
    "shallow": [b"[", b"a,"],
}
TEXTS = [
    b"",
    b"",
    b"y",
    b"ye",
    b"yes",
    b"yell",
    b"s",
    b"llow",
    b"no",
    b" ",
    b" a",
    b"a",
    b"bc",
    b"\xc3",
    b"\xa4",
    b"d ",
]
TEXTS += [
    b"[",
    b"]",
    b"]]",
    b"],[",
    b"],",
    b",",
    b"[[[[",
    b"]]]",
    b"]]]]",
    b"a]",
    b"a,b]",
    b"[a,[b",
    b"[]",
    b"[" * 9,
    b"[a],[",
    b"[[b],c]",
]
ENDS = [1]


def _vocabulary(b: Bench, size: int) -> list[bytes]:
    """TEXTS, each of which stands in several places, so that there is more than a workgroup of them."""
    return [TEXTS[i] if i < len(TEXTS) else TEXTS[j] for i, j in enumerate(b.random.integers(2, len(TEXTS), size))]


def constrain_case(b: Bench, kind: str, seen: int, count: int = 1, every: int | None = None) -> Job:
    """seen: tokens of BEGUN that the walk has taken in already. count: those that the step takes, its last ones."""
    automaton: Automaton = compile(GRAMMARS[kind])
    texts, begun = _vocabulary(b, 300), BEGUN[kind]
    forced = np.zeros(len(automaton.next), np.uint32)
    if kind == "forced":
        forced[:] = 1 + TEXTS.index(b"a")
    begun = [*begun, *[b"q"] * (every or 0)][: len(begun) + (0 if every is None else count - 1)]
    first = 5  # tokens of a prompt
    tokens = np.concatenate([np.zeros(first, int), [len(texts) + i for i in range(len(begun))], np.zeros(4, int)])
    texts = [*texts, *begun]
    position = first + len(begun) - count
    walk = Walk(automaton)
    for text in begun[:seen]:
        walk.push(text)
    held = b.held(walk_words(first + seen, walk))
    vocabulary, rows = len(texts), every or 1
    logits = b.normal(rows, vocabulary)
    expected = logits.copy()
    for row in range(count if every else 1):
        at = walk.copy()
        for text in begun[seen : position - first + (row + 1 if every else count)]:
            at.push(text)
        expected[row] = constrain_numpy(at, forced, texts, ENDS, logits[row])
    taken, after = max(seen, position - first + 1), walk_words(first + seen, walk)
    for text in begun[seen:taken]:
        walk.push(text)
        after[3 : 3 + len(walk.stack)] = walk.stack  # what is popped later stays behind
    after[:3] = first + taken, walk.state, len(walk.stack)
    tables = Tables(b.up(automaton_words(automaton, forced)), b.up(text_words(texts, ENDS)), held)
    step = b.up(np.frombuffer(step_uniform(position, count), np.uint32))
    out, sequence = b.held(logits), b.up(tokens.astype(np.uint32))
    return Job(lambda p: constrain(p, step, tables, out, sequence, vocabulary, every), {out: expected, held: after})


TABLE = [
    *cases(constrain_case, GRAMMARS, 0, ["normal"], seen=[0, 1]),
    *cases(constrain_case, ["words", "nested"], 0, ["normal"], seen=[1], count=[2]),
    *cases(constrain_case, ["words"], 0, ["normal"], seen=[0, 2], count=[1, 3], every=[4]),
]

MUTATIONS = [
    Mutation("bytes of a word", "lib/automaton.wgsl", "8u * (at % 4u)", "0u", "constrain"),
    Mutation("classes of a word", "lib/automaton.wgsl", "8u * (byte % 4u)", "0u", "constrain"),
    Mutation("what is popped", "lib/automaton.wgsl", "kept -= 1u;", "kept -= 2u;", "constrain-nested"),
    Mutation("own states first", "lib/automaton.wgsl", "if own > 0u {", "if own > 90u {", "constrain-shallow"),
    Mutation("who may end", "constrain_mask.wgsl", "fits = may_end();", "fits = true;", "constrain"),
    Mutation("the only token", "constrain_mask.wgsl", "id == only - 1u", "id == only", "constrain-forced"),
    Mutation("what a step has beyond", "constrain_mask.wgsl", "+ step.count)", "+ 1u)", "constrain"),
    Mutation("rows of the step", "constrain_mask.wgsl", " || at.y >= step.count", "", "constrain-words"),
    Mutation("the walk's end", "constrain_walk.wgsl", "step.position + 1u", "step.position", "constrain"),
]
