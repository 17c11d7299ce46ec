// A way through an automaton over bytes, as py_wgml/grammar/automaton.py makes it.
//   automaton u32: how many columns the table has, where it begins, where the pushes and the forced tokens begin; then
//   the class of each byte, four a word; then of each state the only token that is allowed there, counted from 1 (0:
//   whatever fits); then the table, an entry for each state and class, the last column that of the end of the text;
//   then the place of each entry's pushes, counted from where they begin, and there how many, and which
//   texts u32 [vocabulary + 1]: where the bytes of each token begin (the highest bit: it ends answers), then the bytes
// A stack of at most max_depth states: below, `kept` of those of `stack` (an array that the includer has); above them,
// `own` of this invocation's, at most OWN.
// Parameters: max_depth, target_bits, head, stack.
const RETURN: u32 = 0xFFFFFFFFu; // the entry of what is to be looked up from the state popped
const DEAD: u32 = 0u;
const TARGET: u32 = (1u << {{ target_bits }}u) - 1u;
const HEAD: u32 = {{ head }}u;
const MAX_DEPTH: u32 = {{ max_depth }}u;
const OWN: u32 = 16u;
const ENDS: u32 = 0x80000000u;

var<private> state: u32;
var<private> kept: u32;
var<private> own: u32;
var<private> pushed: array<u32, OWN>;

fn pop() {
    if own > 0u {
        own -= 1u;
        state = pushed[own];
    } else {
        kept -= 1u;
        state = {{ stack }}[kept];
    }
}

fn entry_of(symbol: u32) -> u32 {
    return automaton[automaton[1] + state * automaton[0] + symbol];
}

// Goes on by one class of bytes; false: it does not fit.
fn take(symbol: u32) -> bool {
    var entry = entry_of(symbol);
    while entry == RETURN && kept + own > 0u {
        pop();
        entry = entry_of(symbol);
    }
    if entry == DEAD || entry == RETURN {
        return false;
    }
    let pushes = automaton[2];
    let place = pushes + automaton[pushes + (entry >> {{ target_bits }}u)];
    let count = automaton[place];
    if own + count > OWN || kept + own + count > MAX_DEPTH {
        return false;
    }
    for (var i = 0u; i < count; i++) {
        pushed[own] = automaton[place + 1u + i];
        own += 1u;
    }
    state = entry & TARGET;
    return true;
}

// Whether the text may end here: it can be left, and so can all that it was called from.
fn may_end() -> bool {
    let end = automaton[0] - 1u;
    var entry = entry_of(end);
    while entry == RETURN && kept + own > 0u {
        pop();
        entry = entry_of(end);
    }
    return entry == RETURN;
}

// Goes on by a token; false: it does not fit, as one without bytes never does.
fn take_token(id: u32) -> bool {
    let begin = texts[id] & ~ENDS;
    let end = texts[id + 1u] & ~ENDS;
    for (var at = begin; at < end; at++) {
        let byte = (texts[params.vocabulary + 1u + at / 4u] >> (8u * (at % 4u))) & 0xFFu;
        let symbol = (automaton[HEAD + byte / 4u] >> (8u * (byte % 4u))) & 0xFFu;
        if !take(symbol) {
            return false;
        }
    }
    return end > begin;
}

// Takes in the tokens of the sequence from the walk's end up to `end`; what is pushed goes to `{{ stack }}`. One that does
// not fit leads to DEAD, from which nothing does.
fn take_sequence(end: u32) {
    state = walk.state;
    kept = walk.depth;
    for (var at = walk.position; at < end; at++) {
        own = 0u;
        if !take_token(tokens[at]) {
            state = DEAD;
            own = 0u;
            kept = 0u;
        }
        for (var i = 0u; i < own; i++) {
            {{ stack }}[kept + i] = pushed[i];
        }
        kept += own;
    }
    own = 0u;
}
