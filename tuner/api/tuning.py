"""The main job in one call: from a function's name to an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from tuner import session
from tuner.api.target import open_target
from tuner.errors import NotAgreedError
from tuner.model.goal import Goal
from tuner.model.request import (
    LEAVE_CONCURRENCY,
    Budget,
    Measure,
    Output,
    Safety,
    Target,
    TuneRequest,
)
from tuner.session.inputs import read_inputs, with_payloads
from tuner.sweep.io import tell_nobody
from tuner.sweep.store import default_state_dir

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Unpack

    from tuner.breakeven.terms import Terms
    from tuner.model.plan import Isolation
    from tuner.model.progress import ProgressHook
    from tuner.model.recommendation import Recommendation
    from tuner.sweep.io import StopSignal
    from tuner.sweep.prepared import PreparedSweep


class TuneOptions(TypedDict, total=False):
    """The parts of a `TuneRequest`, which says what each means, as keywords of `tune`.

    Everything is optional; left out, or None, is the tool's own choice.
    """

    payloads: Sequence[str]
    vary: str | None
    payload_size: str | None
    raw: bool
    allow_outside: bool
    seed: int
    memory_sizes_mb: Sequence[int]
    min_memory_mb: int | None
    max_memory_mb: int | None
    exhaustive: bool
    code: str | None
    fail_on: str | None
    resume: str | Path | None
    max_invocations: int | None
    budget_usd: float | None
    concurrency: int | None
    leave_concurrency_ratio: float
    isolation: Isolation
    once_each: bool
    before: str | None
    after: str | None
    hooks_each: bool
    hook_environment: Mapping[str, str]
    region: str | None
    profile: str | None
    endpoint_url: str | None
    local_template: Path | None
    template_parameters: Mapping[str, str]
    template_environment: Mapping[str, str]
    build: bool
    keep_payloads: bool
    out: Path | None
    force: bool


def request_of(function: str | None, options: TuneOptions) -> TuneRequest:
    """Return the request that the keywords make. Raises TypeError for one that there is not."""
    if unknown := options.keys() - TuneOptions.__annotations__.keys():
        known = ", ".join(sorted(TuneOptions.__annotations__))
        raise TypeError(f"tune() has no option {min(unknown)}; it has {known}")
    return TuneRequest(
        function,
        Measure(
            payloads=tuple(options.get("payloads") or ()),
            vary=options.get("vary"),
            payload_size=options.get("payload_size"),
            raw=options.get("raw", False),
            allow_outside=options.get("allow_outside", False),
            memory_sizes_mb=tuple(options.get("memory_sizes_mb") or ()),
            min_memory_mb=options.get("min_memory_mb"),
            max_memory_mb=options.get("max_memory_mb"),
            exhaustive=options.get("exhaustive", False),
            seed=options.get("seed", 0),
            code=options.get("code"),
            fail_on=options.get("fail_on"),
            resume=options.get("resume"),
        ),
        Budget(
            max_invocations=options.get("max_invocations"),
            budget_usd=options.get("budget_usd"),
            concurrency=options.get("concurrency"),
            leave_concurrency_ratio=options.get("leave_concurrency_ratio", LEAVE_CONCURRENCY),
        ),
        Safety(
            isolation=options.get("isolation", "auto"),
            once_each=options.get("once_each", False),
            before=options.get("before"),
            after=options.get("after"),
            hooks_each=options.get("hooks_each", False),
            hook_environment=options.get("hook_environment", {}),
        ),
        Target(
            region=options.get("region"),
            profile=options.get("profile"),
            endpoint_url=options.get("endpoint_url"),
            local_template=options.get("local_template"),
            template_parameters=options.get("template_parameters", {}),
            template_environment=options.get("template_environment", {}),
            build=options.get("build", False),
        ),
        Output(
            out=options.get("out"),
            force=options.get("force", False),
            keep_payloads=options.get("keep_payloads", False),
        ),
    )


def tune(
    function: str | None = None,
    *,
    goal: Goal | None = None,
    terms: Terms | None = None,
    state_dir: Path | None = None,
    confirm: Callable[[PreparedSweep], bool] | None = None,
    on_progress: ProgressHook = tell_nobody,
    stop: StopSignal | None = None,
    today: datetime.date | None = None,
    **options: Unpack[TuneOptions],
) -> Recommendation:
    """Measure `function` (a name or an ARN) and say how much memory it should have.

    It really runs the code. `goal` is kept with the sweep; without it a sweep that is gone on from
    has its own. `options` are those of the command `tuner tune`, by the names that
    `tuner.TuneOptions` gives them, such as `payloads`, `region`, `local_template`, `budget_usd`.
    `confirm` sees the plan before anything is changed; without it the call itself agrees, to the
    cost and to side effects. `terms` have the rate of requests that a month is reckoned with.
    `stop` ends the sweep early, with an answer from what was measured. With `today` prices that
    are over 90 days old get a warning.

    Raises NotAgreedError, InputError and its kin, UnknownTrafficError, PriceError, AwsError and its
    kin, LocalError, HookError, and LeftChangedError if something is left changed.
    """
    folder = state_dir or default_state_dir()
    inputs = read_inputs(request_of(function, options), state_dir=folder)
    goal = goal or (inputs.earlier and inputs.earlier.goal) or Goal()
    with open_target(inputs, state_dir=folder) as target:
        inputs = with_payloads(inputs, target)
        prepared = session.plan(inputs, target, goal=goal, state_dir=folder)
        if confirm is not None and not confirm(prepared):
            raise NotAgreedError("the plan was not agreed to: nothing was changed")
        sweep = session.run(prepared, target, on_progress=on_progress, stop=stop)
    measure = inputs.request.measure
    analysis = session.analyse(
        sweep, goal, min_memory_mb=measure.min_memory_mb, max_memory_mb=measure.max_memory_mb
    )
    return session.recommend(analysis, terms, today=today)
