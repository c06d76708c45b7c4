"""`tuner compare`: how much two sweeps differ, and whether the difference is real."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tuner.cli import options, picture
from tuner.cli.config import state_dir, today
from tuner.cli.groups import GoalOptions
from tuner.cli.saved import kept_names, load
from tuner.cli.screen import show_comparison
from tuner.errors import UsageError

if TYPE_CHECKING:
    from tuner.decision.analysis import Analysis
    from tuner.report.page.data import SweepView

EPILOG = """\
tuner compare before.jsonl after.jsonl

tuner compare x86.jsonl arm.jsonl --format html --out architectures.html

tuner compare resize-images --json"""


def compare(
    a: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="The earlier sweep: a file, or a function's name for its newest. A name alone "
            "means the function's last two sweeps.",
            autocompletion=kept_names,
        ),
    ],
    b: Annotated[
        str | None, typer.Argument(metavar="B", help="The later sweep.", autocompletion=kept_names)
    ] = None,
    *,
    format_name: options.ReportFormat = "text",
    out_file: options.ReportFile = None,
    json: options.JsonOutput = False,
    different_functions: Annotated[
        bool, typer.Option("--different-functions", help="Compare sweeps of two functions anyway.")
    ] = False,
    goal: options.GoalOption = None,
    tolerance: options.Tolerance = None,
    cold_start_share: options.ColdStartShare = None,
) -> int:
    """Say how much two saved sweeps differ, and whether the difference is real.

    The sweeps may be before and after, x86_64 and arm64, two versions of the code, or a forecast
    and its outcome: it depends on what differs between them. A difference is real if its 90%
    interval excludes zero, and there is none if the whole interval is within --tolerance.
    AWS isn't called.
    """
    from tuner import session
    from tuner.api import comparing
    from tuner.sweep.store import SweepStore

    asked = GoalOptions(goal=goal, tolerance=tolerance, cold_start_share=cold_start_share)
    shown = picture.check(format_name, out_file, json=json)
    if b is None and Path(a).is_file():
        raise UsageError(f"{a} is one sweep: give the file of another, or a function's name alone")
    if b is None:
        a, b = map(str, SweepStore(state_dir()).newest_two(a))
    first, second = load(a), load(b)
    wanted = asked.wanted(comparing.common_goal(first, second))
    difference = partial(
        comparing.compare,
        first,
        second,
        wanted,
        sources=(a, b),
        different_functions=different_functions,
    )
    if shown == "html":
        analyses = (session.analyse(first.alone, wanted), session.analyse(second.alone, wanted))
        views = _views(analyses, (a, b))
        picture.show_page(views, out_file, comparison=difference(analyses=analyses))
    elif shown in picture.FORMATS:
        picture.show_figure(difference(today=today()), shown, out_file)
    else:
        show_comparison(difference(today=today()), shown)
    return 0


def _views(analyses: tuple["Analysis", "Analysis"], sources: tuple[str, str]) -> list["SweepView"]:
    """What the page shows of each sweep."""
    from tuner.api.answers import view

    return [
        view(analysis, source=name, today=today())
        for name, analysis in zip(sources, analyses, strict=True)
    ]
