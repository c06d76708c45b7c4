"""What commands share that invoke a function beside a sweep: events, limits, consent, target."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.cli import options
from tuner.cli.groups import TargetOptions
from tuner.cli.progress import describe
from tuner.cli.screen import agree_to_invoke, say
from tuner.local import refuse_other_systems
from tuner.model.request import NO_PRIOR, Budget, Measure, Safety, TuneRequest

if TYPE_CHECKING:
    from tuner.model.progress import ProgressEvent
    from tuner.session.inputs import Inputs, OpenTarget


@dataclass(frozen=True, slots=True)
class InvokeOptions:
    """Which events are sent, what they may cost, and what is agreed to beforehand."""

    payload: options.Payload = None
    payload_size: options.PayloadSize = None
    raw: options.Raw = False
    allow_outside: options.AllowOutside = False
    budget_usd: options.BudgetUsd = None
    isolation: options.IsolationOption = "auto"
    yes: options.Yes = False
    allow_side_effects: options.AllowSideEffects = False
    dry_run: options.DryRun = False
    json: options.JsonOutput = False

    def request(
        self,
        function: str,
        target: TargetOptions,
        *,
        sizes_mb: Sequence[int] | None,
        min_memory_mb: int | None = None,
        max_memory_mb: int | None = None,
        seed: int = 0,
        max_invocations: int | None = None,
        concurrency: int | None = None,
    ) -> TuneRequest:
        """What is asked for. Raises InputError where this system can't run functions itself."""
        if target.local is not None:
            refuse_other_systems()  # before other imports, which those systems lack
        return TuneRequest(
            function,
            Measure(
                payloads=tuple(self.payload or ()),
                payload_size=self.payload_size,
                raw=self.raw,
                allow_outside=self.allow_outside,
                memory_sizes_mb=tuple(sizes_mb or ()),
                min_memory_mb=min_memory_mb,
                max_memory_mb=max_memory_mb,
                seed=seed,
                prior=NO_PRIOR,
            ),
            Budget(max_invocations, self.budget_usd, concurrency),
            Safety(isolation=self.isolation),
            target.part(),
        )

    def agree(self, side_effects: Sequence[str], question: str, target: "OpenTarget") -> None:
        """Get agreement to possible side effects, and to the cost. Raises NotAgreedError."""
        agree_to_invoke(
            side_effects,
            question,
            is_free=target.started_here,
            yes=self.yes,
            allow_side_effects=self.allow_side_effects,
        )


@contextmanager
def opened(
    request: TuneRequest, state_dir: Path, *, concurrency: int | None = None
) -> "Iterator[tuple[Inputs, OpenTarget]]":
    """Yield what is to be sent, and the function in its place, which a template's is started for.

    Raises what reading the inputs and reaching the function raise.
    """
    from tuner.api.target import connect_to
    from tuner.session.inputs import read_inputs, with_payloads

    inputs = read_inputs(request, state_dir=state_dir)
    with connect_to(
        inputs.function,
        request.target,
        state_dir=state_dir,
        allow_outside=request.measure.allow_outside,
        concurrency=concurrency,
        on_step=lambda step: say(f"  {step}"),
    ) as target:
        yield with_payloads(inputs, target), target


def tell_plan(lines: Iterable[str], sources: Sequence[str]) -> None:
    """Say what will be done, and why in a copy, if live traffic reaches the function itself."""
    for line in lines:
        say(line)
    if sources:
        reached = ", ".join(sources)
        say(f"Live traffic reaches $LATEST ({reached}), so a temporary copy is measured.")


def tell_lease(event: "ProgressEvent") -> None:
    """What is published, copied and deleted, in a line each."""
    if (line := describe(event)) is not None:
        say(f"  {line}")
