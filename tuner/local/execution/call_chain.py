"""Who called whom: the trace header shows whether an invocation waits for another one here."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.model.invocation import parse_trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.local.deployment import InvokeRequest


@dataclass(frozen=True, slots=True)
class Trace:
    """The trace of one invocation."""

    root: str
    parent: str
    sampled: str
    nested: bool
    """Whether its caller runs here and waits for it."""
    lineage: str = ""
    """The control plane's count for the chain of requests."""

    @property
    def header(self) -> str:
        """X-Amzn-Trace-Id as the function gets it."""
        counted = f";Lineage={self.lineage}" if self.lineage else ""
        return f"Root={self.root};Parent={self.parent};Sampled={self.sampled}{counted}"

    @property
    def reply_header(self) -> str:
        """X-Amzn-Trace-Id as the caller gets it back."""
        return f"Root={self.root};Sampled={self.sampled}"


class CallChain:
    """The traces of the invocations that are running or waiting here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._own_roots: dict[str, int] = {}
        self._parents: set[str] = set()

    @contextlib.contextmanager
    def entered(self, request: InvokeRequest) -> Iterator[Trace]:
        """The request's trace for as long as the invocation lasts.

        A call is nested if it has the parent id of a running invocation, or a root that was made
        here (a tracing SDK puts its own subsegment as the parent). A root from outside alone proves
        nothing: a client may use one for many concurrent calls.
        """
        given = parse_trace(request.trace_header)
        root = given.get("Root", "")
        with self._lock:
            known = given.get("Parent") in self._parents or root in self._own_roots
            is_own = not root or root in self._own_roots
            root = root or f"1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
            parent = uuid.uuid4().hex[:16]
            self._parents.add(parent)
            if is_own:
                self._own_roots[root] = self._own_roots.get(root, 0) + 1
        try:
            nested = known and not request.asynchronous
            yield Trace(root, parent, given.get("Sampled", "0"), nested, request.lineage)
        finally:
            with self._lock:
                self._parents.discard(parent)
                if is_own:
                    self._own_roots[root] -= 1
                    if not self._own_roots[root]:
                        del self._own_roots[root]
