"""Timing what a module imports: the package that does it, and what is made of its answer."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tuner.cold.imports import (
    Import,
    ImportTimes,
    package_sizes,
    read_times,
    scaled,
    slow_imports,
    timed_package,
)

if TYPE_CHECKING:
    from pathlib import Path


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def unpacked(package: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        archive.extractall(folder)
    return folder


def asked(folder: Path, code: str, *command: str) -> ImportTimes:
    """What the stand-in's handler answers, in a process of its own."""
    ran = subprocess.run(
        [*command, code], cwd=folder, capture_output=True, text=True, check=True,
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    found = read_times(ran.stdout.encode(), None)
    assert found is not None
    return found


PYTHON = {
    "src/app.py": "from src import slow\nimport quick, json\n"
    "assert __name__ == 'src.app' and __file__.endswith('app.py')\n"
    "def handler(event, context):\n    return 'ran'\n",
    "src/__init__.py": "",
    "src/slow.py": "import time\ntime.sleep(0.12)\nimport src.deep\n",
    "src/deep.py": "import time\ntime.sleep(0.06)\n",
    "quick.py": "",
}


def test_a_python_modules_imports_are_timed_each(tmp_path: Path) -> None:
    """By itself and with what it imports first; the module runs under its own name."""
    package = timed_package(zipped(PYTHON), "src/app.handler", "python3.13")
    assert package is not None
    folder = unpacked(package, tmp_path)
    code = "import json, src.app; print(json.dumps(src.app.handler({}, None)))"
    times = asked(folder, code, sys.executable, "-c")
    by_name = {each.module: each for each in times.imports}
    assert times.own.module == "src.app"
    assert times.own.ms >= 180
    assert by_name["src.slow"].ms >= 180
    assert 120 <= by_name["src.slow"].self_ms < by_name["src.slow"].ms
    assert by_name["src.deep"].depth == 2
    assert "json" not in by_name  # it was there before
    named = {each.module for each in slow_imports(times, 300.0)}
    assert "src.slow" in named
    assert "quick" not in named


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js")
@pytest.mark.parametrize("is_module", [False, True])
def test_a_node_modules_requires_are_timed_each(tmp_path: Path, is_module: bool) -> None:
    """By package; those of an ES module as well, where they are CommonJS."""
    slow = "const until = Date.now() + 80; while (Date.now() < until); require('./part.js');"
    files = {
        "node_modules/@scope/slow/package.json": '{"name": "@scope/slow", "main": "lib/main.js"}',
        "node_modules/@scope/slow/lib/main.js": slow,
        "node_modules/@scope/slow/lib/part.js": "exports.part = 1;",
    }
    if is_module:
        files["package.json"] = '{"type": "module"}'
        files["index.js"] = "import '@scope/slow';\nexport const handler = async () => 'ran';"
        code = (
            "import('./index.js').then(async (m) => console.log(JSON.stringify(await m.handler())))"
        )
    else:
        files["index.js"] = "require('@scope/slow');\nexports.handler = async () => 'ran';"
        code = "require('./index.js').handler().then((f) => console.log(JSON.stringify(f)))"
    package = timed_package(zipped(files), "index.handler", "nodejs20.x")
    assert package is not None
    times = asked(unpacked(package, tmp_path), code, "node", "-e")
    assert times.own.ms >= 80
    named = {each.module: each for each in slow_imports(times, 100.0)}
    assert named["@scope/slow/lib/main.js"].self_ms >= 75


@pytest.mark.parametrize("first", ["", "#!/usr/bin/env node\n", "\ufeff"])
def test_what_an_es_module_imports_is_told_from_what_it_does_itself(
    tmp_path: Path, first: str
) -> None:
    """A library takes 120 ms, and the module's own statements 60; a file that is loaded by one of
    these is its own.
    """
    wait = "{{ const until = Date.now() + {}; while (Date.now() < until); }}"
    files = {
        "app.mjs": first + "import { v } from './lib.mjs'; import { createRequire } from 'module';"
        f"\n{wait.format(60)}\ncreateRequire(import.meta.url)('./late.cjs');\n"
        "export const handler = async () => v;\n",
        "lib.mjs": f"{wait.format(120)}\nexport const v = 1;\n",
        "late.cjs": wait.format(30),
    }
    package = timed_package(zipped(files), "app.handler", "nodejs20.x")
    assert package is not None
    code = "import('./app.mjs').then(async (m) => console.log(JSON.stringify(await m.handler())))"
    times = asked(unpacked(package, tmp_path), code, "node", "-e")
    found = {each.module: each for each in times.imports}
    assert 115 <= found["static imports"].ms < found["app.mjs"].ms
    assert found["app.mjs"].self_ms >= 55
    assert found["late.cjs"].self_ms >= 25
    parts = sum(each.self_ms for each in times.imports)
    assert parts == pytest.approx(times.own.ms, rel=0.01)


@pytest.mark.parametrize(
    ("handler", "runtime"),
    [
        ("app.handler", "ruby3.4"),
        ("other.handler", "python3.13"),
        ("no_dot", "python3.13"),
        ("src/app.a b", "python3.13"),
        ("bootstrap", "provided.al2023"),
        ("app.handler", None),
    ],
)
def test_what_cannot_be_timed_is_left_alone(handler: str, runtime: str | None) -> None:
    """Other languages, and handlers that the package doesn't have."""
    assert timed_package(zipped(PYTHON), handler, runtime) is None


def test_packages_are_counted_once() -> None:
    """Of a package that is loaded from two places, each module's time counts once; what it loads of
    others counts with it; and one below 5% of the INIT isn't named.
    """
    times = ImportTimes(
        (
            Import("numpy.core", 60.0, 60.0, 3),
            Import("numpy", 100.0, 40.0, 2),
            Import("pandas.core", 150.0, 150.0, 2),
            Import("pandas", 400.0, 150.0, 1),
            Import("pandas.io", 50.0, 50.0, 1),
            Import("tiny", 20.0, 20.0, 1),
            Import("app", 500.0, 30.0, 0),
        )
    )
    found = {each.module: (each.ms, each.self_ms) for each in slow_imports(times, 600.0)}
    assert found == {"pandas": (450.0, 350.0), "numpy.core": (100.0, 100.0), "app": (30.0, 30.0)}


def test_times_are_brought_to_the_mean_init() -> None:
    """The copy's own INIT was slower: shares stay."""
    times = ImportTimes((Import("a", 500.0, 500.0, 1), Import("app", 600.0, 100.0, 0)), 1200.0)
    told = scaled(times, 600.0)
    assert [each.ms for each in told.imports] == [250.0, 300.0]


@pytest.mark.parametrize(
    "answer", [b"", b"null", b"[]", b'"ran"', b'[["a", 1, 1]]', b'[["a", "x", 1, 0]]', b"[1]"]
)
def test_another_answer_is_no_times(answer: bytes) -> None:
    """A handler that answered itself after all, for one."""
    assert read_times(answer, 100.0) is None


def test_a_packages_sizes_are_its_archive_and_its_files() -> None:
    """In bytes."""
    package = zipped({"a": "x" * 1000, "b": "y" * 24})
    assert package_sizes(package) == (len(package), 1024)
