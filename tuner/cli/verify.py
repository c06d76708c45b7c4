"""`tuner verify`: what a change of memory saved, against the forecast of its sweep."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tuner.cli import options, picture
from tuner.cli.config import state_dir
from tuner.cli.flags import shown
from tuner.cli.groups import WhereOptions, spread
from tuner.cli.reading import Discount, ReadOptions, Source
from tuner.cli.saved import kept_names, load
from tuner.cli.screen import show
from tuner.errors import UsageError

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
    from tuner.report.verification import render, to_json

    loaded = load(sweep)
    request = read.request(where, source, discount_percent, loaded.function.region)
    found = verified(loaded, request, read.caller())
    show(found, to_json, render, json=json)
    picture.write_too(to_json(shown(found)), out_file)
    return 0


def _show_ledger(*, json: bool, out_file: Path | None) -> int:
    from tuner.api.verifying import ledger
    from tuner.report.verification import ledger_json, render_ledger

    record, outcomes = ledger(state_dir())
    to_json, render = partial(ledger_json, record), partial(render_ledger, record)
    show(outcomes, to_json, render, json=json)
    picture.write_too(to_json(outcomes), out_file)
    return 0
