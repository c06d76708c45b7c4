"""`tuner load`: latency under load."""

from dataclasses import replace
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from tuner.cli import exit_status, options, picture, values
from tuner.cli.config import state_dir
from tuner.cli.flags import shown, with_flags
from tuner.cli.groups import TargetOptions, spread
from tuner.cli.invoking import InvokeOptions, opened, tell_lease, tell_plan
from tuner.cli.screen import encoding, say, show_json, show_text, width
from tuner.errors import UsageError

if TYPE_CHECKING:
    from tuner.api.loading import PreparedLoad, Wanted
    from tuner.load.io import LoadProgress
    from tuner.load.result import LoadResult
    from tuner.model.request import TuneRequest
    from tuner.session.inputs import OpenTarget
    from tuner.sweep.io import StopSignal

EPILOG = """\
tuner load resize-images --payload event.json --phase 60s:20/s

tuner load resize-images --payload payloads.toml --phase 60s:5/s..50/s --phase 5min:50/s

tuner load s3-roundtrip --local demo --phase 10s:1/s..5/s

Every request really runs the function's code, with the function's own role."""

COMMON = (
    *("function", "phase", "artillery", "arrivals", "payload", "sizes", "downstream"),
    *("backlog", "budget_usd"),
    *("yes", "dry_run", "out_file", "local", "region", "profile", "json"),
)
"""What the short help shows."""
_PICTURES: Final = (".svg", ".png", ".html")


@spread
def load(
    function: options.FunctionName,
    *,
    phase: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="TIME:RATE[..RATE]",
            help="Requests for a time: 60s:20/s, a ramp 60s:5/s..50/s, or 30s:pause. Repeatable.",
        ),
    ] = None,
    artillery: Annotated[
        Path | None,
        options.measure_option(
            metavar="FILE", help="Take the phases of this Artillery script (config.phases)."
        ),
    ] = None,
    arrivals: Annotated[
        Literal["even", "poisson"],
        options.measure_option(
            metavar="even|poisson",
            help="How requests are spaced along the rate (default: even).",
            show_default=False,
        ),
    ] = "even",
    seed: Annotated[
        int,
        options.measure_option(
            metavar="N", min=0, help="Seed of the events and of Poisson.", show_default=False
        ),
    ] = 0,
    invoke: InvokeOptions,
    # Not called `memory_sizes` and `concurrency`: settings of these names are for sweeps, and would
    # have versions published here, and requests left out.
    sizes: Annotated[
        values.Sizes | None,
        options.measure_option(
            "--memory-sizes",
            **options.SIZES_MB,
            help="Load each of these sizes in turn (default: the function as it is).",
        ),
    ] = None,
    in_flight: Annotated[
        int | None,
        options.limits_option(
            "--concurrency",
            metavar="N",
            min=1,
            max=10_000,
            help="Most requests in flight; beyond it they aren't sent, and counted (default: "
            "1000).",
        ),
    ] = None,
    downstream: Annotated[
        Literal["auto", "none"],
        options.measure_option(
            metavar="auto|none",
            help="Look for what is behind the function and what feeds it: what gives way first "
            "(default: auto).",
            show_default=False,
        ),
    ] = "auto",
    backlog: Annotated[
        int | None,
        options.measure_option(
            metavar="N",
            min=1,
            help="Say how long a backlog of N messages takes (default: what waits in the queue).",
        ),
    ] = None,
    out_file: Annotated[
        Path | None,
        options.out_option(
            "Write the JSON there too; a page or figure if it ends in .html, .svg or .png."
        ),
    ] = None,
    target: TargetOptions,
) -> int:
    """Send FUNCTION requests at given rates, and say what answering them takes.

    Requests are sent when they are due, not when the one before is answered, and latency counts
    from then: throughput, percentiles over time, concurrency, cold starts, throttles, errors and
    cost. You see what it needs and costs, and confirm it, before anything is sent.
    """
    request = invoke.request(function, target, sizes_mb=sizes, seed=seed, concurrency=in_flight)
    picture.check_out(out_file, drawn=_PICTURES)
    if backlog is not None and downstream == "none":
        raise UsageError("--backlog is about what feeds the function: leave out --downstream none")
    wanted = replace(
        _wanted(phase, artillery, arrivals, seed),
        looks_downstream=downstream == "auto",
        backlog_count=backlog,
    )
    return _load(request, wanted, invoke, out_file)


def _wanted(
    phases: list[str] | None, script: Path | None, spacing: Literal["even", "poisson"], seed: int
) -> "Wanted":
    """The arrivals that were asked for. Raises UsageError and InputError."""
    from tuner.api.loading import Wanted
    from tuner.load.artillery import read_script
    from tuner.load.phases import parse_phases

    if (script is None) == (not phases):
        raise UsageError("give the load by --phase 60s:20/s (repeatable), or by --artillery FILE")
    if script is None:
        return Wanted(parse_phases(phases or ()), spacing, seed)
    read = read_script(script)
    return Wanted(read.phases, spacing, seed, read.not_taken)


def _load(
    request: "TuneRequest", wanted: "Wanted", invoke: InvokeOptions, out_file: Path | None
) -> int:
    from tuner.api.loading import plan_load, run_load
    from tuner.load.plan import MOST_IN_FLIGHT
    from tuner.sweep.io import StopSignal, stop_on_signals

    stop = StopSignal()
    results: list[LoadResult] = []
    most = request.budget.concurrency or MOST_IN_FLIGHT
    with opened(request, state_dir(), concurrency=most) as (inputs, target):
        prepared = plan_load(inputs, target, wanted)
        _show_plan(prepared, target)
        if invoke.dry_run:
            if invoke.json:
                _show_plan_json(prepared)
            return 0
        invoke.agree(prepared.side_effects, "Is that safe with these payloads, this often?", target)
        try:
            with stop_on_signals(stop):
                running = run_load(
                    prepared,
                    target,
                    stop=stop,
                    on_load=_tell_progress(prepared),
                    on_settle=_tell_settling,
                    on_progress=tell_lease,
                )
                results.extend(running)
        finally:  # what was sent is told even if the function couldn't be given back
            _show(results, json=invoke.json, out_file=out_file)
    return _exit_code(results, stop)


def _exit_code(results: "list[LoadResult]", stop: "StopSignal") -> int:
    if stop.is_requested:
        sent = sum(len(each.answers) for each in results)
        planned = sum(each.planned_count for each in results)
        say(f"tuner: interrupted after {sent:,} of {planned:,} requests")
        return exit_status.INTERRUPTED
    return exit_status.FAILED if any(each.end == "failed" for each in results) else 0


def _show_plan(prepared: "PreparedLoad", target: "OpenTarget") -> None:
    """What will be sent, what that needs, and what to know beforehand, on the screen."""
    from tuner.report.load import describe_plan

    free = target.started_here
    lines = describe_plan(prepared.plan, prepared.downstream, costs_nothing=free)
    tell_plan(lines, prepared.traffic.sources)
    for finding in (*prepared.findings, *prepared.foreseen):
        say(f"! {finding.message}." if finding.severity != "info" else f"· {finding.message}.")


def _show_plan_json(prepared: "PreparedLoad") -> None:
    """The same as one object, in place of a result."""
    from tuner.report.load import plan_json

    findings = tuple(map(shown, (*prepared.findings, *prepared.foreseen)))
    show_json(plan_json(prepared.plan, prepared.side_effects, prepared.downstream, findings))


def _tell_settling(seconds: float) -> None:
    """Say why nothing happens."""
    say(
        f"  {seconds:.0f} s until CloudWatch shows the load's last minute (Ctrl-C: without it; "
        "--downstream none: never)"
    )


def _tell_progress(prepared: "PreparedLoad") -> Any:
    """A hook that says every now and then how far the load has come."""
    planned = len(prepared.plan.arrivals)
    every_s = max(5.0, prepared.plan.duration_s / 12)
    told_s = 0.0

    def tell(event: "LoadProgress") -> None:
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


def _show(results: "list[LoadResult]", *, json: bool, out_file: Path | None) -> None:
    """Print the results, and write them into a file if one was asked for: in this order, so that a
    file that can't be written loses nothing.
    """
    from tuner.report.load import render, to_json

    results = [shown(each) for each in results]
    documents = [*map(to_json, results)]
    if json and len(documents) == 1:
        show_json(documents[0])
    elif json:  # several sizes: one object a line
        for each in documents:
            show_text(dumps(each, allow_nan=False) + "\n")
    else:
        texts = (with_flags(render(each, width=width(), encoding=encoding())) for each in results)
        show_text("\n".join(texts))
    if out_file is not None and results:
        _write(results, documents, out_file)


def _write(results: "list[LoadResult]", documents: list[dict[str, Any]], out_file: Path) -> None:
    """As the file's ending says. Raises InputError without matplotlib."""
    form = out_file.suffix.lower()
    if form == ".html":
        from tuner.report.page.timings import render_load

        picture.write(render_load(results).encode(), out_file)
    elif form in _PICTURES:
        from tuner.report.figures.timings import draw_load

        picture.write_figure(draw_load(results), form.removeprefix("."), out_file)
    else:
        indent = 2 if len(documents) == 1 else None
        lines = (dumps(each, indent=indent, allow_nan=False) + "\n" for each in documents)
        picture.write("".join(lines).encode(), out_file)
