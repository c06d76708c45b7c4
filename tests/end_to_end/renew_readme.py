"""`make readme`: runs the commands that README and documentation show and puts in what they print.

With `--saved` only those that measure nothing: they are the same on a busy machine.
"""

from __future__ import annotations

import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.end_to_end.running import tuner
from tests.end_to_end.test_readme import BLOCK, PAGES

if TYPE_CHECKING:
    import re


def main() -> None:
    """Replace every shown block; stderr is shown only where a run is measured."""
    for page in PAGES:
        page.write_text(BLOCK.sub(_renewed, page.read_text()))


def _renewed(block: re.Match[str]) -> str:
    how, arguments = block["how"], block["arguments"]
    measured = how == "shape"
    if measured and "--saved" in sys.argv:
        return block.group()
    with tempfile.TemporaryDirectory() as folder:
        ran = tuner(*shlex.split(arguments), state_dir=Path(folder))
    if ran.returncode != 0:
        raise RuntimeError(f"tuner {arguments}: {ran.stderr}")
    shown = (ran.stderr if measured else "") + ran.stdout
    lines = "\n".join(line.rstrip() if measured else line for line in shown.splitlines())
    return f"<!-- {how}: tuner {arguments} -->\n```console\n$ tuner {arguments}\n{lines}\n```"


if __name__ == "__main__":
    main()
