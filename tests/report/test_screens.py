"""The five screens that an operator meets, held as they are.

`python -m tests.report.test_screens` writes them again: look at what changed.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.cli.running import run_here
from tests.sweeps import cpu_bound_ms, made_function, made_sweep, save_sweep

if TYPE_CHECKING:
    from tuner.model.sweep import Sweep

FOLDER: Final = Path(__file__).parent / "screens"
IN_2025: Final = "1764547200"  # no price is old


def resize() -> Sweep:
    """Half waiting, half computing, with far too much memory."""
    return made_sweep(lambda mb: 60 + 100 * 1769 / min(mb, 1769), current_mb=3008, warm_count=2)


def keep() -> Sweep:
    """One thread at one core, where it belongs."""
    return made_sweep(cpu_bound_ms, current_mb=1769)


def flat() -> Sweep:
    """One thread that only computes: costs the same up to a core, and is faster there."""
    return made_sweep(lambda mb: 400 * 1769 / min(mb, 1769), current_mb=512, warm_count=6)


def inconclusive() -> Sweep:
    """Too few calls for so much noise."""
    sizes = (512, 704, 1024)
    return made_sweep(
        lambda mb: 60 + 100 * 1769 / mb,
        sizes_mb=sizes,
        current_mb=704,
        warm_count=1,
        noise_ratio=0.3,
    )


def container() -> Sweep:
    """Waits, a thousand times a second."""
    return made_sweep(lambda mb: 250 + 5 * 1769 / min(mb, 1769))


SCREENS: Final = {
    "resize": (resize, ("--rate", "4.2/s")),
    "keep": (keep, ("--rate", "4.2/s")),
    "flat": (flat, ()),
    "inconclusive": (inconclusive, ()),
    "container": (container, ("--rate", "1000/s")),
}


def screen(name: str, folder: Path) -> str:
    """What `tuner report` shows of a sweep."""
    make, options = SCREENS[name]
    function = made_function(make().function.memory_mb, name="resize-images")
    save_sweep(folder / "sweep.jsonl", replace(make(), function=function))
    ran = run_here(
        *("report", "sweep.jsonl", *options),
        cwd=folder,
        COLUMNS="100",
        SOURCE_DATE_EPOCH=IN_2025,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_as_it_was_looked_at(name: str, tmp_path: Path) -> None:
    """Every word, figure and space of a resize, a keep, a flat cost, a doubt and a leave."""
    assert screen(name, tmp_path) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8"), (
        "if that is meant: python -m tests.report.test_screens"
    )


def main() -> None:
    """Write them again."""
    FOLDER.mkdir(exist_ok=True)
    for name in SCREENS:
        with tempfile.TemporaryDirectory() as folder:
            (FOLDER / f"{name}.txt").write_text(screen(name, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
