"""Builds functions on request: pip, npm or the Makefile's target, in a copy of the code's folder.

The folders of the template are only read. Which tool it is follows from the function, as with
`sam build`: a Makefile where the template says so, else requirements.txt or package.json.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from tuner.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tuner.local.definition import FunctionDefinition, LayerDefinition

LIMIT_S: Final = 600.0
_NOT_COPIED: Final = shutil.ignore_patterns("__pycache__", ".git", ".aws-sam")


class Builder:
    """Builds into folders of its own below `root`, which its owner removes."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def build(self, function: FunctionDefinition) -> Path | None:
        """Return the folder that is to be deployed; None where there is nothing to build.

        Raises LocalError with the tool's last words.
        """
        code_dir, method = function.code_dir, function.build_method
        if code_dir is None:
            return None
        target = self._root / function.name
        if method == "makefile":
            return self._make(function.logical_id, code_dir, target)
        _check_method(method)
        if not function.has_requirements:
            return None
        if function.runtime.startswith("nodejs"):
            return self._npm(code_dir, target)
        return self._pip(function.runtime, code_dir, target)

    def build_layer(self, layer: LayerDefinition) -> Path | None:
        """Return a layer's built folder, as it is for /opt; None where nothing is to be built."""
        method, target = layer.build_method, self._root / f"layer-{layer.name}"
        if method is None:
            return None
        if method == "makefile":
            return self._make(layer.logical_id, layer.folder, target)
        _check_method(method)
        if method.startswith("nodejs"):
            self._npm(layer.folder, target / "nodejs")
        else:
            self._pip(method, layer.folder, target / "python")
        return target

    def _pip(self, runtime: str, code_dir: Path, target: Path) -> Path:
        """Install first and copy the code over it: what the function has itself wins."""
        from tuner.local.execution.runtime.interpreter import (  # noqa: PLC0415 - only to build
            find_interpreter,
        )

        target.mkdir(parents=True)
        if (code_dir / "requirements.txt").is_file():
            python = find_interpreter(runtime, self._root / "packages").executable
            options = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-compile")
            needed = ("--requirement", "requirements.txt", "--target", str(target))
            _run([python, "-m", "pip", "install", *options, *needed], code_dir)
        shutil.copytree(code_dir, target, dirs_exist_ok=True, ignore=_NOT_COPIED)
        return target

    def _npm(self, code_dir: Path, target: Path) -> Path:
        shutil.copytree(code_dir, target, ignore=_NOT_COPIED)
        if (target / "package.json").is_file():
            locked = (target / "package-lock.json").is_file()
            command = ["ci"] if locked else ["install", "--no-package-lock"]
            options = ("--omit=dev", "--no-audit", "--no-fund", "--no-update-notifier")
            _run(["npm", *command, *options, "--loglevel=error"], target)
        return target

    def _make(self, logical_id: str, code_dir: Path, target: Path) -> Path:
        """Run the target build-LOGICALID, as `sam build` does for BuildMethod: makefile."""
        copy = self._root / f"{logical_id}.source"
        shutil.copytree(code_dir, copy, ignore=_NOT_COPIED)
        target.mkdir(parents=True)
        _run(["make", f"build-{logical_id}"], copy, variables={"ARTIFACTS_DIR": str(target)})
        return target


def _check_method(method: str | None) -> None:
    if method is not None and not method.startswith(("python", "nodejs")):
        raise LocalError(
            f"the BuildMethod {method} is not supported: build it with its own tool, and name "
            "the folder that it makes"
        )


def _run(command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None) -> None:
    """Run a tool with the caller's environment: indexes, proxies and caches are set there."""
    tool = command[2] if command[1] == "-m" else command[0]
    executable = shutil.which(command[0])
    if executable is None:
        raise LocalError(f"{command[0]} is not on PATH, which --build needs")
    try:
        done = subprocess.run(  # noqa: S603 - what the user asked to build with
            [executable, *command[1:]],
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LocalError(f"{tool} took over {LIMIT_S:.0f} s in {folder}") from None
    if done.returncode != 0:
        raise LocalError(f"{tool} failed: {_last_words(done.stderr or done.stdout)}")


def _last_words(output: bytes) -> str:
    """Choose the line that says most: the first error, else the last line."""
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines()]
    said = [line for line in lines if line]
    errors = [line for line in said if line.lower().startswith(("error", "npm err", "npm error"))]
    return ([*errors, *said[-1:]] or ["it said nothing"])[0][:300]
