"""Reads what a request names: payloads, commands, another build, and the sweep to resume."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from tuner.aws.function_ref import parse_reference
from tuner.errors import AwsError, InputError, LocalError, UsageError
from tuner.model.function import Build
from tuner.model.lambda_limits import MAX_MEMORY_MB, MIN_MEMORY_MB
from tuner.model.request import AUTO_PRIOR, NO_PRIOR
from tuner.observe.kept import fresh_observation, is_observation, read_observation
from tuner.payloads import asks_for_test_events, load_payloads
from tuner.sweep.hooks import NO_HOOKS, Hooks, parse_hooks
from tuner.sweep.outcome import parse_fail_on
from tuner.sweep.plan import check_architectures, check_count, most_invocations
from tuner.sweep.sizes import check_range
from tuner.sweep.store import check_writable, load_sweep
from tuner.sweep.writing import continued_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tuner.aws import LambdaGateway
    from tuner.model.finding import Finding
    from tuner.model.function import Architecture
    from tuner.model.payload import Payload
    from tuner.model.plan import Isolation
    from tuner.model.request import Measure, TuneRequest
    from tuner.model.sweep import Sweep
    from tuner.sweep.prepared import OtherArchitecture

MAX_ZIPPED_BYTES: Final = 50 * 1024 * 1024
"""Lambda's limit for a package sent in a request."""
# https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCode.html: Lambda takes images from ECR.
_IMAGE: Final = re.compile(
    r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/[a-z0-9._/-]{1,256}"
    r"(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """A request with everything it names, as far as it can be read without a connection."""

    request: TuneRequest
    function: str
    payloads: tuple[Payload, ...] = ()
    """Empty if only the account has them."""
    hooks: Hooks = NO_HOOKS
    build: Build | None = None
    builds: tuple[tuple[Architecture, Build], ...] = ()
    """Those for one architecture each."""
    other: OtherArchitecture | None = None
    """The architecture to compare with the function's own, once the function is known."""
    earlier: Sweep | None = None
    """The sweep to resume."""
    prior: Sweep | None = None
    """An earlier sweep that informs this one."""
    observation: dict[str, Any] | None = None
    """What production says of the function, as its JSON."""

    @property
    def build_sha256(self) -> str | None:
        """Digest of the build for any architecture, if there is one and it's known."""
        return None if self.build is None else self.build.code_sha256

    def isolated(self, isolation: Isolation) -> Inputs:
        """The same inputs with another isolation."""
        safety = replace(self.request.safety, isolation=isolation)
        return replace(self, request=replace(self.request, safety=safety))


@dataclass(frozen=True, slots=True)
class OpenTarget:
    """An open gateway, and what is known about the place behind it."""

    gateway: LambdaGateway
    state_dir: Path
    """Where the journal of a sweep goes."""
    findings: tuple[Finding, ...] = ()
    max_memory_mb: int | None = None
    """The largest size that the place can emulate; None: Lambda's own limit."""
    started_here: bool = False
    keep_journal: Callable[[], None] | None = None
    """As `LeaseTerms.keep`."""

    @property
    def host_architecture(self) -> str | None:
        """The architecture that everything here runs on; None if a function has its own."""
        return self.gateway.account_settings().architecture

    @property
    def environment(self) -> Literal["aws", "local"]:
        """Where a sweep here is measured, as its file says."""
        return "local" if self.gateway.is_loopback else "aws"

    @property
    def beside_the_function(self) -> tuple[str, ...]:
        """What a template has or lacks here: it decides what an invocation meets."""
        told = (each for each in self.findings if each.code.startswith("template_resource"))
        return tuple(each.message for each in told)


def read_inputs(request: TuneRequest, *, state_dir: Path) -> Inputs:
    """Read what the request names; without a function, the sweep to resume names it.

    Raises InputError, PayloadError and SweepFileError for anything that no function and no place
    could fix, because starting an endpoint takes a quarter of a minute.
    """
    earlier, prior = None, None
    named = request.measure.prior
    observation = None
    if named not in {None, AUTO_PRIOR, NO_PRIOR}:
        assert named is not None
        if is_observation(named):
            observation = read_observation(named)
        else:
            prior = load_sweep(named, state_dir=state_dir)
    if request.measure.resume is not None:
        earlier = load_sweep(request.measure.resume, state_dir=state_dir)
        request = _with_earlier(request, earlier)
    check_output(request, earlier)
    measure, safety = request.measure, request.safety
    check_range(measure.min_memory_mb or MIN_MEMORY_MB, measure.max_memory_mb or MAX_MEMORY_MB)
    if measure.code is not None:
        isolation_of_build(safety.isolation)
    check_architectures(request)
    if request.budget.max_invocations is not None and not measure.exhaustive:
        check_count(request.budget.max_invocations)
    if request.function is None:
        raise InputError("no function is named, and no sweep to resume")
    if named in {None, AUTO_PRIOR} and request.target.local_template is None:
        name = parse_reference(request.function).name
        observation = fresh_observation(state_dir, name, datetime.now(UTC))
    if measure.fail_on is not None:
        parse_fail_on(measure.fail_on)
    asks_account = any(map(asks_for_test_events, measure.payloads))
    payloads = () if asks_account else _load(measure)
    hooks = parse_hooks(
        safety.before,
        safety.after,
        "invocation" if safety.hooks_each else "run",
        safety.hook_environment,
    )
    build = None if measure.code is None else load_build(measure.code)
    most_invocations(request, payloads)
    return Inputs(
        request,
        request.function,
        payloads,
        hooks,
        build,
        tuple((kind, load_build(code)) for kind, code in measure.code_by_architecture),
        earlier=earlier,
        prior=prior,
        observation=observation,
    )


def with_payloads(
    inputs: Inputs, target: OpenTarget, instead: tuple[str, ...] | None = None
) -> Inputs:
    """Return the inputs with payloads that only the account has, or with `instead`.

    Raises PayloadError and AwsError.
    """
    if inputs.payloads and instead is None:
        return inputs
    measure = inputs.request.measure
    if instead is not None:
        measure = replace(measure, payloads=instead)
    wanted = any(map(asks_for_test_events, measure.payloads))
    events = target.gateway.shareable_events(inputs.function) if wanted else None
    return replace(inputs, payloads=_load(measure, events))


def test_event_names(inputs: Inputs, target: OpenTarget) -> tuple[str, ...]:
    """Names of the events that could be offered; none if access is denied."""
    if target.started_here:
        return ()
    try:
        return tuple(sorted(target.gateway.shareable_events(inputs.function)))
    except AwsError:
        return ()


def _with_earlier(request: TuneRequest, earlier: Sweep) -> TuneRequest:
    """Fill in the earlier sweep's wishes where none are given; its seed always holds."""
    return replace(
        request,
        function=request.function or earlier.function.name,
        measure=replace(request.measure, seed=earlier.plan.seed),
        target=replace(request.target, region=request.target.region or earlier.function.region),
    )


def _load(measure: Measure, test_events: Mapping[str, bytes] | None = None) -> tuple[Payload, ...]:
    return load_payloads(
        measure.payloads,
        seed=measure.seed,
        raw=measure.raw,
        size=measure.payload_size,
        vary=measure.vary,
        allow_outside=measure.allow_outside,
        test_events=test_events,
    )


def load_build(code: str) -> Build:
    """Read what `--code` names. Raises InputError."""
    if _IMAGE.fullmatch(code):
        return Build(image_uri=code)
    path = Path(code)
    try:
        if code.strip() and path.is_dir():
            package = _zipped(path)
        elif path.is_file():
            package = _read(path)
        else:
            raise InputError(
                f"`code` {code!r} is neither a ZIP file, a folder nor an image in ECR "
                "(ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG): check the path"
            )
    except OSError as error:
        raise InputError(f"`code` {code!r} can't be read: {error.strerror}") from error
    if len(package) > MAX_ZIPPED_BYTES:
        raise InputError(
            f"`code` {code!r} has {len(package) / 2**20:.0f} MB, a copy is made from 50 MB at "
            "most: leave out what is not needed, or put it into an image"
        )
    return Build(package=package)


def digest_of(code: str) -> str:
    """Lambda's digest of what `--code` names, without asking Lambda. Raises InputError."""
    found = load_build(code).code_sha256 or code.partition("@sha256:")[2]
    if not found:
        raise InputError(f"`code` {code!r} has no digest: name the image by NAME@sha256:DIGEST")
    return found


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        package = file.read(MAX_ZIPPED_BYTES + 1)
    if not package.startswith(b"PK"):
        raise InputError(f"`code` {str(path)!r} isn't a ZIP file: give one, or a folder")
    return package


def _zipped(folder: Path) -> bytes:
    from tuner.local import zip_folder  # noqa: PLC0415 - only for a folder

    try:
        return zip_folder(folder)
    except LocalError as error:
        raise InputError(f"`code`: {error}") from error


def check_output(request: TuneRequest, earlier: Sweep | None) -> None:
    """Raise SweepFileError if the named sweep file can't be written."""
    out, force = request.output.out, request.output.force
    if out is not None:
        check_writable(out, replace=force, continues=continued_in(out, earlier))


def isolation_of_build(isolation: Isolation) -> Isolation:
    """A build is measured in a copy. Raises UsageError if the function itself was asked for."""
    if isolation == "version":
        raise UsageError("`code` measures another build in a copy: leave out `isolation=version`")
    return "clone"
