"""What a sweep's recommendation is held against, to see whether it's stale."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from tuner.cli import options
from tuner.cli.config import state_dir
from tuner.cli.groups import WhereOptions
from tuner.cli.reading import ReadOptions, files_read
from tuner.cli.screen import show_json, show_text
from tuner.errors import UsageError
from tuner.report.json import headed

if TYPE_CHECKING:
    from tuner.api.kept import KeptSweep
    from tuner.api.staleness import Judged, Seen
    from tuner.model.sweep import Sweep


Live = Annotated[
    bool,
    options.measure_option(
        "--live", help="Read each function's code digest, settings and log in its account."
    ),
]


@dataclass(frozen=True, slots=True)
class SinceOptions(ReadOptions):
    """The same, where --yes agrees to whatever the command asks."""

    yes: Annotated[
        bool,
        options.limits_option("--yes", help="Agree to the price of log queries, and to removal."),
    ] = False

    def check(self, *, stale: bool, live: bool, prune: bool) -> None:
        """Raise UsageError for options that don't go together."""
        if stale and prune:
            raise UsageError("--stale shows what to tune again, and --prune removes: give one")
        if (live or self.logs) and not stale:
            raise UsageError("--logs and --live go with --stale: give that too")


def seeing(
    read: ReadOptions, where: WhereOptions, sweeps: "Sequence[Sweep]", *, live: bool
) -> "Callable[[Sweep], Seen]":
    """What says what is known of a function since its sweep. Raises UsageError, InputError."""
    from tuner.api import staleness

    if live and read.logs:
        raise UsageError("--live reads the account and --logs files: give one of them")
    if live:
        return staleness.seen_live(read.live(None, where, "auto", 0.0), read.caller())
    if read.logs:
        files = read.files(None, where.region)
        return staleness.seen_in_files(files, sweeps, state_dir=state_dir(), progress=files_read)
    return staleness.nothing_seen


def show_stale(
    found: "Sequence[KeptSweep]", read: SinceOptions, where: WhereOptions, *, live: bool, json: bool
) -> int:
    """Print which of these sweeps (newest first) are stale, and why."""
    from tuner.api.staleness import judge_kept

    readable = [each.sweep for each in found if each.sweep is not None]
    judged = judge_kept(found, seeing(read, where, readable, live=live))
    stale = [each for each in judged if each.drift is not None and each.drift.is_stale]
    if json:
        unjudged = [each for each in judged if each.drift is None or each.problem]
        show_json(
            {
                **headed("sweeps"),
                "folder": str(state_dir() / "sweeps"),
                "judged_count": len(judged),
                "sweeps": [each.to_dict() for each in stale],
                "unjudged": [each.to_dict() for each in unjudged],
            }
        )
    else:
        show_text(_stale_text(judged, stale))
    return 0


def _stale_text(judged: "Sequence[Judged]", stale: "Sequence[Judged]") -> str:
    from tuner.model.interval import counted
    from tuner.report.sanitize import plain

    lines = []
    for each in stale:
        kept = each.kept
        lines.append(
            f"{plain(kept.function)}, swept {kept.started_at:%Y-%m-%d %H:%M} ({kept.file.stem}): "
            "stale"
        )
        lines += [f"  ! {reason.message}" for reason in (each.drift.reasons if each.drift else ())]
    lines += [
        f"{plain(each.kept.function)}: not all could be read ({plain(each.problem)})"
        for each in judged
        if each.problem
    ]
    verb = "is" if 1 in (len(stale), len(judged)) else "are"
    lines.append(f"{len(stale)} of {counted(len(judged), 'recommendation')} {verb} stale.")
    unchecked = Counter(part for each in judged if each.drift for part in each.drift.unchecked)
    if unchecked:
        missing = ", ".join(f"{part} of {count}" for part, count in unchecked.items())
        lines.append(
            f"Not judged: {missing}. --live reads code and production, --logs production; that "
            "takes three days with 20 warm invocations or more since the sweep."
        )
    return "\n".join(lines) + "\n"
