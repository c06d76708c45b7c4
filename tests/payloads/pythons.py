"""Finds other Python interpreters that the project supports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def other_pythons() -> list[str]:
    """Interpreters of other minor versions from 3.11 on: on the PATH, and beside this one's own
    installation."""
    found: dict[str, str] = {}
    base = Path(sys.base_prefix).resolve()
    folders = [Path(each) for each in os.environ.get("PATH", "").split(os.pathsep) if each]
    folders += sorted(each / "bin" for each in base.parent.glob("3.*"))
    for minor in range(11, 16):
        if minor == sys.version_info.minor:
            continue
        for folder in folders:
            python = folder / f"python3.{minor}"
            if python.is_file() and _runs(str(python), minor):
                found[f"3.{minor}"] = str(python)
                break
    return list(found.values())


def _runs(python: str, minor: int) -> bool:
    ran = subprocess.run(
        [python, "-c", "import sys; print(sys.version_info.minor)"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    return ran.returncode == 0 and ran.stdout.strip() == str(minor)
