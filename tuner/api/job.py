"""What a sweep is asked for: one set of parameters, of `tuner.tune` and of the command alike."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, TypedDict

from tuner.api.builds import load_build
from tuner.api.events import load_for
from tuner.api.prepared import Request, check_event_count, check_plan, isolation_of_build
from tuner.api.saved import load_sweep
from tuner.api.store import check_writable
from tuner.errors import InputError
from tuner.model.limits import MAX_MEMORY_MB, MIN_MEMORY_MB
from tuner.payloads import asks_for_test_events, load_payloads
from tuner.sweep.adaptive_plan import check_count
from tuner.sweep.hooks import parse_hooks
from tuner.sweep.outcome import parse_fail_on
from tuner.sweep.sizes import check_range
from tuner.sweep.writing import continued_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tuner.api.target import Target
    from tuner.model.function import FunctionConfig
    from tuner.model.plan import Isolation


class TuneOptions(TypedDict, total=False):
    """Everything is optional; left out, or None, is the tool's own choice."""

    payloads: Sequence[str]
    """Files, folders, inline JSON, templates, schemas, sets, sources, or "test-events"."""
    vary: str | None
    """NAME=VALUE,VALUE...: measure with each value of a template's parameter."""
    payload_size: str | None
    """Of payloads from schemas: "p50=2kB,p99=200kB"."""
    raw: bool
    """Whether payloads may be no JSON."""
    allow_outside: bool
    """Let payload sets name files outside their folder, and templates code outside theirs."""
    seed: int
    memory_sizes_mb: Sequence[int]
    """The sizes to choose from, ascending; the current size is added for comparison."""
    min_memory_mb: int | None
    max_memory_mb: int | None
    exhaustive: bool
    """Measure every planned size instead of choosing as it goes."""
    max_invocations: int | None
    budget_usd: float | None
    concurrency: int | None
    leave_concurrency_ratio: float
    """Share of the concurrency there is that live traffic keeps."""
    isolation: Isolation
    code: str | None
    """A ZIP file, a folder or an image: measure this build in place of the deployed code."""
    once_each: bool
    """Send no event twice."""
    keep_payloads: bool
    """Keep the events that are sent in the sweep file."""
    fail_on: str | None
    """A JMESPath expression: a reply for which it is true counts as a function error."""
    resume: str | Path | None
    """A sweep file, or a function's name for its newest sweep: go on from there."""
    before: str | None
    """A command to run before the sweep, split into words and run without a shell."""
    after: str | None
    hooks_each: bool
    """Run both around every invocation."""
    hook_environment: Mapping[str, str]
    """All variables of these commands, beside those that tell them what they are for."""
    region: str | None
    profile: str | None
    endpoint_url: str | None
    local_template: Path | None
    """A SAM template, for whose functions an endpoint is started here."""
    template_parameters: Mapping[str, str]
    """Values of the template's parameters."""
    template_environment: Mapping[str, str]
    """Values of its functions' environment variables, in place of the template's."""
    build: bool
    """Have pip, npm or make install first what the template's functions need."""
    out: Path | None
    """The sweep file; None: a new one in the state folder."""
    force: bool
    """Replace the sweep that `out` holds already."""


_PLACE: Final = (
    *("region", "profile", "endpoint_url", "local_template"),
    *("template_parameters", "template_environment", "build", "allow_outside"),
)
_MADE: Final = frozenset({"payloads", "hooks", "build", "earlier", "memory_sizes_mb"})


@dataclass(frozen=True, slots=True)
class Job:
    """A function with what is asked for it, all read that needs no connection."""

    function: str
    request: Request
    """Without payloads where only the account has them."""
    place: Mapping[str, Any]
    """Where the function is, as `open_target` takes it."""
    specs: tuple[str, ...] = ()
    loading: Mapping[str, Any] | None = None
    """How payloads are loaded: seed, raw, size and vary."""

    def check(self, function: FunctionConfig, max_memory_mb: int) -> None:
        """Raise UsageError where a template's function cannot be measured as is asked for.

        Payloads that only the account has are not counted.
        """
        if self.request.payloads or self.request.earlier is not None:
            check_plan(self.request, function, max_memory_mb)

    def completed(self, target: Target, specs: tuple[str, ...] | None = None) -> Request:
        """Return the request with its payloads, or with those that `specs` name instead.

        Raises PayloadError and AwsError.
        """
        if self.request.payloads and specs is None:
            return self.request
        named = self.specs if specs is None else specs
        found = load_for(target, self.function, named, **(self.loading or {}))
        return replace(self.request, payloads=found)


def read_job(function: str | None, options: TuneOptions, *, state_dir: Path) -> Job:
    """Read what the options name; without a function the sweep to go on from says which.

    Raises TypeError for an option that there is not, InputError, PayloadError, SweepFileError.
    """
    if unknown := options.keys() - TuneOptions.__annotations__.keys():
        known = ", ".join(sorted(TuneOptions.__annotations__))
        raise TypeError(f"tune() has no option {min(unknown)}; it has {known}")
    resume = options.get("resume")
    earlier = load_sweep(resume, state_dir=state_dir) if resume is not None else None
    if earlier is not None:
        region = options.get("region") or earlier.function.region
        options = {**options, "seed": earlier.plan.seed, "region": region}
        function = function or earlier.function.name
    if (out := options.get("out")) is not None:
        force = options.get("force", False)
        check_writable(out, replace=force, continues=continued_in(out, earlier))
    _check_usage(options)
    if function is None:
        raise InputError("no function is named, and no sweep to go on from")
    specs = tuple(options.get("payloads") or ())
    loading: dict[str, Any] = {
        "seed": options.get("seed", 0),
        "raw": options.get("raw", False),
        "size": options.get("payload_size"),
        "vary": options.get("vary"),
        "allow_outside": options.get("allow_outside", False),
    }
    asks = any(map(asks_for_test_events, specs))
    if (fail_on := options.get("fail_on")) is not None:
        parse_fail_on(fail_on)
    code = options.get("code")
    plain = {each.name for each in fields(Request)} - _MADE
    as_given: dict[str, Any] = {name: value for name, value in options.items() if name in plain}
    request = Request(
        payloads=() if asks else load_payloads(specs, **loading),
        memory_sizes_mb=tuple(options.get("memory_sizes_mb") or ()),
        hooks=parse_hooks(
            options.get("before"),
            options.get("after"),
            "invocation" if options.get("hooks_each") else "run",
            options.get("hook_environment", {}),
        ),
        build=None if code is None else load_build(code),
        earlier=earlier,
        **as_given,
    )
    check_event_count(request)
    place = {name: value for name, value in options.items() if name in _PLACE}
    return Job(function, request, place, specs, loading)


def _check_usage(options: TuneOptions) -> None:
    """Raise UsageError for what no function and no place could make right: an endpoint takes a
    quarter of a minute to start.
    """
    check_range(
        options.get("min_memory_mb") or MIN_MEMORY_MB, options.get("max_memory_mb") or MAX_MEMORY_MB
    )
    if options.get("code") is not None:
        isolation_of_build(options.get("isolation", "auto"))
    most = options.get("max_invocations")
    if most is not None and not options.get("exhaustive"):
        check_count(most)
