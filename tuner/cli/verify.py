"""`tuner verify`: what a change of memory saved, against the forecast of its sweep."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tuner.cli import options, picture
from tuner.cli.config import state_dir
from tuner.cli.flags import shown, with_flags
from tuner.cli.groups import WhereOptions, spread
from tuner.cli.reading import Discount, ReadOptions, Source
from tuner.cli.saved import kept_names, load
from tuner.cli.screen import encoding, json_text, show_json, show_text, width
from tuner.errors import UsageError

if TYPE_CHECKING:
    from typing import Any

    from tuner.model.verification import Verification

EPILOG = """\
tuner verify resize-images

tuner verify resize-images --days 28 --json

tuner verify sweep.jsonl --logs exported/

tuner verify --ledger"""

COMMON = ("sweep", "logs", "days", "ledger", "region", "profile", "json")
"""What the short help shows."""


@spread
def verify(
    sweep: Annotated[
        str | None,
        typer.Argument(
            metavar="[SWEEP]",
            help="Sweep file, or function's name for its newest sweep.",
            autocompletion=kept_names,
        ),
    ] = None,
    *,
    read: ReadOptions,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="Show how earlier forecasts came out; reads no logs.")
    ] = False,
    discount_percent: Discount = 0.0,
    source: Source = "auto",
    where: WhereOptions,
    json: options.JsonOutput = False,
    out_file: Annotated[Path | None, options.out_option("Write the JSON there too.")] = None,
) -> int:
    """Say what a change of memory saved, against the forecast of its sweep.

    Reads the function's logs as `tuner observe` does, finds when the memory changed, and compares
    what an invocation costs on both sides: within the same minutes or hours where an alias was
    split between versions, else by the days before and after. It changes nothing. Each answer goes
    to a ledger in the state folder; without SWEEP, or with --ledger, that is shown: how often the
    90% intervals held.
    """
    picture.check_out(out_file)
    if ledger or sweep is None:
        if sweep is not None or read.logs:
            raise UsageError("--ledger shows what is verified: leave out SWEEP and --logs")
        return _show_ledger(json=json, out_file=out_file)
    from tuner.api.verifying import verify as verified

    loaded = load(sweep)
    request = read.request(where, source, discount_percent, loaded.function.region)
    found = verified(loaded, request, read.caller())
    _show(shown(found), json=json, out_file=out_file)
    return 0


def _show(found: "Verification", *, json: bool, out_file: Path | None) -> None:
    from tuner.report.verification import render, to_json

    document = to_json(found)
    if json:
        show_json(document)
    else:
        show_text(with_flags(render(found, width=width(), encoding=encoding())))
    _write(document, out_file)


def _show_ledger(*, json: bool, out_file: Path | None) -> int:
    from tuner.api.verifying import ledger
    from tuner.report.verification import ledger_json, render_ledger

    record, outcomes = ledger(state_dir())
    document = ledger_json(record, outcomes)
    if json:
        show_json(document)
    else:
        show_text(render_ledger(record, outcomes, width=width(), encoding=encoding()))
    _write(document, out_file)
    return 0


def _write(document: "dict[str, Any]", out_file: Path | None) -> None:
    """After the answer is shown: a file that can't be written loses nothing."""
    if out_file is not None:
        picture.write(json_text(document).encode(), out_file)
