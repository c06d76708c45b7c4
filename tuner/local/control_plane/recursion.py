"""Stops functions that call themselves in a circle, as Lambda does.

Lambda counts in the trace header: its Lineage says how often each function ran in this chain of
requests, AWS's SDKs hand it on, and a function that ran 16 times is not run again.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from tuner.local.control_plane.error import ApiError
from tuner.local.trace import parse_trace

if TYPE_CHECKING:
    from tuner.local.control_plane.store import Target

MAX_RUNS: Final = 16
_ENTRY: Final = re.compile(r"([0-9a-f]{8}):([0-9]{1,5})")
_MAX_ENTRIES: Final = 32


def lineage_of(target: Target, trace_header: str | None) -> str:
    """Give the chain's lineage with this invocation counted.

    Raises the ApiError of a stopped recursion, unless the function allows it.
    """
    given = parse_trace(trace_header).get("Lineage", "")
    found = (_ENTRY.fullmatch(entry) for entry in given.split("|")[:_MAX_ENTRIES])
    counts = {match[1]: int(match[2]) for match in found if match}
    own = hashlib.sha256(target.function_name.encode()).hexdigest()[:8]
    runs = counts.get(own, 0)
    if runs >= MAX_RUNS and target.stops_recursion:
        raise ApiError(
            400,
            "RecursiveInvocationException",
            f"Function {target.function_name} was detected in a recursive loop and stopped after "
            f"{MAX_RUNS} invocations in one chain of requests",
        )
    return "|".join(f"{name}:{count}" for name, count in {**counts, own: runs + 1}.items())
