// Where a step stands in the sequence: the position of its first token, and how many tokens it takes.
struct Step {
    position: u32,
    count: u32,
}
