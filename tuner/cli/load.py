"""`tuner load`: latency under load.

typer evaluates annotations, so nothing here is postponed.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tuner.cli import options, values
from tuner.cli.groups import TargetOptions, spread
from tuner.local import refuse_other_systems

if TYPE_CHECKING:
    from tuner.api.loading import Wanted
    from tuner.load.result import LoadResult
    from tuner.model.request import TuneRequest
    from tuner.sweep.io import StopSignal

FAILED = 1
INTERRUPTED = 130

EPILOG = """\
tuner load resize-images --payload event.json --phase 60s:20/s

tuner load resize-images --payload payloads.toml --phase 60s:5/s..50/s --phase 5min:50/s

tuner load s3-roundtrip --local demo --phase 10s:1/s..5/s

Every request really runs the function's code, with the function's own role."""

COMMON = (
    *("function", "phase", "artillery", "arrivals", "payload", "sizes", "downstream"),
    *("backlog", "budget_usd"),
    *("yes", "dry_run", "out", "local", "region", "profile", "json"),
)
"""What the short help shows."""


@spread
def load(
    function: options.FunctionName,
    *,
    phase: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="TIME:RATE[..RATE]",
            help="Requests for a time: 60s:20/s, a ramp 60s:5/s..50/s, or 30s:pause. Repeatable.",
            show_default=False,
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
    payload: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="FILE|FOLDER|JSON",
            help="Event to send, or what makes events, as for tuner tune (default: {}). "
            "Repeatable.",
            show_default=False,
        ),
    ] = None,
    payload_size: options.PayloadSize = None,
    raw: options.Raw = False,
    allow_outside: options.AllowOutside = False,
    # Not called `memory_sizes` and `concurrency`: settings of these names are for sweeps, and would
    # have versions published here, and requests left out.
    sizes: Annotated[
        values.Sizes | None,
        options.measure_option(
            "--memory-sizes",
            metavar="MB,MB,…",
            parser=values.memory_sizes_mb,
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
    budget_usd: Annotated[
        float | None,
        options.limits_option(**options.AMOUNT, help="Limit on dollars spent."),
    ] = None,
    isolation: options.IsolationOption = "auto",
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
            show_default=False,
        ),
    ] = None,
    yes: options.Yes = False,
    allow_side_effects: options.AllowSideEffects = False,
    dry_run: options.DryRun = False,
    json: options.JsonOutput = False,
    out_file: Annotated[
        Path | None,
        options.output_option(
            "--out",
            metavar="FILE",
            help="Write the JSON there too; a page or figure if it ends in .html, .svg or .png.",
        ),
    ] = None,
    target: TargetOptions,
) -> int:
    """Send FUNCTION requests at given rates, and say what answering them takes.

    Requests are sent when they are due, not when the one before is answered, and latency counts
    from then: throughput, percentiles over time, concurrency, cold starts, throttles, errors and
    cost. You see what it needs and costs, and confirm it, before anything is sent.
    """
    if target.local is not None:
        refuse_other_systems()  # before the next imports, which those systems lack
    from dataclasses import replace

    from tuner.errors import UsageError
    from tuner.model.request import NO_PRIOR, Budget, Measure, Safety, TuneRequest

    if out_file is not None:
        _check_out(out_file)
    if backlog is not None and downstream == "none":
        raise UsageError("--backlog is about what feeds the function: leave out --downstream none")
    wanted = replace(
        _wanted(phase, artillery, arrivals, seed),
        looks_downstream=downstream == "auto",
        backlog_count=backlog,
    )
    request = TuneRequest(
        function,
        Measure(
            payloads=tuple(payload or ()),
            payload_size=payload_size,
            raw=raw,
            allow_outside=allow_outside,
            memory_sizes_mb=sizes or (),
            seed=seed,
            prior=NO_PRIOR,
        ),
        Budget(budget_usd=budget_usd, concurrency=in_flight),
        Safety(isolation=isolation),
        target.part(),
    )
    consent = (yes, allow_side_effects, dry_run)
    return _load(request, wanted, consent=consent, json=json, out_file=out_file)


def _check_out(out_file: Path) -> None:
    """Raise InputError, before anything is sent, for a file that couldn't be written then."""
    from tuner.cli.load_screen import PICTURES
    from tuner.errors import InputError

    if not out_file.absolute().parent.is_dir():
        raise InputError(f"--out {out_file}: there is no folder {out_file.parent}: make it first")
    if out_file.suffix.lower() in PICTURES:
        from tuner.report.figures.canvas import styled

        with styled():
            pass


def _wanted(
    phases: list[str] | None,
    script: Path | None,
    spacing: Literal["even", "poisson"],
    seed: int,
) -> "Wanted":
    """The arrivals that were asked for. Raises UsageError and InputError."""
    from tuner.api.loading import Wanted
    from tuner.errors import UsageError
    from tuner.load.artillery import read_script
    from tuner.load.phases import parse_phases

    if (script is None) == (not phases):
        raise UsageError("give the load by --phase 60s:20/s (repeatable), or by --artillery FILE")
    if script is None:
        return Wanted(parse_phases(phases or ()), spacing, seed)
    read = read_script(script)
    return Wanted(read.phases, spacing, seed, read.not_taken)


def _load(
    request: "TuneRequest",
    wanted: "Wanted",
    *,
    consent: tuple[bool, bool, bool],
    json: bool,
    out_file: Path | None,
) -> int:
    from tuner.api.loading import plan_load, run_load
    from tuner.api.target import connect_to
    from tuner.cli.config import state_dir
    from tuner.cli.load_screen import (
        show,
        show_plan,
        show_plan_json,
        tell_lease,
        tell_progress,
        tell_settling,
    )
    from tuner.cli.screen import agree_to_invoke, say
    from tuner.load.plan import MOST_IN_FLIGHT
    from tuner.session.inputs import read_inputs, with_payloads
    from tuner.sweep.io import StopSignal, stop_on_signals

    yes, allow_side_effects, dry_run = consent
    stop, folder = StopSignal(), state_dir()
    inputs = read_inputs(request, state_dir=folder)
    results: list[LoadResult] = []
    with connect_to(
        inputs.function,
        request.target,
        state_dir=folder,
        allow_outside=request.measure.allow_outside,
        concurrency=request.budget.concurrency or MOST_IN_FLIGHT,
        on_step=lambda step: say(f"  {step}"),
    ) as target:
        inputs = with_payloads(inputs, target)
        prepared = plan_load(inputs, target, wanted)
        show_plan(prepared, target)
        if dry_run:
            if json:
                show_plan_json(prepared)
            return 0
        agree_to_invoke(
            prepared.side_effects,
            "Is that safe with these payloads, this often?",
            is_free=target.started_here,
            yes=yes,
            allow_side_effects=allow_side_effects,
        )
        try:
            with stop_on_signals(stop):
                running = run_load(
                    prepared,
                    target,
                    stop=stop,
                    on_load=tell_progress(prepared),
                    on_settle=tell_settling,
                    on_progress=tell_lease,
                )
                results.extend(running)
        finally:  # what was sent is told even if the function couldn't be given back
            show(results, json=json, out_file=out_file)
    return _exit_code(results, stop)


def _exit_code(results: "list[LoadResult]", stop: "StopSignal") -> int:
    from tuner.cli.screen import say

    if stop.is_requested:
        sent, planned = (
            sum(len(each.answers) for each in results),
            sum(each.planned_count for each in results),
        )
        say(f"tuner: interrupted after {sent:,} of {planned:,} requests")
        return INTERRUPTED
    return FAILED if any(each.end == "failed" for each in results) else 0
