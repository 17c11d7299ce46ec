// How the next token is picked: see `Sampling` in py_wgml/ops/lib/sampling.py, which says what turns each off.
struct Sampling {
    temperature: f32, // 0: the most likely token
    dynatemp_range: f32,
    dynatemp_exponent: f32,
    top_n_sigma: f32,
    typical_p: f32,
    top_p: f32,
    min_p: f32,
    xtc_probability: f32,
    xtc_threshold: f32,
    repetition_penalty: f32,
    presence_penalty: f32,
    frequency_penalty: f32,
    dry_multiplier: f32,
    dry_base: f32,
    mirostat_tau: f32,
    mirostat_eta: f32,
    top_k: u32,
    penalty_window: u32, // how many of the last tokens are penalised
    dry_allowed_length: u32,
    dry_longest: u32, // longer repetitions are penalised as this one is
    dry_penalty_last_n: u32,
    mirostat: u32, // 0 or 2
    biases: u32, // how many
    seed: u32,
}
