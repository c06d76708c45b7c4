"""Builds functions on request: with pip, npm, esbuild, go, cargo or the Makefile's target.

The template's folders are only read. The tool depends on the function, as with `sam build`: the
template's BuildMethod, else requirements.txt or package.json.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.errors import LocalError
from tuner.local.template_report import missing_sdk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from tuner.iac import TemplateLayer
    from tuner.local.deployment import FunctionDefinition

LIMIT_S: Final = 600.0
_GROUP_LEADER: Final = """
import os, signal, subprocess, sys, threading

def end_all():
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)

threading.Thread(target=end_all, daemon=True).start()
code = subprocess.call(sys.argv[1:], stdin=subprocess.DEVNULL)
sys.stdout.flush()
os._exit(code if code >= 0 else 1)
"""
"""Runs a tool in a process group that ends with its parent, however that ends: its standard input
closes then."""
_NOT_COPIED: Final = ("__pycache__", ".git", ".aws-sam")
_ESBUILD_OPTIONS: Final = {
    "External": "--external:",
    "Format": "--format=",
    "Target": "--target=",
    "OutExtension": "--out-extension:",
    "MainFields": "--main-fields=",
    "Loader": "--loader:",
    "Banner": "--banner:",
}


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds into its own folders below `root`, which its owner removes."""

    root: Path
    only: Collection[str] | None = None
    """The functions to build, by name; None: all."""
    on_step: Callable[[str], None] = lambda _: None
    """Is told what begins."""

    def is_for(self, function: FunctionDefinition) -> bool:
        """Whether to build this function."""
        return self.only is None or function.name in self.only

    def build(self, function: FunctionDefinition) -> Path | None:
        """Return the folder to deploy; None if there is nothing to build.

        Raises LocalError with the tool's last words.
        """
        code_dir, method = function.code_dir, function.build_method
        target, sdk = self.root / function.name, missing_sdk(function)
        if code_dir is None and function.inline_code is not None and sdk:
            code_dir = self.root / f"{function.name}.inline"
            code_dir.mkdir(parents=True)
            (code_dir / "index.js").write_text(function.inline_code, encoding="utf-8")
        if code_dir is None or code_dir.is_file():  # nothing to build, or packed already
            return None
        match method:
            case "makefile":
                self._make(function.name, function.logical_id, code_dir, target)
            case "esbuild":
                self._esbuild(function, code_dir, target, sdk)
            case "go" | "go1.x":
                self._go(function, code_dir, target)
            case "rust-cargolambda":
                self._cargo(function, code_dir, target)
            case _:
                _check_method(method)
                if not (function.has_requirements or sdk):
                    return None
                if function.runtime.startswith("nodejs"):
                    self._npm(function.name, code_dir, target, sdk)
                else:
                    self._pip(function.name, function.runtime, code_dir, target)
        return target

    def build_layer(self, layer: TemplateLayer) -> Path | None:
        """Return a layer's built folder, as it is for /opt; None if there is nothing to build."""
        method, target = layer.build_method, self.root / f"layer-{layer.name}"
        if method is None or layer.folder.is_file():
            return None
        what = f"layer {layer.name}"
        if method == "makefile":
            self._make(what, layer.logical_id, layer.folder, target)
            return target
        _check_method(method)
        if method.startswith("nodejs"):
            self._npm(what, layer.folder, target / "nodejs")
        else:
            self._pip(what, method, layer.folder, target / "python")
        return target

    def _pip(self, what: str, runtime: str, code_dir: Path, target: Path) -> None:
        """Install first and copy the code over it: the function's own files win."""
        from tuner.local.execution.runtime.interpreter import (  # noqa: PLC0415 - only to build
            find_interpreter,
        )

        target.mkdir(parents=True)
        if (code_dir / "requirements.txt").is_file():
            self.on_step(f"building {what}: pip install")
            python = find_interpreter(runtime, self.root / "packages").executable
            options = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-compile")
            needed = ("--requirement", "requirements.txt", "--target", str(target))
            _run([python, "-m", "pip", "install", *options, *needed], code_dir)
        _copy(code_dir, target)

    def _npm(
        self,
        what: str,
        code_dir: Path,
        target: Path,
        more: Sequence[str] = (),
        kinds: str = "--omit=dev",
    ) -> None:
        """Install what package.json names, and `more`: parts of the SDK that Lambda includes."""
        _copy(code_dir, target)
        options = (kinds, "--no-audit", "--no-fund", "--no-update-notifier")
        if (target / "package.json").is_file():
            locked = (target / "package-lock.json").is_file()
            command = ["ci"] if locked else ["install", "--no-package-lock"]
            self.on_step(f"building {what}: npm {command[0]}")
            _run(["npm", *command, *options, "--loglevel=error"], target)
        if more:
            self.on_step(f"building {what}: npm install {' '.join(more)}")
            (target / "node_modules").mkdir(exist_ok=True)  # or npm looks for one further up
            command = ["install", "--no-package-lock", "--save-prod", *more]
            _run(["npm", *command, *options, "--loglevel=error"], target)

    def _make(self, what: str, logical_id: str, code_dir: Path, target: Path) -> None:
        """Run the target build-LOGICALID, as `sam build` does for BuildMethod: makefile."""
        self.on_step(f"building {what}: make build-{logical_id}")
        copy = self.root / f"{logical_id}.source"
        _copy(code_dir, copy)
        target.mkdir(parents=True)
        _run(["make", f"build-{logical_id}"], copy, variables={"ARTIFACTS_DIR": str(target)})

    def _esbuild(
        self, function: FunctionDefinition, code_dir: Path, target: Path, sdk: Sequence[str]
    ) -> None:
        """Bundle with the project's own esbuild, or the one that npm fetches."""
        _check_tool("esbuild", "npm")
        entries = dict(function.build_properties).get("EntryPoints") or _entry(function, code_dir)
        copy = self.root / f"{function.name}.source"
        self._npm(function.name, code_dir, copy, sdk, "--include=dev")
        (copy / "node_modules").mkdir(exist_ok=True)  # or npm looks for one further up
        self.on_step(f"building {function.name}: esbuild")
        options = ("--bundle", "--platform=node", f"--outdir={target}", "--log-level=error")
        command = ("npm", "exec", "--yes", "--package=esbuild", "--", "esbuild")
        _run([*command, *entries, *options, *_esbuild_options(function.build_properties)], copy)

    def _go(self, function: FunctionDefinition, code_dir: Path, target: Path) -> None:
        """Compile in the folder itself, which go doesn't change: modules may be beside it."""
        _check_tool("go", "go")
        self.on_step(f"building {function.name}: go build")
        target.mkdir(parents=True)
        _run(["go", "build", "-buildvcs=false", "-o", str(target / "bootstrap"), "."], code_dir)

    def _cargo(self, function: FunctionDefinition, code_dir: Path, target: Path) -> None:
        """Compile with cargo alone: what cargo-lambda adds is for other machines."""
        _check_tool("rust-cargolambda", "cargo")
        self.on_step(f"building {function.name}: cargo build")
        copy, out = self.root / f"{function.name}.source", self.root / f"{function.name}.cargo"
        _copy(code_dir, copy, "target")
        binary = dict(function.build_properties).get("Binary", ())
        chosen = [f"--bin={name}" for name in binary]
        _run(["cargo", "build", "--release", "--quiet", f"--target-dir={out}", *chosen], copy)
        target.mkdir(parents=True)
        shutil.copy2(_program(out, (*binary, function.handler)), target / "bootstrap")


def _copy(folder: Path, target: Path, *left_out: str) -> None:
    """Copy a folder, without what isn't code, and links that lead nowhere. Raises LocalError."""
    ignored = shutil.ignore_patterns(*_NOT_COPIED, *left_out)
    try:
        shutil.copytree(
            folder, target, dirs_exist_ok=True, ignore=ignored, ignore_dangling_symlinks=True
        )
    except shutil.Error as error:
        path, _, why = error.args[0][0]
        raise LocalError(f"{path} can't be copied to be built: {why}") from None
    except OSError as error:
        raise LocalError(f"{folder} can't be copied to be built: {error.strerror}") from None


def _entry(function: FunctionDefinition, code_dir: Path) -> tuple[str, ...]:
    """Find the handler's source; its relative path is kept."""
    stem = handler_stem(function.handler)
    for ending in ("ts", "mts", "cts", "tsx", "js", "mjs", "cjs", "jsx"):
        if (code_dir / f"{stem}.{ending}").is_file():
            return (f"{stem}.{ending}", "--outbase=.")
    raise LocalError(
        f"the BuildMethod esbuild finds no {stem}.ts or {stem}.js in {code_dir}: name EntryPoints "
        "in BuildProperties"
    )


def handler_stem(handler: str) -> str:
    """Return the file that a Node.js handler names, without its extension: "src/app"."""
    folder, slash, base = handler.rpartition("/")
    return f"{folder}{slash}{base.partition('.')[0]}"


def _esbuild_options(properties: Sequence[tuple[str, Sequence[str]]]) -> Iterator[str]:
    for name, values in properties:
        if name in ("Minify", "Sourcemap"):
            yield from [f"--{name.lower()}"] if values == ("true",) else []
        elif name in _ESBUILD_OPTIONS:
            # Lambda brings the SDK along and this machine does not: it goes into the bundle.
            kept = [each for each in values if name != "External" or "aws-sdk" not in each]
            yield from (f"{_ESBUILD_OPTIONS[name]}{value}" for value in kept)


def _program(out: Path, names: Sequence[str]) -> Path:
    """Choose what cargo built: the named program, or the only one."""
    folders = (out / "release", *out.glob("*/release"))
    made = [
        file
        for folder in folders
        for file in sorted(folder.glob("*"))
        if file.is_file() and not file.suffix and os.access(file, os.X_OK)
    ]
    named = [file for name in names for file in made if file.name == name]
    if named or len(made) == 1:
        return (named or made)[0]
    programs = ", ".join(file.name for file in made) or "none"
    raise LocalError(
        f"cargo built several programs or none ({programs}): name the one as Binary in "
        "BuildProperties"
    )


def _check_tool(method: str, tool: str) -> None:
    if shutil.which(tool) is None:
        raise LocalError(
            f"the BuildMethod {method} needs {tool}, which is not on PATH: install it, or build "
            "elsewhere and name the folder with the result"
        )


def _check_method(method: str | None) -> None:
    if method is not None and not method.startswith(("python", "nodejs")):
        raise LocalError(
            f"the BuildMethod {method} is not supported: build it with its own tool, and name "
            "its output folder"
        )


def _run(command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None) -> None:
    """Run a tool with the caller's environment, which sets indexes, proxies and caches."""
    tool = command[2] if command[1] == "-m" else command[0]
    executable = shutil.which(command[0])
    if executable is None:
        raise LocalError(f"{command[0]} is not on PATH, which `build=True` needs")
    leader = subprocess.Popen(  # noqa: S603 - what the user asked to build with
        [sys.executable, "-I", "-S", "-c", _GROUP_LEADER, executable, *command[1:]],
        cwd=folder,
        env={**os.environ, **(variables or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, complaints = _output_of(leader)
    except subprocess.TimeoutExpired:
        raise LocalError(f"{tool} took over {LIMIT_S:.0f} s in {folder}") from None
    finally:
        _end_group(leader)
    if leader.returncode != 0:
        raise LocalError(f"{tool} failed: {_last_words(complaints or output)}")


def _output_of(leader: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Read all output until the end; standard input stays open, because its end is a signal."""
    assert leader.stdin is not None
    with leader.stdin:
        leader.stdin = None  # communicate() would close it
        return leader.communicate(timeout=LIMIT_S)


def _end_group(leader: subprocess.Popen[bytes]) -> None:
    """End the tool and everything it started, if anything is left of it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
    for pipe in (leader.stdout, leader.stderr):
        if pipe is not None:
            pipe.close()


def with_named(wanted: str, functions: Sequence[FunctionDefinition]) -> frozenset[str]:
    """Return `wanted` and the functions that its variables name, and theirs in turn."""
    by_name = {function.name: function for function in functions}
    found: set[str] = set()
    ahead = [wanted] if wanted in by_name else []
    while ahead:
        name = ahead.pop()
        found.add(name)
        values = " ".join(value for _, value in by_name[name].environment)
        said = set(re.findall(r"[A-Za-z0-9_-]+", values))
        ahead += sorted(said.intersection(by_name) - found)
    return frozenset(found)


def _last_words(output: bytes) -> str:
    """Choose the most telling line: the first error, else the last line."""
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines()]
    said = [line for line in lines if line]
    errors = [line for line in said if line.lower().startswith(("error", "npm err", "npm error"))]
    return ([*errors, *said[-1:]] or ["it said nothing"])[0][:300]
