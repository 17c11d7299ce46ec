"""What llama.cpp's samplers leave of made-up logits, written to tests/data.

    python3 tests/ops/llama_samplers.py MODEL MADE_WITH [BREAKER]

Needs the module of PyPI's llama-cpp-python that declares llama.cpp's functions, `llama_cpp.llama_cpp`, and with it the
library. MODEL is a GGUF file, of which the vocabulary is taken; BREAKER (":") a text that DRY stops at, one token.
MADE_WITH is what the data say of it: llama.cpp's version.
"""

import ctypes
import json
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parents[1] / "data" / "samplers.llama.cpp.json"
VOCABULARY = 240
_BREAKER_AT = 100  # of the tokens

# Of each case the samplers in llama.cpp's order, by name, with what Sampling has in the order of llama.cpp's functions.
CASES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "repetition": [("penalties", {"penalty_window": 20, "repetition_penalty": 1.3})],
    "presence": [("penalties", {"penalty_window": 5, "presence_penalty": 0.7})],
    "frequency": [("penalties", {"penalty_window": 64, "frequency_penalty": 0.2})],
    "penalties": [
        (
            "penalties",
            {"penalty_window": 30, "repetition_penalty": 1.2, "frequency_penalty": -0.2, "presence_penalty": 0.5},
        )
    ],
    "bias": [("logit_bias", {"logit_bias": {3: 4.5, 7: -100, 100: 2}})],
    "dry": [("dry", {"dry_multiplier": 0.8})],
    "dry of 1": [("dry", {"dry_multiplier": 2, "dry_base": 1.2, "dry_allowed_length": 1, "dry_penalty_last_n": 60})],
    "dry of 4": [("dry", {"dry_multiplier": 0.5, "dry_base": 2, "dry_allowed_length": 4, "dry_penalty_last_n": 300})],
    "top-n-sigma": [("top_n_sigma", {"top_n_sigma": 1.5})],
    "typical, few": [("typical", {"typical_p": 0.2})],
    "typical, many": [("typical", {"typical_p": 0.95})],
    "xtc": [("xtc", {"xtc_probability": 1, "xtc_threshold": 0.02})],
    "xtc, none above": [("xtc", {"xtc_probability": 1, "xtc_threshold": 0.5})],
    "dynamic": [("temp_ext", {"temperature": 1.2, "dynatemp_range": 0.7, "dynatemp_exponent": 1.5})],
    "dynamic, cold": [("temp_ext", {"temperature": 0.4, "dynatemp_range": 0.9})],
    "mirostat": [("temp", {"temperature": 0.8}), ("mirostat_v2", {"mirostat_tau": 1.5})],
    "mirostat, hot": [("temp", {"temperature": 1.6}), ("mirostat_v2", {"mirostat_tau": 2.5, "mirostat_eta": 0.4})],
    "all": [
        ("logit_bias", {"logit_bias": {9: 3.0}}),
        ("penalties", {"penalty_window": 64, "repetition_penalty": 1.1, "frequency_penalty": 0.1}),
        ("dry", {"dry_multiplier": 0.8}),
        ("top_k", {"top_k": 100}),
        ("typical", {"typical_p": 0.95}),
        ("top_p", {"top_p": 0.95}),
        ("min_p", {"min_p": 0.01}),
        ("xtc", {"xtc_probability": 1, "xtc_threshold": 0.1}),
        ("temp_ext", {"temperature": 0.9, "dynatemp_range": 0.2, "dynatemp_exponent": 0.7}),
    ],
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "penalties": {"penalty_window": 64, "repetition_penalty": 1, "frequency_penalty": 0, "presence_penalty": 0},
    "dry": {"dry_multiplier": 0, "dry_base": 1.75, "dry_allowed_length": 2, "dry_penalty_last_n": 300},
    "mirostat_v2": {"mirostat_tau": 5, "mirostat_eta": 0.1},
    "temp_ext": {"temperature": 1, "dynatemp_range": 0, "dynatemp_exponent": 1},
}


def options(case: str) -> dict[str, Any]:
    """All that a case asks for, by Sampling's names."""
    found: dict[str, Any] = {"temperature": 1.0}
    for name, given in CASES[case]:
        found |= DEFAULTS.get(name, {}) | given | ({"mirostat": 2} if name == "mirostat_v2" else {})
    return found


def inputs(case: str, breaker: int) -> tuple[Any, Any]:
    """The logits, float32 [vocabulary], and the tokens before, uint32, which repeat themselves; one is the breaker."""
    random = np.random.default_rng(zlib.crc32(case.encode()))
    logits = (2.5 * random.standard_normal(VOCABULARY)).astype(np.float32)
    said = random.integers(20, 24, 150)
    said[-5:] = said[-25:-20] = said[30:35]
    said[_BREAKER_AT] = breaker
    logits[20:24] += 3
    return logits, said.astype(np.uint32)


def left_by(lib: Any, vocabulary: Any, breaker: bytes, id: int, case: str) -> dict[str, Any]:
    """The probabilities of what llama.cpp leaves, 0 of the others; of mirostat the token that it takes, and the same of
    what it leaves of these logits thereafter."""
    logits, tokens = inputs(case, id)
    chain = []
    for name, given in CASES[case]:
        values = list((DEFAULTS.get(name, {}) | given).values())
        make = getattr(lib, f"llama_sampler_init_{name}")
        match name:
            case "logit_bias":
                biases = (lib.llama_logit_bias * len(given["logit_bias"]))(*given["logit_bias"].items())
                chain.append(make(VOCABULARY, len(biases), biases))
            case "dry":
                chain.append(make(vocabulary, *values, (ctypes.c_char_p * 1)(breaker), 1))
            case "mirostat_v2":
                chain.append(make(7, *values))
            case "penalties":
                chain.append(make(VOCABULARY, *values))
            case "xtc":
                chain.append(make(*values, 1, 7))
            case "typical" | "top_p" | "min_p":
                chain.append(make(*values, 1))
            case _:
                chain.append(make(*values))
    for token in tokens:
        for sampler in chain:
            lib.llama_sampler_accept(sampler, int(token))
    found: dict[str, Any] = {}
    for key in ("", "then ") if case.startswith("mirostat") else ("",):
        data = (lib.llama_token_data * VOCABULARY)(*((i, float(logits[i]), 0.0) for i in range(VOCABULARY)))
        array = lib.llama_token_data_array(data=data, size=VOCABULARY, selected=-1, sorted=False)
        for sampler in chain:
            lib.llama_sampler_apply(sampler, ctypes.byref(array))
        left = sorted((array.data[i].id, array.data[i].logit) for i in range(array.size))
        left = [(i, logit) for i, logit in left if logit > -1e30]
        weights = np.exp(np.array([logit for _, logit in left]) - max(logit for _, logit in left))
        dense = np.zeros(VOCABULARY)
        dense[[i for i, _ in left]] = weights / weights.sum()
        found[f"{key}p"] = [round(p, 6) for p in dense.tolist()]
        if array.selected >= 0:
            found[f"{key}taken"] = array.data[array.selected].id
    return found


def main(model: str, made_with: str, breaker: str = ":") -> None:
    import llama_cpp.llama_cpp as lib  # type: ignore[import-not-found]

    lib.llama_backend_init()
    params = lib.llama_model_default_params()
    params.vocab_only = True
    vocabulary = lib.llama_model_get_vocab(lib.llama_model_load_from_file(model.encode(), params))
    text, ids = breaker.encode(), (ctypes.c_int32 * 8)()
    assert lib.llama_tokenize(vocabulary, text, len(text), ids, 8, False, False) == 1
    cases = {case: left_by(lib, vocabulary, text, ids[0], case) for case in CASES}
    rows = ",\n".join(f"  {json.dumps(case)}: {json.dumps(found)}" for case, found in cases.items())
    DATA.write_text(f'{{"made_with": {json.dumps(made_with)}, "breaker": {ids[0]}, "cases": {{\n{rows}\n}}}}\n')


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) > 2 else sys.exit(__doc__)
