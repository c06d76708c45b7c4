"""The main job in one call: from a function's name to an answer."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from tuner import session
from tuner.api.given import day_of, goal_of, terms_of
from tuner.api.target import open_target
from tuner.errors import NotAgreedError, UsageError
from tuner.model.goal import Goal
from tuner.model.number_fields import check_number
from tuner.model.request import Budget, Measure, Output, Safety, Target, TuneRequest
from tuner.observe.verdicts import read_outcomes, with_track_record
from tuner.session.inputs import read_inputs, with_payloads
from tuner.sweep.io import tell_nobody
from tuner.sweep.store import default_state_dir

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from tuner.api.given import GoalLike, TermsLike
    from tuner.model.plan import Isolation
    from tuner.model.progress import ProgressHook
    from tuner.model.recommendation import Recommendation
    from tuner.sweep.io import StopSignal
    from tuner.sweep.prepared import PreparedSweep

    PayloadLike = str | os.PathLike[str] | dict[str, Any] | list[Any]

Part = TypeVar("Part", Measure, Budget, Safety, Target, Output)


class TuneOptions(TypedDict, total=False):
    """The parts of a `TuneRequest`, which explains each, as keywords of `tune`.

    Everything is optional; left out, or None, the tool chooses. A payload may be the event itself,
    a dict or a list, and a single one needn't be in a list.

    >>> options: tuner.TuneOptions = {"payloads": ["event.json", {"n": 1}], "max_invocations": 20}
    """

    payloads: Sequence[PayloadLike] | PayloadLike
    vary: str | None
    payload_size: str | None
    raw: bool
    allow_outside: bool
    seed: int
    memory_sizes_mb: Sequence[int] | int
    min_memory_mb: int | None
    max_memory_mb: int | None
    exhaustive: bool
    code: str | Mapping[str, str] | None
    architectures: Sequence[str]
    fail_on: str | None
    resume: str | Path | None
    prior: str | Path | None
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
    local_template: Path | str | None
    template_parameters: Mapping[str, str]
    template_environment: Mapping[str, str]
    build: bool
    keep_payloads: bool
    out: Path | str | None
    force: bool


def request_of(function: str | None, options: TuneOptions) -> TuneRequest:
    """Return the request that the keywords make.

    Raises TypeError for an unknown keyword, UsageError for a value of the wrong type.
    """
    if unknown := options.keys() - TuneOptions.__annotations__.keys():
        known = sorted(TuneOptions.__annotations__)
        near = get_close_matches(min(unknown), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
        raise TypeError(f"tune() has no option {min(unknown)}; {hint}")
    if function is not None and not isinstance(function, str):
        raise UsageError(f"{function!r} isn't a function: pass its name or ARN")
    given: dict[str, Any] = {name: each for name, each in options.items() if each is not None}
    for name, value in given.items():
        check_number(name, value, TuneOptions.__annotations__[name].__forward_arg__)
    given["payloads"] = _specs(given.get("payloads"))
    given |= _codes(given)
    given["memory_sizes_mb"] = _sizes(given.get("memory_sizes_mb") or ())
    given |= {name: Path(given[name]) for name in ("local_template", "out") if name in given}
    return TuneRequest(
        function,
        _part(Measure, given),
        _part(Budget, given),
        _part(Safety, given),
        _part(Target, given),
        _part(Output, given),
    )


def _codes(given: Mapping[str, Any]) -> dict[str, Any]:
    """`code` and `architectures` as a request has them."""
    code, kinds = given.get("code"), given.get("architectures", ())
    by_architecture = tuple(code.items()) if isinstance(code, Mapping) else ()
    return {
        "code": None if by_architecture or isinstance(code, Mapping) else code,
        "code_by_architecture": by_architecture,
        "architectures": (kinds,) if isinstance(kinds, str) else tuple(kinds),
    }


def _part(kind: type[Part], given: Mapping[str, Any]) -> Part:
    return kind(**{each.name: given[each.name] for each in fields(kind) if each.name in given})


def _specs(given: Sequence[PayloadLike] | PayloadLike | None) -> tuple[str, ...]:
    """What `tuner tune --payload` takes: paths, names, and events as JSON text."""
    if given is None:
        return ()
    many = given if isinstance(given, list | tuple) else (given,)
    return tuple(
        each if isinstance(each, str) else os.fspath(each) if isinstance(each, os.PathLike)
        else event_text(each)
        for each in many
    )  # fmt: skip


def event_text(event: object) -> str:
    """An event as JSON text. Raises UsageError if it isn't JSON."""
    try:
        return json.dumps(event, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"a {type(event).__name__} isn't an event: pass JSON ({error})") from None


def _sizes(given: Sequence[int] | int) -> tuple[int, ...]:
    sizes = (given,) if isinstance(given, int) else tuple(given)
    for size in sizes:
        check_number("memory_sizes_mb", size, "int")
    return sizes


def tune(
    function: str | None = None,
    *,
    goal: GoalLike | None = None,
    terms: TermsLike | None = None,
    state_dir: Path | str | None = None,
    confirm: Callable[[PreparedSweep], bool] | None = None,
    on_progress: ProgressHook = tell_nobody,
    stop: StopSignal | None = None,
    today: datetime.date | str | None = None,
    **options: Unpack[TuneOptions],
) -> Recommendation:
    """Measure `function` (a name or an ARN) and say how much memory it should have.

    It really runs the code. `goal`, such as "speed", is kept with the sweep; it defaults to the
    resumed sweep's own. `options` are those of the command `tuner tune`, under the names in
    `tuner.TuneOptions`, such as `payloads`, `region`, `local_template`, `budget_usd`. `confirm`
    sees the plan before anything changes; without it the call itself agrees to the cost and to side
    effects. `terms` give the request rate for monthly figures: "50/s". `stop` ends the sweep early,
    with an answer from what was measured. With `today`, prices over 90 days old get a warning.

    Raises NotAgreedError, InputError and its subclasses, UnknownTrafficError, PriceError, AwsError
    and its subclasses, LocalError, HookError, and LeftChangedError if something is left changed. A
    second stop before the function is leased raises KeyboardInterrupt: there is no answer then.

    >>> answer = tuner.tune(
    ...     "mixed", local_template="examples/template.yaml", max_invocations=8, goal="speed"
    ... )
    >>> answer.function.name, answer.environment
    ('mixed', 'local')
    """
    folder = Path(state_dir or default_state_dir())
    terms, wanted, today = terms_of(terms), goal_of(goal), day_of(today)
    inputs = read_inputs(request_of(function, options), state_dir=folder)
    goal = wanted or (inputs.earlier and inputs.earlier.goal) or Goal()
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
    answer = session.recommend(analysis, terms, today=today)
    return with_track_record(answer, read_outcomes(folder))
