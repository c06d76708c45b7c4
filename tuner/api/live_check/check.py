"""Both steps of a live check, against an account, an endpoint, or a local Lambda started for it."""

from __future__ import annotations

import io
import sys
import tempfile
import time
import zipfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner import __version__
from tuner.api.live_check.control_plane import check_alias, check_revisions, check_sizes
from tuner.api.live_check.handlers import (
    check_cpu,
    check_failures,
    check_limits,
    check_log_group,
    check_logs,
)
from tuner.api.live_check.probing import Probing
from tuner.api.live_check.reading import read_only
from tuner.api.live_check.redaction import redacted
from tuner.api.live_check.sweeps import check_kill, check_sweeps, undo
from tuner.errors import (
    CredentialsError,
    EndpointError,
    FunctionNotFoundError,
    LeftChangedError,
    NotAgreedError,
    TunerError,
    UsageError,
)
from tuner.lease.journal import LeaseTerms, find_unfinished
from tuner.lease.throwaway import open_throwaway
from tuner.model.function import Throwaway
from tuner.model.lambda_limits import MB_PER_VCPU, vcpu_share
from tuner.model.live_check import CheckPlan, LiveCheck
from tuner.pricing.renewal import current_price_book
from tuner.sweep.estimate import LOOPBACK_PUBLISH_S, PUBLISH_S
from tuner.sweep.io import StopSignal, tell_nobody
from tuner.sweep.plan import new_sweep_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tuner.aws.live_gateway import LiveGateway
    from tuner.model.live_check import Assumption
    from tuner.pricing import LambdaPrices

HANDLER: Final = Path(__file__).parent / "function" / "handler.py"
TEMPLATE: Final = HANDLER.with_name("template.yaml")
LOCAL_FUNCTION: Final = "live-check-reading"
LOCAL_ROLE: Final = "arn:aws:iam::123456789012:role/any"
DEFAULT_NAME: Final = "lambda-tuner-live-check"
_FIRST_MB: Final = 192
"""Not one of the sizes, so that each of them is an update."""
_OVERHEAD_MS: Final = 150
"""Billed besides the probe's own work, at one vCPU: inits, small invocations."""
_NEWEST_PYTHON: Final = 14
_PROBES: Final = (
    ("updates", check_sizes),
    ("revisions", check_revisions),
    ("CPU", check_cpu),
    ("limits", check_limits),
    ("failures", check_failures),
    ("alias", check_alias),
    ("sweeps", check_sweeps),
    ("a killed sweep", check_kill),
    ("the log in CloudWatch", check_log_group),
    ("logs", check_logs),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the check looks, and what for."""

    gateway: LiveGateway
    state_dir: Path
    function: str | None = None
    """A function to read in the first step."""
    role_arn: str | None = None
    """The role of the function that is made; None: the one of `function`."""
    profile: str | None = None
    access_key_id: str | None = field(default=None, repr=False)


@contextmanager
def open_local_place(on_step: Callable[[str], None] = lambda _: None) -> Iterator[Place]:
    """Start a local Lambda for the check, with a function that has run once."""
    from tuner.aws.live_gateway import connect_live
    from tuner.local import start_local_lambda

    on_step("starting a local Lambda")
    with ExitStack() as stack:
        local = stack.enter_context(
            start_local_lambda(TEMPLATE, python=sys.executable, region="us-east-1")
        )
        status = local.status
        gateway = stack.enter_context(
            connect_live(
                region=status.region,
                profile=None,
                endpoint_url=status.endpoint_url,
                access_key_id=status.access_key_id,
            )
        )
        gateway.invoke(LOCAL_FUNCTION, "$LATEST", b'{"probe": "where"}', timeout_s=3)
        # The endpoint and everything in it end with this run, and so does the journal.
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tuner-"))
        yield Place(
            gateway, Path(folder), LOCAL_FUNCTION, LOCAL_ROLE, access_key_id=status.access_key_id
        )


def read_place(place: Place, *, on_step: Callable[[str], None] = lambda _: None) -> LiveCheck:
    """The first step: reads only."""
    begin = time.monotonic()
    found = read_only(place.gateway, place.function, on_step=on_step)
    return _made(place, found, wall_s=time.monotonic() - begin)


def check_place(
    place: Place,
    read: LiveCheck,
    name: str,
    plan: CheckPlan | None = None,
    *,
    on_step: Callable[[str], None] = lambda _: None,
    stop: StopSignal | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> LiveCheck:
    """The second step, added to the first: makes the function `name`, probes and deletes it.

    Raises InputError for a name that can't be used, UsageError without a role, NotAgreedError if it
    costs more than a cent, AwsError, LeaseError and LeftChangedError.
    """
    plan, stop = plan or CheckPlan(), stop or StopSignal()
    gateway, begin = place.gateway, time.monotonic()
    role_arn = role_of(place)
    now = datetime.now(UTC)
    sweep_id = f"live-{new_sweep_id(now)}"
    terms = LeaseTerms(
        sweep_id,
        place.state_dir,
        gateway.endpoint_url,
        now.isoformat(timespec="seconds"),
        "throwaway",
    )
    spec = Throwaway(
        name, role_arn, runtime(), "handler.handler", _package(), _FIRST_MB,
        plan.timeout_s,
    )  # fmt: skip
    probing = Probing(
        gateway,
        name,
        plan,
        _prices(gateway),
        place.state_dir,
        place.access_key_id,
        place.profile,
        on_step,
        stop,
        sleep,
    )
    probing.step(f"making the function {name}")
    opening = time.monotonic()
    with open_throwaway(
        spec,
        terms,
        control=gateway,
        sleep=sleep,
        on_progress=tell_nobody,
        is_urgent=lambda: stop.is_urgent,
    ):
        probing.figure("create_ms", (time.monotonic() - opening) * 1000)
        probing.keep("GetFunction", gateway.raw_function(name))
        _probe_all(probing)
        on_step(f"deleting the function {name}")
    _recover_sweeps(place, name)
    left = _left(place, name)
    probing.expect("at the end", "nothing is left", ", ".join(left) or "nothing is left")
    return _made(
        place,
        (*read.assumptions, *probing.assumptions),
        wall_s=read.wall_s + time.monotonic() - begin,
        probing=probing,
        left=left,
    )


def role_of(place: Place) -> str:
    """The role to give the function. Raises UsageError if there is none."""
    if place.role_arn is not None:
        return place.role_arn
    if place.function is not None:
        return str(place.gateway.raw_function(place.function)["Role"])
    raise UsageError(
        "the function needs a role that Lambda may take: give its ARN as `role`, or name a "
        "`function` whose role it gets; it needs no permission"
    )


def expected(place: Place) -> tuple[float, float]:
    """What the second step will cost and how many seconds it will take, about."""
    plan = CheckPlan()
    publish_s = LOOPBACK_PUBLISH_S if place.gateway.is_loopback else PUBLISH_S
    wall_s = expected_wall_s(plan, update_s=publish_s)
    return expected_cost_usd(plan, _prices(place.gateway)), wall_s


def expected_cost_usd(plan: CheckPlan, prices: LambdaPrices) -> float:
    """What the second step is expected to cost: every probe at its size and expected duration."""

    def cost(memory_mb: int, cpu_s: float) -> float:
        # Work of less than a core takes longer, and costs as much as on a whole one.
        slowed = cpu_s * 1000 / min(vcpu_share(memory_mb), 1.0)
        overhead_ms = _OVERHEAD_MS * MB_PER_VCPU / memory_mb if memory_mb < MB_PER_VCPU else 0
        return prices.invocation_cost_usd(memory_mb, round(slowed + overhead_ms))

    smallest = plan.sizes_mb[0]
    total = sum(plan.repetitions * cost(size, plan.cpu_s) for size in plan.sizes_mb)
    total += sum(cost(size, 0.0) for size in plan.sizes_mb)
    total += plan.alias_count * prices.invocation_cost_usd(smallest, 5)
    total += 20 * cost(smallest, 0.0)
    total += prices.invocation_cost_usd(smallest, plan.timeout_s * 1000)
    largest = max(plan.sweep_sizes_mb)
    return total + 2 * plan.sweep_invocations * cost(largest, 0.1)


def expected_wall_s(plan: CheckPlan, *, update_s: float) -> float:
    """About how long the second step takes."""
    cpu_s = sum(
        plan.repetitions * plan.cpu_s / min(vcpu_share(size), 1.0) for size in plan.sizes_mb
    )
    updates = len(plan.sizes_mb) * 2 + 2 * len(plan.sweep_sizes_mb) + 8
    return cpu_s + updates * update_s + plan.alias_count * 0.05 + plan.timeout_s + 30


def runtime() -> str:
    """The Python that runs here, so that a check elsewhere can be compared with one here."""
    return f"python3.{min(sys.version_info.minor, _NEWEST_PYTHON)}"


def _probe_all(probing: Probing) -> None:
    """Run the probes. One that fails is put down; the others go on as long as there is a place."""
    for topic, probe in _PROBES:
        if probe is check_kill and not probing.plan.kills:
            continue
        try:
            probe(probing)
        except (CredentialsError, EndpointError, LeftChangedError, NotAgreedError):
            raise
        except TunerError as error:
            probing.assume(topic, "the probe ends well", str(error), holds=False)
            if not probing.versions:
                raise


def _package() -> bytes:
    """The handler alone, the same bytes whenever it's made."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("handler.py"), HANDLER.read_bytes())
    return packed.getvalue()


def _prices(gateway: LiveGateway) -> LambdaPrices:
    return current_price_book().lambda_prices(gateway.region, "x86_64")


def _recover_sweeps(place: Place, name: str) -> None:
    """Finish what sweeps of the function left: it's gone, but a copy of it may be there."""
    for journal in find_unfinished(place.state_dir):
        if journal.header.function.name == name:
            undo(journal, place.gateway, place.state_dir, time.sleep)


def _left(place: Place, name: str) -> tuple[str, ...]:
    """What of the check is still there."""
    left = []
    try:
        place.gateway.read_function(name)
        left.append(f"the function {name}")
    except FunctionNotFoundError:
        pass
    left += [copy for copy, _ in place.gateway.list_copies(name)]
    left += [
        f"the journal {each.path}"
        for each in find_unfinished(place.state_dir)
        if each.header.function.name == name
    ]
    return tuple(left)


def _made(
    place: Place,
    assumptions: tuple[Assumption, ...],
    *,
    wall_s: float,
    probing: Probing | None = None,
    left: tuple[str, ...] = (),
) -> LiveCheck:
    names = [each for each in (place.function, probing and probing.name) if each]
    return LiveCheck(
        environment="local" if place.gateway.is_loopback else "aws",
        region=place.gateway.region,
        runtime=runtime(),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        tool_version=__version__,
        assumptions=tuple(replace(each, seen=redacted(each.seen, names)) for each in assumptions),
        figures=tuple(probing.figures) if probing else (),
        replies=tuple(probing.replies) if probing else (),
        created=probing is not None,
        expected_cost_usd=expected_cost_usd(probing.plan, probing.prices) if probing else 0.0,
        cost_usd=probing.cost_usd if probing else 0.0,
        wall_s=wall_s,
        left=left,
    )
