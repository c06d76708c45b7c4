"""`tuner local check`: how true the local Lambda is on this machine."""

import sys
from typing import Annotated, Literal

import typer

from tuner.cli import options
from tuner.cli.config import state_dir
from tuner.cli.screen import say, show_json, show_text

EPILOG = """\
tuner local check

tuner local check --control both --json"""


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
    from tuner import api  # noqa: PLC0415 - not needed for --help
    from tuner.report import host_check  # noqa: PLC0415 - as above

    checks = api.check_host(control, state_dir=state_dir(), on_step=lambda step: say(f"  {step}"))
    if json:
        show_json(host_check.to_json(checks))
    else:
        show_text(host_check.render(checks, encoding=sys.stdout.encoding or "ascii"))
    return 0
