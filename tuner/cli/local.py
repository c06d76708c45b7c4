"""`tuner local …`: a Lambda endpoint on this machine, and how true that is to Lambda."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from tuner.cli import options
from tuner.cli.config import state_dir
from tuner.cli.screen import say, show_json, show_text
from tuner.cli.values import parameters_of

EPILOG = """\
tuner local serve examples/template.yaml

tuner local serve template.yaml --port 9000 --region eu-west-1

tuner local check --control both --json"""


def serve(
    template: Annotated[
        Path, typer.Argument(metavar="TEMPLATE", help="SAM template with the functions.")
    ],
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Port; 0 takes a free one.")
    ] = 0,
    region: options.Region = None,
    parameter: options.TemplateParameters = None,
    env: options.TemplateEnvironment = None,
    build: options.Build = False,
    allow_outside: options.AllowOutside = False,
) -> int:
    """Serve the functions of TEMPLATE on a Lambda endpoint of your own, until Ctrl-C.

    It runs the real handlers as your user, listens on this machine only, and gives each memory
    size the share of CPU that Lambda gives it.
    """
    from tuner.local import refuse_other_systems  # noqa: PLC0415 - not needed for --help

    refuse_other_systems()
    from tuner.cli.serving import serve_until_stopped  # noqa: PLC0415 - not needed for --help

    return serve_until_stopped(
        template,
        port=port,
        region=region or "us-east-1",
        parameters=parameters_of(parameter),
        environment=parameters_of(env, "--env"),
        build=build,
        allow_outside=allow_outside,
    )


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
    """Measure in about a minute up to which memory size this machine is true to Lambda.

    A real function computes at six sizes of up to one core and at every whole number of cores; its
    share of CPU is held against Lambda's, with its jitter and what others took meanwhile. Later
    local sweeps on a machine that failed carry a finding.
    """
    from tuner.api.host_check import check_host  # noqa: PLC0415 - not needed for --help
    from tuner.report import host_check  # noqa: PLC0415 - as above

    checks = check_host(control, state_dir=state_dir(), on_step=lambda step: say(f"  {step}"))
    if json:
        show_json(host_check.to_json(checks))
    else:
        show_text(host_check.render(checks, encoding=sys.stdout.encoding or "ascii"))
    return 0
