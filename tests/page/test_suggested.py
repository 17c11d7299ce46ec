"""The suggested models, as the page and the README have them."""

from __future__ import annotations

import re

from web.build import paths

ROW = re.compile(
    r'name: "(.+?)",\s+purpose: "\w+",\s+reference: "(.+?)",\s+licence: "(.+?)",'
    r"\s+bytes: ([\d.e]+),\s+memory: ([\d.e]+),",
    re.DOTALL,
)
SUGGESTED = ROW.findall((paths.WEB / "page" / "suggested.js").read_text(encoding="utf-8"))


def test_each_is_a_file_and_takes_no_less_memory_than_it_has_bytes() -> None:
    assert len(SUGGESTED) >= 10
    for _, reference, licence, size, memory in SUGGESTED:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+/[\w./-]+\.gguf", reference)
        assert licence and float(size) + 1e8 <= float(memory) < 2.5 * float(size)
    sizes = [float(size) for *_, size, _ in SUGGESTED]
    assert sizes == sorted(sizes)


def test_the_readme_has_the_same() -> None:
    text = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| \[(.+?)\]\(https://huggingface.co/(.+?)\) \| ([\d.]+) GB \| (.+?) \| ([\d.]+) GB \|", text)
    expected = [
        (name, reference.rpartition("/")[0], f"{float(size) / 1e9:.2f}", licence, f"{float(memory) / 1e9:.2f}")
        for name, reference, licence, size, memory in SUGGESTED
    ]
    assert rows == expected
