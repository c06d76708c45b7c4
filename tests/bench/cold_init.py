"""INIT at a left-out size, from the other sizes: public cold starts of every managed runtime.

Ten cold starts each of about 560 combinations of runtime, package, architecture and size on six
days (TUNER_BENCH_INITS: day, runtime, package, architecture, memory_mb, init_ms_of_ten). The
spreads in `tuner.cold.init_curve` are from the combinations whose digest is even; the figures here
are of the others alone.
"""

from __future__ import annotations

import csv
import os
import zlib
from collections import defaultdict
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Final

from tuner.cold.init_curve import fit_init

if TYPE_CHECKING:
    from collections.abc import Iterator

INITS: Final = Path(
    os.environ.get("TUNER_BENCH_INITS", "../shared/data/lambda-perf/cold_starts.csv")
)
_TARGET: Final = 0.10
_SOME: Final = 5
"""Cold starts a size, as `tuner cold` measures by default."""


def rows() -> Iterator[tuple[str, str, str, bool]]:
    """(what, target, measured, held)."""
    if not INITS.exists():
        return
    combinations = [each for name, each in read() if zlib.crc32(repr(name).encode()) % 2]
    for count in (10, _SOME):
        errors: dict[int, list[float]] = defaultdict(list)
        inside: list[bool] = []
        for of_sizes in combinations:
            for left_out, its_own in of_sizes.items():
                rest = {mb: ms[:count] for mb, ms in of_sizes.items() if mb != left_out}
                curve = fit_init(rest)
                if curve is None:
                    continue
                told, truth = curve.at(left_out), fmean(its_own)
                errors[left_out].append(abs(told.estimate / truth - 1))
                inside.append(told.low <= truth <= told.high)
        every = [error for of in errors.values() for error in of]
        by_size = ", ".join(f"{mb} MB {median(of) * 100:.1f}%" for mb, of in sorted(errors.items()))
        yield (
            f"INIT at a left-out size, {count} cold starts at the others ({len(every):,} cases)",
            f"median error at most {_TARGET * 100:g}%",
            f"{median(every) * 100:.1f}% ({by_size}); {fmean(inside) * 100:.0f}% within 90%",
            median(every) <= _TARGET,
        )


def read() -> Iterator[tuple[tuple[str, ...], dict[int, tuple[float, ...]]]]:
    """Each combination of a day, and its INIT by size."""
    found: dict[tuple[str, ...], dict[int, tuple[float, ...]]] = defaultdict(dict)
    with INITS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = (row["runtime"], row["package"], row["architecture"], row["day"])
            ten = tuple(float(ms) for ms in row["init_ms_of_ten"].split())
            if ten:
                found[name][int(row["memory_mb"])] = ten
    yield from found.items()
