"""Where a function is tuned: AWS, another endpoint, or one started here for a template."""

from __future__ import annotations

import difflib
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tuner.aws.reference import check_region, parse_reference
from tuner.errors import LocalError, UsageError
from tuner.local import refuse_other_systems
from tuner.model.function import FunctionConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tuner.aws import LambdaGateway
    from tuner.local import RunningLocalLambda
    from tuner.model.finding import Finding
    from tuner.model.patience import CredentialsPatience

MAX_CONNECTIONS: Final = 50
DEFAULT_LOCAL_REGION: Final = "us-east-1"


@dataclass(frozen=True, slots=True)
class Target:
    """An open gateway, and what is to be known of the place behind it."""

    gateway: LambdaGateway
    state_dir: Path
    """Where the journal of a sweep goes."""
    findings: tuple[Finding, ...] = ()
    max_memory_mb: int | None = None
    """The largest size that the place can show; None: Lambda's own limit."""
    started_here: bool = False

    @property
    def beside_the_function(self) -> tuple[str, ...]:
        """What a template has that is here, or is not: it decides what an invocation meets."""
        told = (each for each in self.findings if each.code.startswith("template_resource"))
        return tuple(each.message for each in told)


@contextmanager
def open_target(
    function: str,
    *,
    state_dir: Path,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    local_template: Path | None = None,
    template_parameters: Mapping[str, str] | None = None,
    template_environment: Mapping[str, str] | None = None,
    build: bool = False,
    allow_outside: bool = False,
    concurrency: int | None = None,
    patience: CredentialsPatience | None = None,
    on_step: Callable[[str], None] = lambda _: None,
    check: Callable[[FunctionConfig, int], None] = lambda *_: None,
) -> Iterator[Target]:
    """Connect to where `function` is; a local endpoint ends with the block.

    `template_parameters` are values for the template's own parameters, `template_environment` for
    its functions' environment variables; with `build` pip, npm or
    make install what `function` and those that it names need, and `on_step` is told of each;
    `allow_outside` takes code from outside its repository.
    `patience` is for credentials that expire. Before an endpoint is started, `check` gets what the
    template says of the function, and the largest size that this host can show.
    Raises InputError, TemplateError, LocalError, CredentialsError.
    """
    connections = max(concurrency or 0, MAX_CONNECTIONS)
    if local_template is not None:
        _refuse_contradictions(profile=profile, endpoint_url=endpoint_url)
        start = partial(
            _started,
            local_template,
            parameters=template_parameters or {},
            environment=template_environment or {},
            build_for=function if build else None,
            on_step=on_step,
            allow_outside=allow_outside,
        )
        region = region or DEFAULT_LOCAL_REGION
        _check_first(
            function,
            region,
            check,
            path=local_template,
            parameters=template_parameters,
            environment=template_environment,
            allow_outside=allow_outside,
        )
        with _local_target(function, start, region, connections, state_dir) as target:
            yield target
        return
    if template_parameters or template_environment or build:
        raise UsageError("--parameter, --env and --build are for a template: name one with --local")
    from tuner.aws import connect  # noqa: PLC0415 - loads boto3

    with connect(
        region=region,
        profile=profile,
        endpoint_url=endpoint_url,
        max_connections=connections,
        function=function,
        patience=patience,
    ) as gateway:
        yield Target(gateway, state_dir)


@contextmanager
def _local_target(
    function: str,
    start: Callable[[str], RunningLocalLambda],
    region: str,
    connections: int,
    state_dir: Path,
) -> Iterator[Target]:
    from tuner.api.host_check import host_findings  # noqa: PLC0415 - only for --local
    from tuner.aws import connect  # noqa: PLC0415 - loads boto3

    with ExitStack() as stack:
        local = stack.enter_context(start(region))
        # The endpoint and all that it holds end with this run: so does the journal.
        journals = stack.enter_context(tempfile.TemporaryDirectory(prefix="tuner-"))
        gateway = stack.enter_context(
            connect(
                region=region,
                profile=None,
                endpoint_url=local.endpoint_url,
                access_key_id=local.status.access_key_id,
                max_connections=connections,
            )
        )
        status = local.status
        name = gateway.resolve(function).name
        if name in status.left_out:
            raise LocalError(status.left_out[name])
        found = host_findings(state_dir, status.cpu_control, status.core_count)
        told = status.findings_for(name)
        yield Target(
            gateway,
            Path(journals),
            findings=(*told, *found),
            max_memory_mb=status.max_memory_mb,
            started_here=True,
        )


def _check_first(
    function: str,
    region: str,
    check: Callable[[FunctionConfig, int], None],
    **reading: Any,
) -> None:
    """Refuse what the template and this host tell without an endpoint, which takes long to start.

    Raises UsageError, TemplateError, LocalError, and what `check` raises.
    """
    refuse_other_systems()
    from tuner.iac import read_template  # noqa: PLC0415 - only for --local
    from tuner.local import host_max_memory_mb  # noqa: PLC0415 - as above

    reference = parse_reference(function)
    check_region(reference, region)
    template = read_template(region=region, **reading)
    if reference.name in template.left_out:
        raise LocalError(template.left_out[reference.name])
    functions = {each.name: each for each in template.functions}
    if reference.name not in functions:
        close = difflib.get_close_matches(reference.name, functions, n=1)
        hint = f"did you mean {close[0]}? It" if close else "it"
        raise UsageError(
            f"the template has no function {reference.name}: {hint} has {', '.join(functions)}"
        )
    found = functions[reference.name]
    config = FunctionConfig(
        name=found.name,
        arn="",
        region=region,
        architecture=found.architecture,
        package_type="Zip",
        runtime=found.runtime,
        memory_mb=found.memory_mb,
        timeout_s=found.timeout_s,
        ephemeral_storage_mb=found.ephemeral_storage_mb,
        code_sha256="",
    )
    check(config, host_max_memory_mb())


def _started(
    template: Path,
    region: str,
    *,
    parameters: Mapping[str, str],
    environment: Mapping[str, str],
    build_for: str | None,
    on_step: Callable[[str], None],
    allow_outside: bool,
) -> RunningLocalLambda:
    from tuner.local import start_local_lambda  # noqa: PLC0415 - only for --local

    return start_local_lambda(
        template,
        python=sys.executable,
        region=region,
        parameters=parameters,
        environment=environment,
        build=build_for is not None,
        build_for=build_for,
        on_step=on_step,
        allow_outside=allow_outside,
    )


def _refuse_contradictions(**given: str | None) -> None:
    for name, value in given.items():
        if value is not None:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"--local starts an endpoint of its own: leave out {flag}")
