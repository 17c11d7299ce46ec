// Where the sequence stands in an automaton: see `walk_words` in py_wgml/ops/constrain.py. Parameters: max_depth.
struct Walk {
    position: u32, // tokens that were taken in
    state: u32,
    depth: u32,
    stack: array<u32, {{ max_depth }}>, // the topmost last
}
