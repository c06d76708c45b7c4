"""What `tuner load` shows: its plan, how far it has come, and its results."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any, Final

from tuner.cli import picture
from tuner.cli.flags import shown, with_flags
from tuner.cli.invoking import tell_copy
from tuner.cli.screen import encoding, say, show_json, show_text, width

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.api.loading import PreparedLoad
    from tuner.load.io import LoadProgress
    from tuner.load.result import LoadResult
    from tuner.session.inputs import OpenTarget

PICTURES: Final = (".svg", ".png", ".html")


def show_plan(prepared: PreparedLoad, target: OpenTarget) -> None:
    """What will be sent, what that needs, and what to know beforehand, on the screen."""
    from tuner.report.load import describe_plan

    for line in describe_plan(
        prepared.plan, prepared.downstream, costs_nothing=target.started_here
    ):
        say(line)
    tell_copy(prepared.traffic.sources)
    for finding in (*prepared.findings, *prepared.foreseen):
        say(f"! {finding.message}." if finding.severity != "info" else f"· {finding.message}.")


def show_plan_json(prepared: PreparedLoad) -> None:
    """The same as one object, in place of a result."""
    from tuner.report.load import plan_json

    findings = tuple(map(shown, (*prepared.findings, *prepared.foreseen)))
    show_json(plan_json(prepared.plan, prepared.side_effects, prepared.downstream, findings))


def tell_settling(seconds: float) -> None:
    """Say why nothing happens."""
    say(
        f"  {seconds:.0f} s until CloudWatch shows the load's last minute (Ctrl-C: without it; "
        "--downstream none: never)"
    )


def tell_progress(prepared: PreparedLoad) -> Any:
    """A hook that says every now and then how far the load has come."""
    planned = len(prepared.plan.arrivals)
    every_s = max(5.0, prepared.plan.duration_s / 12)
    told_s = 0.0

    def tell(event: LoadProgress) -> None:
        nonlocal told_s
        if event.passed_s < told_s:  # the next size began
            told_s = 0.0
        if event.passed_s >= told_s + every_s:
            told_s = event.passed_s
            say(
                f"  {event.passed_s:.0f} s: {event.due_count:,} of {planned:,} requests, "
                f"{event.in_flight_count:,} in flight"
            )

    return tell


def show(results: list[LoadResult], *, json: bool, out_file: Path | None) -> None:
    """Print the results, and write them into a file if one was asked for: in this order, so that a
    file that can't be written loses nothing.
    """
    from tuner.report.load import render, to_json

    documents = [to_json(shown(each)) for each in results]
    if json and len(documents) == 1:
        show_json(documents[0])
    elif json:  # several sizes: one object a line
        for each in documents:
            show_text(dumps(each, allow_nan=False) + "\n")
    else:
        texts = (with_flags(render(each, width=width(), encoding=encoding())) for each in results)
        show_text("\n".join(texts))
    if out_file is not None and results:
        picture.write(_as_file(results, documents, out_file), out_file)


def _as_file(results: list[LoadResult], documents: list[dict[str, Any]], out_file: Path) -> bytes:
    """What its ending says. Raises InputError without matplotlib."""
    results = [shown(each) for each in results]
    form = out_file.suffix.lower()
    if form == ".html":
        from tuner import __version__
        from tuner.report.page.load import render

        return render(results, version=__version__).encode()
    if form in PICTURES:
        from tuner.report.figures.canvas import render_figure
        from tuner.report.figures.load import draw_load

        return render_figure(draw_load(results), "svg" if form == ".svg" else "png")
    indent = 2 if len(documents) == 1 else None
    lines = (dumps(each, indent=indent, allow_nan=False) + "\n" for each in documents)
    return "".join(lines).encode()
