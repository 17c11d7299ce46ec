// A tile of a matrix product: `count` tokens (or slots of tokens, sorted by expert) from `first` on, of one expert.
struct Tile {
    expert: u32,
    first: u32,
    count: u32,
}
