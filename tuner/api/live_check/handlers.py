"""Probes by the function's own code: CPU, limits, failures and what is reused, logs."""

from __future__ import annotations

import base64
import math
import statistics
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from tuner.model.host_check import BUSY_LOAD_RATIO
from tuner.model.lambda_limits import (
    LOG_TAIL_BYTES,
    QUOTA_WINDOW_MS,
    vcpu_share,
    visible_core_count,
)

if TYPE_CHECKING:
    from tuner.api.live_check.probing import Called, Probing

_SHARE_OFF: Final = 0.1
_SMALL_SHARE: Final = 0.2
"""Below it the quota stops the code in every window, and hardly anything else does."""
_MOST_WORKERS: Final = 2
_LONG_LOG: Final = 3 * LOG_TAIL_BYTES // 2
_FAILURES: Final = (
    ("error", "ValueError", "same process"),
    ("exit", "Runtime.ExitError", "same files"),
    ("timeout", "Sandbox.Timedout", "same files"),
    ("out-of-memory", "Runtime.ExitError", "same files"),
)
"""(probe, errorType of the reply, what the next invocation finds): as recorded on AWS."""


def check_cpu(probing: Probing) -> None:
    """The share of a core at each size, and how long a quota window is."""
    periods: list[float] = []
    for size, version in probing.versions.items():
        probing.step(f"CPU share at {size} MB")
        workers = min(math.ceil(vcpu_share(size)), _MOST_WORKERS)
        probing.invoke(version, "where")  # the init, which isn't measured
        runs = [
            probing.invoke(version, "cpu", cpu_s=probing.plan.cpu_s, workers=workers)
            for _ in range(probing.plan.repetitions)
        ]
        shares = [each.value["share"] for each in runs if _succeeded(each)]
        if not shares:
            probing.assume(f"CPU at {size} MB", "a share", "the probe failed", holds=None)
            continue
        share, expected = statistics.median(shares), min(vcpu_share(size), workers)
        holds: bool | None = abs(share / expected - 1) <= _SHARE_OFF
        # What other processes had of this machine meanwhile, at most; Lambda reports nothing.
        others = max(each.reply.host_load_ratio or 0.0 for each in runs)
        seen = f"{share:.1%}"
        if not holds and others > BUSY_LOAD_RATIO:
            holds, seen = None, f"{seen}, while others had {others:.0%} of the machine"
        else:
            probing.figure(f"cpu_share_{size}_mb", share)
        assumed = f"{expected:.1%} of a core, within {_SHARE_OFF:.0%}"
        probing.assume(f"CPU at {size} MB", assumed, seen, holds=holds)
        if expected < _SMALL_SHARE:
            for each in runs:
                starts = each.value["gap_starts_ms"] if _succeeded(each) else ()
                periods += [later - earlier for earlier, later in pairwise(starts)]
    _quota_window(probing, periods)


def check_limits(probing: Probing) -> None:
    """What the code sees of its environment, at the largest size."""
    size, version = list(probing.versions.items())[-1]
    probing.step(f"limits at {size} MB")
    called = probing.invoke(version, "limits")
    if not _succeeded(called):
        probing.assume("limits", "the code can read them", "the probe failed", holds=None)
        return
    seen: dict[str, Any] = called.value
    expected = {
        "visible_cores": visible_core_count(size),
        "usable_cores": visible_core_count(size),
        "open_files": 1024,
        "user_is_root": False,
        "memory_variable": str(size),
    }
    for name, given in seen.items():
        shown = "none" if given is None else str(given)
        probing.figure(f"limit_{name}", shown)
        if name in expected:
            topic = name.replace("_", " ")
            probing.assume(topic, str(expected[name]), shown, holds=given == expected[name])
    tmp_mb = seen.get("tmp_mb")
    # A file system keeps a part of the 512 MB for itself.
    holds = None if tmp_mb is None else 480 <= tmp_mb <= 560
    probing.assume("space for files", "512 MB in /tmp", f"{tmp_mb} MB", holds=holds)


def check_failures(probing: Probing) -> None:
    """What a failure's reply says, and what the next invocation finds."""
    size, version = next(iter(probing.versions.items()))
    for probe, error_type, reused in _FAILURES:
        probing.step(f"a handler's {probe}")
        before = probing.invoke(version, "where")
        failed = probing.invoke(version, probe, wait_s=probing.plan.timeout_s + 5, mb=2 * size)
        after = probing.invoke(version, "where")
        probing.keep(f"Invoke, {probe}", _kept(failed))
        said = failed.value if isinstance(failed.value, dict) else {}
        kind = f"{failed.reply.function_error} {said.get('errorType')}"
        probing.figure(f"failure_{probe}", kind)
        probing.expect(f"reply to {probe}", f"Unhandled {error_type}", kind)
        status = failed.report.status if failed.report else None
        probing.figure(f"report_status_{probe}", status or "none")
        found = _found_again(before, after)
        probing.figure(f"after_{probe}", found)
        probing.expect(f"after {probe}", reused, found)


def check_logs(probing: Probing) -> None:
    """How much the tail holds, and that its report can be read as text and as JSON."""
    probing.step("log tail and REPORT lines")
    version = next(iter(probing.versions.values()))
    called = probing.invoke(version, "say", characters=_LONG_LOG)
    tail_bytes = len(called.reply.log_tail.encode())
    probing.figure("log_tail_bytes", str(tail_bytes))
    probing.assume(
        "the log's tail",
        f"{LOG_TAIL_BYTES} bytes, its end",
        f"{tail_bytes} bytes, {'with' if called.report else 'without'} the report",
        holds=tail_bytes == LOG_TAIL_BYTES and called.report is not None,
    )
    _report_read(probing, "Text", probing.invoke(version, "where"))
    probing.gateway.raw_update(
        probing.name, LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "INFO"}
    )
    probing.settled()
    json_version = probing.gateway.raw_publish(probing.name, "live check, JSON logs")["Version"]
    probing.settled(json_version)
    _report_read(probing, "JSON", probing.invoke(json_version, "where"))


def check_log_group(probing: Probing) -> None:
    """Where the log arrives, if the role may write one."""
    probing.step("the log in CloudWatch")
    version = next(iter(probing.versions.values()))
    called = probing.invoke(version, "where")
    begin = probing.clock()
    log = called.reply.request_id and probing.gateway.find_log(
        probing.name, called.reply.request_id
    )
    if log:
        probing.figure("log_arrives_s", probing.clock() - begin)
    seen = "it arrived" if log else "nothing arrived (may the role write logs?)"
    probing.assume("the log in CloudWatch", "within seconds", seen, holds=True if log else None)


def _report_read(probing: Probing, log_format: str, called: Called) -> None:
    report = called.report
    probing.keep(f"log tail, {log_format}", called.reply.log_tail)
    fields = (
        [] if report is None else [n for n in report.__slots__ if getattr(report, n) is not None]
    )
    probing.figure(f"report_fields_{log_format.lower()}", ", ".join(fields) or "none")
    probing.assume(
        f"the report as {log_format}",
        "it can be read",
        "read" if report else "not in the tail, or not readable",
        holds=report is not None,
    )


def _quota_window(probing: Probing, periods: list[float]) -> None:
    if not periods:
        probing.assume(
            "quota window", f"{QUOTA_WINDOW_MS} ms", "the code was never stopped", holds=None
        )
        return
    period_ms = statistics.median(periods)
    probing.figure("quota_period", period_ms)
    off = abs(period_ms / QUOTA_WINDOW_MS - 1)
    probing.assume(
        "quota window", f"{QUOTA_WINDOW_MS} ms", f"{period_ms:.1f} ms", holds=off <= 2 * _SHARE_OFF
    )


def _succeeded(called: Called) -> bool:
    return called.reply.function_error is None and isinstance(called.value, dict)


def _found_again(before: Called, after: Called) -> str:
    if not (_succeeded(before) and _succeeded(after)):
        return "the probe failed"
    if before.value["process"] == after.value["process"]:
        return "same process"
    return "same files" if before.value["files"] == after.value["files"] else "nothing of it"


def _kept(called: Called) -> dict[str, Any]:
    payload: Any = called.value
    if payload is None:
        payload = base64.b64encode(called.reply.payload).decode()
    return {
        "StatusCode": called.reply.status_code,
        "FunctionError": called.reply.function_error,
        "ExecutedVersion": called.reply.executed_version,
        "Payload": payload,
        "LogResult": called.reply.log_tail,
    }
