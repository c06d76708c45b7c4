"""`tuner fleet plan`: which functions to sweep, in which order."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from tuner.cli import options, values
from tuner.cli.flags import shown, with_flags
from tuner.cli.fleet import SideEffectsOption
from tuner.cli.groups import WhereOptions, spread
from tuner.cli.screen import encoding, say, show_json, show_text, width

EPILOG = """\
tuner fleet plan --scan scan.json --budget-usd 5 --out fleet

tuner fleet plan --functions names.txt --payload event.json --budget-usd 1 --out fleet

tuner fleet run fleet"""


@dataclass(frozen=True, slots=True)
class ChosenOptions:
    """Which functions there are, and what they are sent."""

    scan: Annotated[
        Path | None,
        options.measure_option(metavar="FILE", help="Functions of a scan (tuner scan --json)."),
    ] = None
    functions: Annotated[
        Path | None,
        options.measure_option(
            metavar="FILE", help="Names or ARNs, one a line; # begins a comment."
        ),
    ] = None
    tag: Annotated[
        str | None, options.measure_option(metavar="KEY=VALUE", help="Functions with this tag.")
    ] = None
    payload: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="FILE|FOLDER|JSON",
            help="Event for functions without their own, as in tuner tune. Repeatable.",
        ),
    ] = None
    settings: Annotated[
        Path | None,
        options.measure_option(
            metavar="FILE",
            help="Payloads, side effects, accounts and hours (default: fleet.toml here).",
        ),
    ] = None


@spread
def plan(
    *,
    chosen: ChosenOptions,
    goal: options.GoalOption = None,
    budget_usd: Annotated[
        float, options.limits_option(**options.AMOUNT, help="What all sweeps together may cost.")
    ],
    harmless: SideEffectsOption = None,
    out_folder: Annotated[
        Path, options.output_option("--out", metavar="DIR", help="Folder of the fleet, new.")
    ],
    where: WhereOptions,
    regions: Annotated[
        str | None, options.where_option(metavar="REGION,…", help="Regions to look in for --tag.")
    ] = None,
    json: options.JsonOutput = False,
) -> int:
    """Choose which functions to sweep, in the order of what a sweep is worth per dollar.

    Functions that a scan has answered from logs aren't swept. Nothing is changed: it shows hours,
    calls and dollars, and what is left out and why.
    """
    from tuner.api.fleet import FleetRequest, plan_fleet
    from tuner.report import fleet as report

    request = FleetRequest(
        budget_usd=budget_usd,
        out=out_folder,
        scan=chosen.scan,
        functions=chosen.functions,
        tag=chosen.tag,
        payloads=tuple(chosen.payload or ()),
        settings=chosen.settings,
        goal=goal or "cost",
        allow_side_effects=frozenset(harmless or ()),
        regions=values.regions(regions),
        **asdict(where),
    )
    now = datetime.now(UTC)
    folder, estimate = plan_fleet(request, now=now, working_dir=Path.cwd(), tell=say)
    if json:
        show_json(report.plan_json(shown(folder.status(now)), estimate))
    else:
        text = report.render_plan(folder.plan, estimate, width=width(), encoding=encoding())
        show_text(with_flags(text))
        if folder.plan.items:
            show_text(f"Run it: tuner fleet run {out_folder}\n")
    return 0
