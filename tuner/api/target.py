"""Where a function is tuned: AWS, another endpoint, or one started here for a template."""

from __future__ import annotations

import difflib
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.aws.function_ref import check_region, parse_reference
from tuner.errors import CredentialsError, LocalError, UsageError
from tuner.lease.journal import LeaseTerms
from tuner.lease.lease import open_lease
from tuner.local import refuse_other_systems
from tuner.model.function import FunctionConfig
from tuner.session.inputs import OpenTarget
from tuner.session.planning import check_plan
from tuner.sweep.plan import new_sweep_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import Literal

    from tuner.aws import CredentialsWait
    from tuner.lease.window import Leased
    from tuner.model.function import Build
    from tuner.model.progress import ProgressHook
    from tuner.model.request import Target
    from tuner.session.inputs import Inputs
    from tuner.sweep.io import Clock, StopSignal

MAX_CONNECTIONS: Final = 50
DEFAULT_LOCAL_REGION: Final = "us-east-1"


@contextmanager
def open_target(
    inputs: Inputs,
    *,
    state_dir: Path,
    credentials_wait: CredentialsWait | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> Iterator[OpenTarget]:
    """Connect to the function of a sweep; a local endpoint ends with the block.

    What a template says about the function is checked against the plan before an endpoint starts.
    `on_step` is told of each build, `credentials_wait` handles expired credentials. Raises
    InputError, TemplateError, LocalError, CredentialsError; UsageError if a local sweep is resumed
    without its template.
    """
    request, earlier = inputs.request, inputs.earlier
    try:
        with connect_to(
            inputs.function,
            request.target,
            state_dir=state_dir,
            allow_outside=request.measure.allow_outside,
            concurrency=request.budget.concurrency,
            credentials_wait=credentials_wait,
            on_step=on_step,
            check=partial(check_plan, inputs),
        ) as target:
            yield target
    except CredentialsError as error:
        started_here = request.target.local_template is not None
        if started_here or earlier is None or earlier.environment != "local":
            raise
        raise UsageError(
            "the sweep that `resume` names was measured on this machine: give its template, too "
            "(`local_template`)"
        ) from error


@contextmanager
def connect_to(
    function: str,
    where: Target,
    *,
    state_dir: Path,
    allow_outside: bool = False,
    concurrency: int | None = None,
    credentials_wait: CredentialsWait | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    check: Callable[[FunctionConfig, int], None] = lambda *_: None,
) -> Iterator[OpenTarget]:
    """The same for a function alone; `allow_outside` accepts code from outside its repository.

    Before an endpoint starts, `check` gets what the template says about the function, and the
    largest size that this host can emulate.
    """
    connections = max(concurrency or 0, MAX_CONNECTIONS)
    if where.local_template is not None:
        with _local_target(
            function,
            replace(where, region=where.region or DEFAULT_LOCAL_REGION),
            state_dir=state_dir,
            allow_outside=allow_outside,
            max_connections=connections,
            on_step=on_step,
            check=check,
        ) as target:
            yield target
        return
    if where.template_parameters or where.template_environment or where.build:
        raise UsageError(
            "`template_parameters`, `template_environment` and `build` are for a template: name "
            "one with `local_template`"
        )
    from tuner.aws import connect

    with connect(
        function=function,
        credentials_wait=credentials_wait,
        max_connections=connections,
        **where.connection,
    ) as gateway:
        yield OpenTarget(gateway, state_dir)


def lease_at(
    target: OpenTarget,
    function: FunctionConfig,
    isolation: Literal["version", "clone"],
    *,
    clock: Clock,
    stop: StopSignal,
    on_progress: ProgressHook,
    build: Build | None = None,
) -> AbstractContextManager[Leased]:
    """Lease a function for what isn't a sweep, from now on. Raises what `open_lease` does."""
    now = clock.now()
    terms = LeaseTerms(
        sweep_id=new_sweep_id(now),
        state_dir=target.state_dir,
        endpoint_url=target.gateway.endpoint_url,
        started_at=now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        isolation=isolation,
    )
    return open_lease(
        function,
        terms,
        control=target.gateway,
        sleep=clock.sleep,
        on_progress=on_progress,
        build=build,
        is_urgent=lambda: stop.is_urgent,
    )


@contextmanager
def _local_target(
    function: str,
    where: Target,
    *,
    state_dir: Path,
    allow_outside: bool,
    max_connections: int,
    on_step: Callable[[str], None],
    check: Callable[[FunctionConfig, int], None],
) -> Iterator[OpenTarget]:
    for name, value in (("profile", where.profile), ("endpoint_url", where.endpoint_url)):
        if value is not None:
            raise UsageError(f"`local_template` starts its own endpoint: leave out `{name}`")
    assert where.local_template is not None
    assert where.region is not None
    check(*_told_by_template(function, where, allow_outside=allow_outside))
    from tuner.api.host_check import host_findings
    from tuner.aws import connect
    from tuner.local import start_local_lambda

    with ExitStack() as stack:
        local = stack.enter_context(
            start_local_lambda(
                where.local_template,
                python=sys.executable,
                region=where.region,
                parameters=where.template_parameters,
                environment=where.template_environment,
                build=where.build,
                build_for=function if where.build else None,
                on_step=on_step,
                allow_outside=allow_outside,
            )
        )
        status = local.status
        # The endpoint and everything in it end with this run, and so does the journal.
        journals = stack.enter_context(tempfile.TemporaryDirectory(prefix="tuner-"))
        gateway = stack.enter_context(
            connect(
                region=status.region,
                profile=None,
                endpoint_url=status.endpoint_url,
                access_key_id=status.access_key_id,
                max_connections=max_connections,
            )
        )
        name = gateway.resolve(function).name
        if name in status.left_out:
            raise LocalError(status.left_out[name])
        found = host_findings(state_dir, status.cpu_control, status.core_count)
        yield OpenTarget(
            gateway,
            Path(journals),
            findings=(*status.findings_for(name), *found),
            max_memory_mb=status.max_memory_mb,
            started_here=True,
        )


def _told_by_template(
    function: str, where: Target, *, allow_outside: bool
) -> tuple[FunctionConfig, int]:
    """What the template and this host tell without starting an endpoint, which is slow.

    Raises UsageError, TemplateError and LocalError.
    """
    refuse_other_systems()
    from tuner.iac import read_template
    from tuner.local import host_max_memory_mb

    assert where.local_template is not None
    assert where.region is not None
    reference = parse_reference(function)
    check_region(reference, where.region)
    template = read_template(
        where.local_template,
        region=where.region,
        parameters=where.template_parameters,
        environment=where.template_environment,
        allow_outside=allow_outside,
    )
    if reference.name in template.left_out:
        raise LocalError(template.left_out[reference.name])
    functions = {each.name: each for each in template.functions}
    if reference.name not in functions:
        close = difflib.get_close_matches(reference.name, functions, n=1)
        names = ", ".join(functions)
        hint = f"did you mean {close[0]}?" if close else f"it has {names}"
        if close and len(functions) > 1:
            hint += f" It has {names}"
        raise UsageError(f"the template has no function {reference.name}: {hint}")
    found = functions[reference.name]
    config = FunctionConfig(
        name=found.name,
        arn="",
        region=where.region,
        architecture=found.architecture,
        package_type="Zip",
        runtime=found.runtime,
        memory_mb=found.memory_mb,
        timeout_s=found.timeout_s,
        ephemeral_storage_mb=found.ephemeral_storage_mb,
        code_sha256="",
    )
    return config, host_max_memory_mb()
