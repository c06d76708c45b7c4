"""`tuner cold`: what cold starts take, who meets them, and what would help.

typer evaluates annotations, so nothing here is postponed.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tuner.cli import options, values
from tuner.cli.groups import TargetOptions, spread
from tuner.local import refuse_other_systems

if TYPE_CHECKING:
    from typing import Any

    from tuner.api.cold import PreparedCold
    from tuner.cold.result import ColdStarts
    from tuner.model.request import TuneRequest
    from tuner.session.inputs import OpenTarget

FAILED = 1
INTERRUPTED = 130

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
    # Not called `memory_sizes`: what is set for sweeps would have all of them published here.
    sizes: Annotated[
        values.Sizes | None,
        options.measure_option(
            "--memory-sizes",
            metavar="MB,MB,…",
            parser=values.memory_sizes_mb,
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
        options.limits_option(metavar="N", min=1, help="Limit on invocations (default: 25)."),
    ] = None,
    budget_usd: Annotated[
        float | None,
        options.limits_option(**options.AMOUNT, help="Limit on dollars spent."),
    ] = None,
    isolation: options.IsolationOption = "auto",
    yes: options.Yes = False,
    allow_side_effects: options.AllowSideEffects = False,
    dry_run: options.DryRun = False,
    json: options.JsonOutput = False,
    out_file: Annotated[
        Path | None,
        options.output_option(
            "--out",
            metavar="FILE",
            help="Write the JSON there too, or a page if it ends in .html.",
        ),
    ] = None,
    target: TargetOptions,
) -> int:
    """Measure FUNCTION's cold starts, and say who meets them and what would help.

    It publishes versions as a sweep does, so that every environment is new, and leaves the function
    as it was. It tells INIT by memory, the share of requests that meets one, latency at p95 and
    p99, and what SnapStart and provisioned concurrency cost against what they remove; with --local
    the slowest imports too. You see the plan and its cost, and confirm it, before anything changes.
    """
    if target.local is not None:
        refuse_other_systems()  # before the next imports, which those systems lack
    from tuner.model.request import NO_PRIOR, Budget, Measure, Safety, TuneRequest

    if out_file is not None:
        _check_out(out_file)
    request = TuneRequest(
        function,
        Measure(
            payloads=tuple(payload or ()),
            payload_size=payload_size,
            raw=raw,
            allow_outside=allow_outside,
            memory_sizes_mb=sizes or (),
            min_memory_mb=min_memory,
            max_memory_mb=max_memory,
            prior=NO_PRIOR,
        ),
        Budget(max_invocations, budget_usd),
        Safety(isolation=isolation),
        target.part(),
    )
    consent = (yes, allow_side_effects, dry_run)
    return _cold(request, (rate, arrivals), consent=consent, json=json, out_file=out_file)


def _check_out(out_file: Path) -> None:
    """Raise InputError, before anything is sent, for a file that couldn't be written then."""
    from tuner.errors import InputError

    if not out_file.absolute().parent.is_dir():
        raise InputError(f"--out {out_file}: there is no folder {out_file.parent}: make it first")


def _cold(
    request: "TuneRequest",
    wanted: tuple[float | None, Path | None],
    *,
    consent: tuple[bool, bool, bool],
    json: bool,
    out_file: Path | None,
) -> int:
    from datetime import UTC, datetime

    from tuner.api.cold import measure_cold_starts, plan_cold_starts
    from tuner.api.target import connect_to
    from tuner.cli.config import state_dir
    from tuner.cli.screen import agree_to_invoke, say
    from tuner.errors import InputError
    from tuner.session.inputs import read_inputs, with_payloads
    from tuner.sweep.io import StopSignal, stop_on_signals

    yes, allow_side_effects, dry_run = consent
    stop, folder = StopSignal(), state_dir()
    inputs = read_inputs(request, state_dir=folder)
    with connect_to(
        inputs.function,
        request.target,
        state_dir=folder,
        allow_outside=request.measure.allow_outside,
        on_step=lambda step: say(f"  {step}"),
    ) as target:
        inputs = with_payloads(inputs, target)
        prepared = plan_cold_starts(
            inputs,
            target,
            rate_per_s=wanted[0],
            arrivals=wanted[1],
            state_dir=folder,
            now=datetime.now(UTC),
        )
        _show_plan(prepared, target)
        if dry_run:
            return 0
        agree_to_invoke(
            prepared.side_effects,
            "Is that safe with these payloads?",
            is_free=target.started_here,
            yes=yes,
            allow_side_effects=allow_side_effects,
        )
        try:
            with stop_on_signals(stop):
                answer = measure_cold_starts(
                    prepared,
                    target,
                    stop=stop,
                    on_progress=_tell,
                    # Shown even if the function couldn't be given back.
                    on_answer=lambda found: _show(found, json=json, out_file=out_file),
                )
        except InputError as error:
            if not stop.is_requested:
                raise
            say(f"tuner: interrupted: {error}")
            return INTERRUPTED
    if stop.is_requested:
        say("tuner: interrupted; the answer is from what was measured")
        return INTERRUPTED
    return FAILED if answer.end == "failed" else 0


def _show_plan(prepared: "PreparedCold", target: "OpenTarget") -> None:
    from tuner.cli.screen import say
    from tuner.report.cold import describe_plan

    for line in describe_plan(prepared.plan, costs_nothing=target.started_here):
        say(line)
    if prepared.traffic.sources:
        reached = ", ".join(prepared.traffic.sources)
        say(f"Live traffic reaches $LATEST ({reached}), so a temporary copy is measured.")


def _tell(event: "Any") -> None:
    from tuner.cli.progress import describe
    from tuner.cli.screen import say

    if (line := describe(event)) is not None:
        say(f"  {line}")


def _show(answer: "ColdStarts", *, json: bool, out_file: Path | None) -> None:
    import sys
    from json import dumps

    from tuner import __version__
    from tuner.cli.flags import shown
    from tuner.cli.screen import show_json, show_text, width
    from tuner.report.cold import render, to_json
    from tuner.whole_file import write_whole

    answer = shown(answer)
    if out_file is not None:
        if out_file.suffix.lower() == ".html":
            from tuner.report.page.cold import render as render_page

            content = render_page(answer, version=__version__)
        else:
            content = dumps(to_json(answer), indent=2, allow_nan=False) + "\n"
        write_whole(out_file, content.encode())
    if json:
        show_json(to_json(answer))
    else:
        show_text(render(answer, width=width(), encoding=sys.stdout.encoding or "ascii"))
