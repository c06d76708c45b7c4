"""`tuner local …`: a Lambda endpoint on this machine, and how closely it matches Lambda."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tuner.cli import options, values
from tuner.cli.config import state_dir
from tuner.cli.flags import with_flags
from tuner.cli.screen import encoding, say, show_json, show_text
from tuner.cli.values import parameters_of
from tuner.errors import LocalError
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.iac import TemplateFunction
    from tuner.local import LocalStatus

EPILOG = """\
tuner local serve demo

tuner local serve template.yaml --port 9000 --region eu-west-1

tuner local check --control both --json"""


def serve(
    template: Annotated[
        Path,
        typer.Argument(
            parser=values.template,
            metavar="TEMPLATE",
            help="SAM template with the functions (demo: the example functions).",
        ),
    ],
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Port; 0 takes a free one.")
    ] = 0,
    region: Annotated[str | None, options.region_option("us-east-1")] = None,
    parameter: options.TemplateParameters = None,
    env: options.TemplateEnvironment = None,
    build: options.Build = False,
    allow_outside: options.AllowOutside = False,
) -> int:
    """Serve the functions of TEMPLATE from a local Lambda endpoint, until Ctrl-C.

    It runs the real handlers as your user, listens on this machine only, and gives each memory size
    the CPU share that Lambda gives it.
    """
    from tuner.iac import read_template
    from tuner.local import refuse_other_systems

    refuse_other_systems()
    from tuner.local import start_local_lambda  # needs what Windows lacks

    given: dict[str, Any] = {
        "parameters": parameters_of(parameter),
        "environment": parameters_of(env, "--env"),
        "region": region or "us-east-1",
        "allow_outside": allow_outside,
    }
    functions = read_template(template, **given).functions
    with (
        suppress(_StoppedError),
        _stopped_by_signals(),
        # In its own process, without this one's variables, because handlers run below it.
        start_local_lambda(
            template,
            python=sys.executable,
            port=port,
            build=build,
            on_step=lambda step: say(f"  {step}"),
            **given,
        ) as local,
    ):
        show_text("\n".join(_lines(local.status, functions)) + "\n")
        sys.stdout.flush()
        local.wait()
        raise LocalError("the local Lambda stopped unexpectedly: see its output above")
    return 0


def check(
    *,
    control: Annotated[
        Literal["auto", "cgroup", "portable", "both"],
        typer.Option(
            help="auto: what a sweep here would use. cgroup: the kernel's control groups. "
            "portable: stopping and continuing processes. both: one after the other."
        ),
    ] = "auto",
    json: options.JsonOutput = False,
) -> int:
    """Measure, in about a minute, up to which memory size this machine matches Lambda.

    A real function computes at six sizes of up to one core and at every whole number of cores. Its
    share of CPU is compared with Lambda's, along with its jitter and what other processes took
    meanwhile. If the machine fails, later local sweeps on it carry a finding.
    """
    from tuner.api.host_check import check_host
    from tuner.report import host_check

    checks = check_host(control, state_dir=state_dir(), on_step=lambda step: say(f"  {step}"))
    if json:
        show_json(host_check.to_json(checks))
    else:
        show_text(host_check.render(checks, encoding=encoding()))
    return 0


class _StoppedError(Exception):
    """A signal asked to end."""


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Raise _StoppedError within the block when a signal comes."""
    from tuner.sweep.io import stopping_signals

    def stop(_number: int, _frame: object) -> None:
        """Leave the block once; further signals must not interrupt the cleanup."""
        for number in stopping_signals():
            signal.signal(number, signal.SIG_IGN)
        raise _StoppedError

    before = [(number, signal.signal(number, stop)) for number in stopping_signals()]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _lines(status: "LocalStatus", functions: "Sequence[TemplateFunction]") -> list[str]:
    """What a client needs to connect, the functions it finds there, and notes on this host."""
    host = f"{status.core_count} cores, sizes up to {status.max_memory_mb} MB"
    names = max((len(each.name) for each in functions), default=0)
    return [
        f"Lambda endpoint {status.endpoint_url} · {status.region}",
        f"{host} · CPU shares by {status.cpu_control}",
        "",
        f"  export AWS_ENDPOINT_URL={status.endpoint_url} AWS_DEFAULT_REGION={status.region}",
        f"  export AWS_ACCESS_KEY_ID={status.access_key_id} AWS_SECRET_ACCESS_KEY=local",
        "",
        *(
            plain(f"  {each.name:<{names}}  {each.memory_mb:>5} MB  {each.description}".rstrip())
            for each in functions
        ),
        "",
        *(f"! {plain(message)}" for message in _said(status)),
        "Ctrl-C ends it.",
    ]


def _said(status: "LocalStatus") -> list[str]:
    """Notes on this host, other problems, and what exists beside the functions."""
    from tuner.api.host_check import host_findings

    checked = host_findings(state_dir(), status.cpu_control, status.core_count)
    host = (*status.host_findings, *checked)
    others = [
        finding
        for finding in status.findings
        if finding not in host
        and (finding.severity == "warning" or finding.code.startswith("template_resource"))
    ]
    return [with_flags(finding.message) for finding in (*host, *others)]
