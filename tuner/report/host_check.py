"""What `tuner local check` measured, as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import counted
from tuner.report import numbers
from tuner.report.console import as_text, table_lines
from tuner.report.json import headed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.host_check import HostCheck, ShareCheck

_TITLES: Final = ("memory", "Lambda", "measured", "off", "jitter", "bare loop", "")


def render(checks: Sequence[HostCheck], *, encoding: str = "utf-8") -> str:
    """A table for each control, and up to where it can be trusted."""
    lines = [line for check in checks for line in ("", *_lines(check))]
    return as_text(lines[1:], encoding)


def to_json(checks: Sequence[HostCheck]) -> dict[str, Any]:
    """One object; shares are cores, ratios are plain numbers (0.05 is 5%)."""
    return {
        **headed("host_check"),
        "checks": [_check(check) for check in checks],
    }


def untrue(check: HostCheck) -> str | None:
    """What is wrong, in a clause; None if every size is true."""
    wrong = check.first_untrue
    if wrong is None:
        return None
    return (
        f"at {numbers.memory(wrong.memory_mb)} a handler got {_cores(wrong.measured_cores)} of a "
        f"core, {_cores(wrong.expected_cores)} on Lambda"
    )


def _lines(check: HostCheck) -> list[str]:
    cores = counted(check.core_count, "core")
    table = table_lines([_TITLES, *(_cells(check, share) for share in check.shares)], ">>>>>><")
    waiting = numbers.change(check.waiting_off_ratio)
    return [
        f"{check.cpu_control} · {cores} · {_machine(check)}",
        "",
        *table,
        "",
        f"  waiting takes as long at every size: {waiting} at the smallest",
        "",
        *_verdict(check),
    ]


def _machine(check: HostCheck) -> str:
    if check.steal_ratio is None or check.foreign_load_ratio is None:
        return "steal and load can't be read here"
    return (
        f"steal {numbers.percent(check.steal_ratio)}, "
        f"other processes {numbers.percent(check.foreign_load_ratio)} of all cores"
    )


def _cells(check: HostCheck, share: ShareCheck) -> tuple[str, ...]:
    return (
        numbers.memory(share.memory_mb),
        _cores(share.expected_cores),
        _cores(share.measured_cores),
        f"{share.off_ratio * 100:+.1f}%".replace("-", "−"),
        f"{share.jitter_ratio * 100:.1f}%",
        _cores(share.bare_ratio),
        "untrue" if abs(share.off_ratio) > check.tolerance_ratio else "",
    )


def _cores(cores: float) -> str:
    """As percent of one core, with a digit below ten."""
    return f"{cores * 100:.1f}%" if cores < 0.1 else f"{cores * 100:.0f}%"


def _verdict(check: HostCheck) -> list[str]:
    within, trusted_mb = numbers.percent(check.tolerance_ratio), check.trusted_up_to_mb
    true = "NOT ACCURATE at any size"
    if trusted_mb is not None:
        true = f"ACCURATE up to {trusted_mb} MB, within {within}"
    lines = [f"{true}: {untrue(check) or 'all that this machine shows'}."]
    if check.is_busy:
        least = min(share.bare_ratio for share in check.shares)
        lines.append(
            f"! the machine is busy: a loop without any limit got {_cores(least)} of a core at the "
            "worst; check again when it is idle"
        )
    return lines


def _check(check: HostCheck) -> dict[str, Any]:
    fields = asdict(check)
    del fields["shares"]
    return {
        **fields,
        "trusted_up_to_mb": check.trusted_up_to_mb,
        "busy": check.is_busy,
        "sizes": [
            {**asdict(share), "expected_cores": share.expected_cores, "off_ratio": share.off_ratio}
            for share in check.shares
        ],
    }
