from __future__ import annotations

from pathlib import Path

import pytest

from tuner.iac.edit import changed_line

FILES = {
    "a.tf": b'resource "x" "f" {\n  memory_size = 128 # now\n  timeout = 3\n}\n',
    "a.ts": b"new Function(this, 'f', {\n  memorySize: 128, // now\n  timeout: 3,\n});\n",
    "a.py": b"\xef\xbb\xbfFunction(self, 'f', memory_size=128, timeout=3)\n",
}


@pytest.mark.parametrize("name", FILES)
def test_a_number_replaced_leaves_the_tree(name: str) -> None:
    """Another number in the place of one is no change elsewhere."""
    data = FILES[name]
    at = data.index(b"128")
    after = data.replace(b"128", b"4096")
    assert changed_line(Path(name), data, after, (at, at + 3), b"4096") is None


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("a.tf", b"128", b"256 /* "),
        ("a.tf", b"3", b"3\n}\nlocals {"),
        ("a.ts", b"128,", b"256 /*,"),
        ("a.ts", b"3", b"3 }, {"),
        ("a.py", b"128,", b"128).x("),
    ],
)
def test_a_change_of_other_code_is_found(name: str, old: bytes, new: bytes) -> None:
    """What swallows a neighbor, or joins it, is found with a line of the new file."""
    data = FILES[name]
    at = data.index(old)
    after = data.replace(old, new)
    assert changed_line(Path(name), data, after, (at, at + len(old)), new) is not None
