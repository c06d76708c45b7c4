"""The options that only `tuner tune` has: what is measured, how, and within what limits."""

import os
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from tuner.cli import options, values
from tuner.model.request import LEAVE_CONCURRENCY, Budget, Measure, Output, Safety

FunctionToTune = Annotated[str | None, typer.Argument(metavar="FUNCTION", help="Name or ARN.")]


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """Which events, code and sizes."""

    payload: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="FILE|FOLDER|JSON",
            help="Event to send: file or inline JSON (default: {}). Or a folder of events, a "
            "payload set (.toml, .yaml, payloads.json), a template (.j2), a schema (.schema.json), "
            "an event source (sqs, …), or test-events for the function's shareable ones. "
            "Repeatable.",
        ),
    ] = None
    vary: options.Vary = None
    payload_size: options.PayloadSize = None
    raw: options.Raw = False
    allow_outside: options.AllowOutside = False
    memory_sizes: Annotated[
        values.Sizes | None,
        options.measure_option(
            **options.SIZES_MB, help="Choose among these sizes and the current one only."
        ),
    ] = None
    exhaustive: Annotated[
        bool,
        options.measure_option(
            "--exhaustive", help="Measure every size of a fixed grid, however little it adds."
        ),
    ] = False
    min_memory: options.MinMemory = None
    max_memory: options.MaxMemory = None
    seed: Annotated[
        int,
        options.measure_option(
            metavar="N",
            min=0,
            help="Seed of the events and of the order of invocations.",
            show_default=False,
        ),
    ] = 0
    code: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="[ARCH=]ZIP|FOLDER|IMAGE",
            help="Measure this build instead, in a temporary copy; arm64=ZIP: on that architecture "
            "(repeatable).",
        ),
    ] = None
    architectures: Annotated[
        values.Architectures | None,
        options.measure_option(
            metavar="ARCH,ARCH",
            parser=values.architectures,
            help="Compare x86_64 and arm64, each in a temporary copy, and choose between them.",
        ),
    ] = None
    fail_on: Annotated[
        str | None,
        options.measure_option(
            metavar="JMESPATH", help="Count a reply as an error if this is true: 'error != null'."
        ),
    ] = None
    resume: Annotated[
        str | None,
        options.measure_option(
            **options.without_settings("function"),
            metavar="SWEEP",
            help="Continue this sweep. What it measured and spent counts; --out may be its file.",
        ),
    ] = None
    prior: Annotated[
        str | None,
        options.measure_option(
            metavar="SWEEP|OBSERVATION|auto|none",
            help="An earlier sweep of the function, to save invocations (a file, or the function's "
            "name for its newest), or what `tuner observe --json` printed, for its traffic. auto "
            "(the default): what it was observed to do in the last 30 days; none: nothing.",
        ),
    ] = None

    def part(self) -> Measure:
        """Return this part of the request."""
        code, by_architecture = values.codes(self.code or ())
        return Measure(
            payloads=tuple(self.payload or ()),
            vary=self.vary,
            payload_size=self.payload_size,
            raw=self.raw,
            allow_outside=self.allow_outside,
            memory_sizes_mb=self.memory_sizes or (),
            min_memory_mb=self.min_memory,
            max_memory_mb=self.max_memory,
            exhaustive=self.exhaustive,
            seed=self.seed,
            code=code,
            architectures=self.architectures or (),
            code_by_architecture=by_architecture,
            fail_on=self.fail_on,
            resume=self.resume,
            prior=self.prior,
        )


@dataclass(frozen=True, slots=True)
class BudgetOptions:
    """What the sweep may spend."""

    max_invocations: Annotated[
        int | None,
        options.limits_option(
            metavar="N",
            min=1,
            help="Limit on invocations (default: 40). If you set it, all are spent if the answer "
            "needs them; otherwise the sweep stops once more wouldn't decide.",
        ),
    ] = None
    budget_usd: options.BudgetUsd = None
    concurrency: Annotated[
        int | None,
        options.limits_option(
            metavar="N", min=1, max=1000, help="Invocations at a time (default: up to 8)."
        ),
    ] = None
    leave_concurrency: Annotated[
        float,
        options.setting(
            **options.SHARE,
            help="Share of the available concurrency left to live traffic (default: 20%).",
            show_default=False,
        ),
    ] = LEAVE_CONCURRENCY

    def part(self) -> Budget:
        """Return this part of the request."""
        return Budget(
            self.max_invocations, self.budget_usd, self.concurrency, self.leave_concurrency
        )


@dataclass(frozen=True, slots=True)
class SafetyOptions:
    """How the sweep stays harmless, and commands to run around it."""

    isolation: options.IsolationOption = "auto"
    once_each: Annotated[
        bool,
        options.limits_option(
            "--once-each", help="Never send an event twice: for code that can't safely repeat it."
        ),
    ] = False
    before: Annotated[
        str | None,
        options.limits_option(
            metavar="CMD", help="Run this command before the sweep; it prepares data. No shell."
        ),
    ] = None
    after: Annotated[
        str | None,
        options.limits_option(
            metavar="CMD", help="Run this command after the sweep, however it ended."
        ),
    ] = None
    hooks_each: Annotated[
        bool,
        options.limits_option(
            "--hooks-each",
            help="Run --before and --after for each invocation; the event is on their stdin.",
        ),
    ] = False

    def part(self) -> Safety:
        """Return this part of the request; the commands get all environment variables."""
        return Safety(**asdict(self), hook_environment=dict(os.environ))


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """What is kept."""

    keep_payloads: Annotated[
        bool,
        options.output_option(
            "--keep-payloads", help="Keep the events in the sweep file, not just their digests."
        ),
    ] = False
    out: options.Out = None
    force: options.Force = False

    def part(self) -> Output:
        """Return this part of the request."""
        return Output(**asdict(self))
