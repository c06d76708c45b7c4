"""`tuner sweeps`: list saved sweeps, and remove old ones."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tuner.cli import options, values
from tuner.cli.config import state_dir
from tuner.cli.groups import WhereOptions, spread
from tuner.cli.saved import kept_names
from tuner.cli.screen import agree, say, show_json, show_text
from tuner.cli.staleness import Live, SinceOptions, show_stale
from tuner.errors import UsageError
from tuner.model.interval import counted
from tuner.report.json import headed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tuner.api.kept import KeptSweep

EPILOG = """\
tuner sweeps

tuner sweeps resize-images --since 30d --json

tuner sweeps --stale --logs exported/

tuner sweeps resize-images --stale --live

tuner sweeps --prune --keep 5 --dry-run

tuner sweeps --prune --older-than 90 --environment local --yes"""


@spread
def sweeps(
    function_name: Annotated[
        str | None,
        typer.Argument(metavar="FUNCTION", help="Only this function's.", autocompletion=kept_names),
    ] = None,
    *,
    environment: Annotated[
        Literal["aws", "local"] | None,
        typer.Option(help="Only those measured on AWS, or on this machine."),
    ] = None,
    since: Annotated[
        Any, typer.Option(metavar="DATE", parser=values.since, help="2026-11-01, or 7d for a week.")
    ] = None,
    stale: Annotated[
        bool,
        typer.Option(
            "--stale",
            help="Only those whose recommendation is stale, and why: what moved since by --logs, "
            "--live and today's prices.",
        ),
    ] = False,
    live: Live = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove what --keep and --older-than don't keep.")
    ] = False,
    keep: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Keep the newest N of each function.")
    ] = None,
    older_than: Annotated[
        float | None, typer.Option(min=0, metavar="DAYS", help="Keep those from the last days.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be removed, and end.")
    ] = False,
    read: SinceOptions,
    where: WhereOptions,
    json: options.JsonOutput = False,
) -> int:
    """List saved sweeps, newest first: function, date, verdict, size and name.

    Other commands take a function's name for its newest sweep, or a sweep's name from this list.
    With --stale, the newest of each function is held against what came since: the code that runs,
    how long invocations take, the memory they use, and prices. With --prune, sweeps are removed
    once you agree, but never one that is running or that tuner recover still has to restore.
    """
    from tuner.api.kept import choose_old, list_sweeps, remove

    if not prune and (keep is not None or older_than is not None):
        raise UsageError("--keep and --older-than go with --prune: give that too")
    read.check(stale=stale, live=live, prune=prune)
    folder = state_dir()
    found = list_sweeps(folder, function=function_name, environment=environment, since=since)
    if stale:
        return show_stale(found, read, where, live=live, json=json)
    if prune:
        found = choose_old(found, keep=keep, older_than_days=older_than, now=datetime.now(UTC))
    done = prune and bool(found) and not dry_run and (read.yes or _agreed(found, folder))
    if done:
        found = remove(found, folder)
    if json:
        head = {**headed("sweeps"), "folder": str(folder / "sweeps")}
        pruned = {"dry_run": dry_run, "removed": done} if prune else {}
        show_json({**head, **pruned, "sweeps": [each.to_dict() for each in found]})
    elif not found:
        show_text(
            "Nothing to remove.\n" if prune else f"No such sweep is kept in {folder / 'sweeps'}.\n"
        )
    elif done:
        show_text(f"Removed {counted(len(found), 'sweep')}.\n")
    elif not prune or dry_run:
        show_text(f"{_table(found, folder)}\n")
    return 0


def _agreed(found: "Sequence[KeptSweep]", folder: "Path") -> bool:
    for line in _table(found, folder).splitlines():
        say(line)
    return agree(f"Remove {counted(len(found), 'sweep')}?")


def _table(found: "Sequence[KeptSweep]", folder: "Path") -> str:
    from tuner.report.console import table_lines
    from tuner.report.sanitize import plain

    rows = [("function", "when (UTC)", "where", "verdict", "MB", "sweep")]
    for each in found:
        item = each.to_dict()
        now, then = item["current_mb"], item["memory_mb"]
        verdict = item["verdict"] or ("unreadable" if each.sweep is None else "unknown")
        rows.append(
            (
                plain(each.function),
                f"{each.started_at:%Y-%m-%d %H:%M}",
                item["environment"] or "",
                f"{verdict}, in use" if each.is_live else verdict,
                str(now or "") if then in (None, now) else f"{now} → {then}",
                plain(item["id"]),
            )
        )
    lines = table_lines(rows, "<<<<<<", indent=0)
    return "\n".join([*lines, "", f"Files are in {folder / 'sweeps'}."])
