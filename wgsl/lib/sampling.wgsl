// How the next token is picked: see `Sampling` in py_wgml/ops/sample.py.
struct Sampling {
    temperature: f32, // 0: the most likely token
    top_p: f32, // 1: off
    min_p: f32, // 0: off
    repetition_penalty: f32, // 1: off
    top_k: u32, // 0: off
    penalty_window: u32, // how many of the last tokens are penalised
    seed: u32,
}
