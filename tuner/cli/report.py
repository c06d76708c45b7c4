"""`tuner report`: the answer again, from saved sweeps."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tuner.cli import options
from tuner.cli.goal import goal_of

EPILOG = """\
tuner report resize-images

tuner report sweep.jsonl --goal speed --max-duration 800ms

tuner report resize-images --format markdown

tuner report resize-images --format svg --out resize-images.svg"""


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
        Literal["text", "json", "markdown", "png", "svg"],
        typer.Option("--format", help="How to show it.", rich_help_panel=options.OUTPUT),
    ] = "text",
    # Not `out`: a folder's setting of that name is the sweep file that `tune` writes.
    figure_file: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Figure to write, with --format png or svg (stdout without it).",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    json: options.JsonOutput = False,
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
    --format json give one JSON object a line. A figure (png, svg) is of one sweep.
    """
    from tuner import api  # noqa: PLC0415 - not needed for --help
    from tuner.cli import exitcode, picture  # noqa: PLC0415 - as above
    from tuner.cli.clock import today  # noqa: PLC0415 - as above
    from tuner.cli.screen import show_answers  # noqa: PLC0415 - as above
    from tuner.cli.state import state_dir  # noqa: PLC0415 - as above
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
    figure_format = picture.check(shown, figure_file, sweep_count=len(sweeps))
    folder = state_dir()
    answers, cut_off = [], []
    for name in sweeps:
        sweep = api.load_sweep(name, state_dir=folder)
        answer = api.recommend(
            sweep,
            goal=wanted,
            min_memory_mb=min_memory,
            max_memory_mb=max_memory,
            today=today(),
        )
        answers.append((name, answer))
        if sweep.end is None:
            cut_off.append(f"{name} was cut off after {len(sweep.invocations)} invocations")
    if figure_format is not None:
        picture.show(answers[0][1], sweep, figure_format, figure_file)
    else:
        show_answers(answers, shown)
    if cut_off:
        raise SweepFileError(f"{'; '.join(cut_off)}: the answer rests on those alone")
    return exitcode.of_all(answer for _, answer in answers) if detailed_exitcode else 0
