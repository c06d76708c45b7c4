"""`tuner report`: the answer again, from saved sweeps."""

from typing import TYPE_CHECKING

from tuner.cli import options
from tuner.cli.grouped import spread
from tuner.cli.groups import GoalOptions, TrafficOptions
from tuner.cli.saved import Limits, Sweeps, answer_of, limits_of, load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tuner.breakeven.question import Terms
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep

    Named = tuple[str, Sweep]

EPILOG = """\
tuner report resize-images

tuner report sweep.jsonl --goal speed --max-duration 800ms

tuner report resize-images --format markdown

tuner report resize-images --format html --rate 50/s --out resize-images.html

tuner report resize-images --format svg --out resize-images.svg"""


@spread
def report(
    sweeps: Sweeps,
    *,
    format_name: options.ReportFormat = "text",
    out_file: options.ReportFile = None,
    json: options.JsonOutput = False,
    traffic: TrafficOptions,
    detailed_exitcode: options.DetailedExitcode = False,
    goal: GoalOptions,
    min_memory: options.MinMemory = None,
    max_memory: options.MaxMemory = None,
) -> int:
    """Give the answer of saved sweeps again, under the same goal or another.

    Nothing is asked of AWS: the sweep file holds all that the answer needs. Several sweeps with
    --format json give one JSON object a line, with --format html one page. A figure (png, svg) is
    of one sweep.
    """
    from tuner.cli import exitcode, picture  # noqa: PLC0415 - not needed for --help
    from tuner.report.frame import limits_flags, terms_flags  # noqa: PLC0415 - as above

    shown = picture.format_of(format_name, json=json)
    picture.check(shown, out_file, sweep_count=len(sweeps))
    terms, limits = traffic.terms(), limits_of(min_memory, max_memory)
    loaded = [(name, load(name)) for name in sweeps]
    if shown == "html":
        answers = _show_page(loaded, out_file, goal, terms, limits)
    else:
        answers = [answer_of(sweep, goal.wanted(sweep.goal), terms, limits) for _, sweep in loaded]
        others = [*limits_flags(min_memory, max_memory), *terms_flags(terms)]
        _show_answers(loaded, answers, shown, out_file, others)
    return exitcode.of_all(answers) if detailed_exitcode else 0


def _show_page(
    loaded: "Sequence[Named]",
    out_file: "Path | None",
    goal: GoalOptions,
    terms: "Terms",
    limits: Limits,
) -> "list[Recommendation]":
    """Show one page of all sweeps; return their answers."""
    from tuner import api  # noqa: PLC0415 - not needed for --help
    from tuner.cli import picture  # noqa: PLC0415 - as above

    exhibits = [
        api.exhibit(sweep, goal.wanted(sweep.goal), source=name, terms=terms, **limits)
        for name, sweep in loaded
    ]
    picture.show_page(exhibits, out_file)
    return [each.recommendation for each in exhibits]


def _show_answers(
    loaded: "Sequence[Named]",
    answers: "Sequence[Recommendation]",
    shown: str,
    out_file: "Path | None",
    others: "Sequence[str]",
) -> None:
    """Show the answers as text, or the first one's figure; `others` are options beside the goal's
    that shaped them.
    """
    from tuner import api  # noqa: PLC0415 - not needed for --help
    from tuner.cli import picture  # noqa: PLC0415 - as above
    from tuner.cli.screen import show_answers  # noqa: PLC0415 - as above
    from tuner.report.frame import goal_flags  # noqa: PLC0415 - as above

    if shown in picture.FORMATS:
        behind = api.sweep_behind(answers[0], loaded[0][1])
        picture.show_figure(answers[0], behind, shown, out_file)
    else:
        names = [name for name, _ in loaded]
        flags = [
            [*goal_flags(answer.goal, sweep.goal), *others]
            for answer, (_, sweep) in zip(answers, loaded, strict=True)
        ]
        show_answers(list(zip(names, answers, strict=True)), shown, flags)
