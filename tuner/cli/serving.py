"""Serves the local Lambda until a signal comes, and tells how to use it."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tuner.api.host_check import host_findings
from tuner.cli.config import state_dir
from tuner.cli.screen import say, show_text
from tuner.errors import LocalError
from tuner.iac import read_template
from tuner.local import start_local_lambda
from tuner.report.sanitize import plain
from tuner.sweep.io import stopping_signals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import FrameType

    from tuner.iac import TemplateFunction
    from tuner.local import LocalStatus


class _StoppedError(Exception):
    """A signal asked to end."""


def serve_until_stopped(
    template: Path,
    *,
    port: int,
    region: str,
    parameters: Mapping[str, str],
    environment: Mapping[str, str],
    build: bool,
    allow_outside: bool,
) -> int:
    """Serve, print what a client needs, and return 0 when asked to end. Raises TunerError."""
    functions = read_template(
        template,
        parameters=parameters,
        environment=environment,
        region=region,
        allow_outside=allow_outside,
    ).functions
    before = [(number, signal.signal(number, _stop)) for number in stopping_signals()]
    try:
        with ExitStack() as stack:
            # In a process of its own, without the variables of this one: handlers run below it.
            local = start_local_lambda(
                template,
                python=sys.executable,
                region=region,
                port=port,
                parameters=parameters,
                environment=environment,
                build=build,
                on_step=lambda step: say(f"  {step}"),
                allow_outside=allow_outside,
            )
            stack.enter_context(local)
            show_text("\n".join(_lines(local.status, functions)) + "\n")
            sys.stdout.flush()
            local.wait()
            raise LocalError("the local Lambda ended by itself: see its output above")
    except _StoppedError:
        return 0
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _lines(status: LocalStatus, functions: Sequence[TemplateFunction]) -> list[str]:
    """What a client needs to connect, what it finds there, and what to know of this host."""
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


def _said(status: LocalStatus) -> list[str]:
    """What to know of this host, what else is amiss, and what there is beside the functions."""
    checked = host_findings(state_dir(), status.cpu_control, status.core_count)
    host = (*status.host_findings, *checked)
    others = [
        finding
        for finding in status.findings
        if finding not in host
        and (finding.severity == "warning" or finding.code.startswith("template_resource"))
    ]
    return [finding.message for finding in (*host, *others)]


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Leave the block once; further signals must not cut through the closing."""
    for number in stopping_signals():
        signal.signal(number, signal.SIG_IGN)
    raise _StoppedError
