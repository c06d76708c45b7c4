"""`tuner cold`: what cold starts take, who meets them, and what would help."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tuner.cli import exit_status, options, picture, values
from tuner.cli.config import state_dir
from tuner.cli.flags import shown
from tuner.cli.groups import TargetOptions, spread
from tuner.cli.invoking import InvokeOptions, opened, tell_lease, tell_plan
from tuner.cli.screen import say, show, show_json
from tuner.errors import InputError

if TYPE_CHECKING:
    from tuner.api.cold import PreparedCold
    from tuner.cold.result import ColdStarts
    from tuner.model.request import TuneRequest

EPILOG = """\
tuner cold resize-images --payload event.json

tuner cold resize-images --rate 2/min --memory-sizes 512,1024,2048

tuner cold resize-images --arrivals requests.csv --out cold.html

tuner cold heavy-import --local demo --rate 5/min

Every invocation really runs the function's code, with the function's own role."""

COMMON = (
    *("function", "payload", "sizes", "rate", "arrivals", "max_invocations", "budget_usd"),
    *("yes", "dry_run", "out_file", "local", "build", "region", "profile", "json"),
)
"""What the short help shows."""


@spread
def cold(
    function: options.FunctionName,
    *,
    invoke: InvokeOptions,
    # Not called `memory_sizes`: what is set for sweeps would have all of them published here.
    sizes: Annotated[
        values.Sizes | None,
        options.measure_option(
            "--memory-sizes",
            **options.SIZES_MB,
            help="Measure these sizes and the current one (default: a few).",
        ),
    ] = None,
    min_memory: options.MinMemory = None,
    max_memory: options.MaxMemory = None,
    rate: options.Rate = None,
    arrivals: Annotated[
        Path | None,
        options.traffic_option(
            metavar="CSV|LOGS",
            help="When requests come: timestamp[,duration_ms] or minute,requests, or the "
            "function's logs (default: CloudWatch's last 7 days).",
        ),
    ] = None,
    max_invocations: Annotated[
        int | None,
        options.limits_option(
            metavar="N", min=1, help="Limit on invocations (default: two a size more than planned)."
        ),
    ] = None,
    out_file: Annotated[
        Path | None, options.out_option("Write the JSON there too, or a page if it ends in .html.")
    ] = None,
    target: TargetOptions,
) -> int:
    """Measure FUNCTION's cold starts, and say who meets them and what would help.

    It publishes versions as a sweep does, so that every environment is new, and leaves the function
    as it was. It tells INIT by memory, the share of requests that meets one, latency at p95 and
    p99, and what SnapStart and provisioned concurrency cost against what they remove; with --local
    the slowest imports too. You see the plan and its cost, and confirm it, before anything changes.
    """
    request = invoke.request(
        function,
        target,
        sizes_mb=sizes,
        min_memory_mb=min_memory,
        max_memory_mb=max_memory,
        max_invocations=max_invocations,
    )
    picture.check_out(out_file)
    return _cold(request, (rate, arrivals), invoke, out_file)


def _cold(
    request: "TuneRequest",
    requests_come: tuple[float | None, Path | None],
    invoke: InvokeOptions,
    out_file: Path | None,
) -> int:
    """Plan, ask and measure; `requests_come` at a rate, or as a file says."""
    from tuner.api.cold import measure_cold_starts, plan_cold_starts
    from tuner.report.cold import describe_plan
    from tuner.sweep.io import StopSignal, stop_on_signals

    rate, arrivals = requests_come
    stop, folder = StopSignal(), state_dir()
    with opened(request, folder) as (inputs, target):
        prepared = plan_cold_starts(
            inputs,
            target,
            rate_per_s=rate,
            arrivals=arrivals,
            state_dir=folder,
            now=datetime.now(UTC),
        )
        lines = describe_plan(prepared.plan, costs_nothing=target.started_here)
        tell_plan(lines, prepared.traffic.sources)
        if invoke.dry_run:
            if invoke.json:
                _show_plan_json(prepared)
            return 0
        invoke.agree(prepared.side_effects, "Is that safe with these payloads?", target)
        try:
            with stop_on_signals(stop):
                answer = measure_cold_starts(
                    prepared,
                    target,
                    stop=stop,
                    on_progress=tell_lease,
                    # Shown even if the function couldn't be given back.
                    on_answer=lambda found: _show(found, json=invoke.json, out_file=out_file),
                )
        except InputError as error:
            if not stop.is_requested:
                raise
            say(f"tuner: interrupted: {error}")
            return exit_status.INTERRUPTED
    if stop.is_requested:
        say("tuner: interrupted; the answer is from what was measured")
        return exit_status.INTERRUPTED
    return exit_status.FAILED if answer.end == "failed" else 0


def _show_plan_json(prepared: "PreparedCold") -> None:
    """The same as one object, in place of an answer."""
    from tuner.report.cold import plan_json

    findings = tuple(map(shown, prepared.findings))
    show_json(plan_json(prepared.plan, prepared.isolation, prepared.side_effects, findings))


def _show(answer: "ColdStarts", *, json: bool, out_file: Path | None) -> None:
    """Print the answer, then write it to a file, if one was asked for."""
    from tuner.report.cold import render, to_json
    from tuner.report.page.timings import render_cold as render_page

    answer = shown(answer)
    show(answer, to_json, render, json=json)
    picture.write_too(to_json(answer), out_file, partial(render_page, answer))
