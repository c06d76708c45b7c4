"""`tuner report`: the answer again, from saved sweeps."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict

import typer

from tuner.cli import options
from tuner.cli.goal import goal_of

if TYPE_CHECKING:
    from datetime import date

    from tuner.breakeven.question import Terms
    from tuner.model.goal import Goal
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep

EPILOG = """\
tuner report resize-images

tuner report sweep.jsonl --goal speed --max-duration 800ms

tuner report resize-images --format markdown

tuner report resize-images --format html --rate 50/s --out resize-images.html

tuner report resize-images --format svg --out resize-images.svg"""


class Limits(TypedDict):
    """The range of sizes to choose from (None: the sweep's), and the day that prices age by."""

    min_memory_mb: int | None
    max_memory_mb: int | None
    today: "date"


def kept_names(incomplete: str) -> list[str]:
    """Functions with kept sweeps, for shell completion."""
    from tuner.api.store import SweepStore  # noqa: PLC0415 - only while a shell completes
    from tuner.cli.state import state_dir  # noqa: PLC0415 - as above

    return [name for name in SweepStore(state_dir()).names() if name.startswith(incomplete)]


def report(
    sweeps: Annotated[
        list[str],
        typer.Argument(
            metavar="SWEEP...",
            help="Sweep files, or functions' names for their newest sweeps.",
            autocompletion=kept_names,
        ),
    ],
    *,
    format_name: Annotated[
        Literal["text", "json", "markdown", "html", "png", "svg"],
        typer.Option("--format", help="How to show it.", rich_help_panel=options.OUTPUT),
    ] = "text",
    # Not `out`: a folder's setting of that name is the sweep file that `tune` writes.
    out_file: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="File to write, with --format html, png or svg (stdout without it).",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    json: options.JsonOutput = False,
    rate: options.Rate = None,
    per_month: options.PerMonth = None,
    min_saving_usd_per_month: options.MinSavingUsdPerMonth = 50.0,
    min_saving_ratio: options.MinSavingRatio = None,
    detailed_exitcode: options.DetailedExitcode = False,
    goal: options.GoalOption = "cost",
    cost_slack: options.CostSlack = 0.02,
    tolerance: options.Tolerance = 0.01,
    max_duration: options.MaxDuration = None,
    percentile: options.Percentile = None,
    max_cost_per_million: options.MaxCostPerMillion = None,
    cold_start_share: options.ColdStartShare = 0.01,
    min_memory: options.MinMemory = None,
    max_memory: options.MaxMemory = None,
) -> int:
    """Give the answer of saved sweeps again, under the same goal or another.

    Nothing is asked of AWS: the sweep file holds all that the answer needs. Several sweeps with
    --format json give one JSON object a line, with --format html one page. A figure (png, svg) is
    of one sweep.
    """
    from tuner import api  # noqa: PLC0415 - not needed for --help
    from tuner.breakeven.question import Terms  # noqa: PLC0415 - as above
    from tuner.cli import exitcode, picture  # noqa: PLC0415 - as above
    from tuner.cli.clock import today  # noqa: PLC0415 - as above
    from tuner.cli.screen import show_answers  # noqa: PLC0415 - as above
    from tuner.cli.state import state_dir  # noqa: PLC0415 - as above
    from tuner.cli.traffic import traffic_of  # noqa: PLC0415 - as above
    from tuner.errors import SweepFileError  # noqa: PLC0415 - as above

    wanted = goal_of(
        goal,
        cost_slack=cost_slack,
        tolerance=tolerance,
        max_duration=max_duration,
        percentile=percentile,
        max_cost_per_million=max_cost_per_million,
        cold_start_share=cold_start_share,
    )
    shown = "json" if json else format_name
    is_picture = picture.check(shown, out_file, sweep_count=len(sweeps))
    terms = Terms(
        traffic=traffic_of(rate, per_month),
        min_saving_usd_per_month=min_saving_usd_per_month,
        min_saving_ratio=min_saving_ratio,
    )
    folder = state_dir()
    loaded = [(name, api.load_sweep(name, state_dir=folder)) for name in sweeps]
    limits: Limits = {
        "min_memory_mb": min_memory,
        "max_memory_mb": max_memory,
        "today": today(),
    }
    if shown == "html":
        exhibits = [
            api.exhibit(sweep, wanted, source=name, terms=terms, **limits) for name, sweep in loaded
        ]
        answers = [(each.source, each.recommendation) for each in exhibits]
        picture.show_page(exhibits, out_file)
    else:
        answers = [(name, answer_of(sweep, wanted, terms, limits)) for name, sweep in loaded]
        if is_picture:
            answer = answers[0][1]
            behind = api.sweep_behind(answer, loaded[0][1])
            picture.show_figure(answer, behind, shown, out_file)
        else:
            show_answers(answers, shown)
    cut_off = [
        f"{name} was cut off after {len(sweep.invocations)} invocations"
        for name, sweep in loaded
        if sweep.end is None
    ]
    if cut_off:
        raise SweepFileError(f"{'; '.join(cut_off)}: the answer rests on those alone")
    return exitcode.of_all(answer for _, answer in answers) if detailed_exitcode else 0


def answer_of(sweep: "Sweep", goal: "Goal", terms: "Terms", limits: Limits) -> "Recommendation":
    """The answer of one sweep; with a rate, what it saves a month and where else it could run."""
    from tuner import api  # noqa: PLC0415 - not needed for --help
    from tuner.api.breakeven import add_platform  # noqa: PLC0415 - as above
    from tuner.api.worth import with_saving  # noqa: PLC0415 - as above

    answer = api.recommend(sweep, goal, **limits)
    if terms.traffic.rate_per_s is None:
        return with_saving(answer, terms)
    return add_platform(answer, sweep, terms, today=limits["today"])
