"""Cores are handed out first come, first served, and never more than there are."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.local_exec.test_environments import eventually
from tuner.errors import LocalError
from tuner.local import InvokeRequest
from tuner.local.execution.call_chain import CallChain
from tuner.local.execution.cores import CoreQueue


def request(trace: str | None = None) -> InvokeRequest:
    return InvokeRequest("id", b"{}", "arn", trace_header=trace)


def test_a_large_wish_is_not_overtaken() -> None:
    """Who came first is served first, though a later wish would fit."""
    queue = CoreQueue(2.0)
    order: list[str] = []
    first = queue.acquire(1.5)

    def wish(name: str, cores: float) -> None:
        with queue.acquire(cores):
            order.append(name)

    with ThreadPoolExecutor(2) as pool:
        large = pool.submit(wish, "large", 2.0)
        assert eventually(lambda: len(queue._waiting) == 1)
        small = pool.submit(wish, "small", 0.1)
        assert eventually(lambda: len(queue._waiting) == 2)
        first.release()
        large.result()
        small.result()
    assert order == ["large", "small"]
    assert queue._free == pytest.approx(2.0)


def test_a_wish_takes_what_is_free_down_to_its_minimum() -> None:
    """With a minimum, a wish is served with less than all that it wants."""
    queue = CoreQueue(2.0)
    with queue.acquire(0.6), queue.acquire(2.0, 1.0) as grant:
        assert grant.cores == pytest.approx(1.4)
        grant.shrink(0.5)
        assert queue._free == pytest.approx(0.9)


def test_wishes_above_the_host_are_cut() -> None:
    """A wish for more cores than there are gets all of them."""
    with CoreQueue(1.0).acquire(2.0) as grant:
        assert grant.cores == 1.0


def test_borrowed_cores_are_not_counted() -> None:
    """A nested call takes nothing from the queue and gives nothing back."""
    queue = CoreQueue(1.0)
    with queue.acquire(1.0):
        with queue.borrow(1.0) as grant:
            assert grant.cores == 1.0
        assert queue._free == 0.0


def test_closing_sends_everybody_away() -> None:
    """Who waits, and who comes later, is told that nothing was run."""
    queue = CoreQueue(1.0)
    queue.acquire(1.0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(queue.acquire, 1.0)
        assert eventually(lambda: len(queue._waiting) == 1)
        queue.close()
        with pytest.raises(LocalError, match="shutting down"):
            waiting.result()
    with pytest.raises(LocalError, match="shutting down"):
        queue.acquire(0.1)


@given(st.lists(st.floats(0.05, 3.0), min_size=1, max_size=12))
def test_never_more_than_there_are(wishes: list[float]) -> None:
    """Whatever is wished for at once, the cores in use never exceed the host's."""
    queue, lock = CoreQueue(2.0), threading.Lock()
    used, highest = 0.0, 0.0

    def work(cores: float) -> None:
        nonlocal used, highest
        with queue.acquire(cores) as grant:
            with lock:
                used += grant.cores
                highest = max(highest, used)
            with lock:
                used -= grant.cores

    with ThreadPoolExecutor(len(wishes)) as pool:
        list(pool.map(work, wishes))
    assert highest <= 2.0 + 1e-6
    assert queue._free == pytest.approx(2.0)


def test_trace_of_a_running_invocation_is_nested() -> None:
    """A call with the parent id of a running invocation is nested, and later it is not."""
    lineage = CallChain()
    with lineage.entered(request()) as outer:
        assert not outer.nested
        with lineage.entered(request(outer.header)) as inner:
            assert inner.nested
            assert inner.root == outer.root
            assert inner.parent != outer.parent
        changed = f"Root={outer.root};Parent=0123456789abcdef;Sampled=1"
        with lineage.entered(request(changed)) as traced:
            assert traced.nested
            assert traced.sampled == "1"
    with lineage.entered(request(outer.header)) as late:
        assert not late.nested


def test_a_root_from_outside_is_kept_and_proves_nothing() -> None:
    """A client that uses one trace for many calls does not jump the queue; its callees do."""
    lineage = CallChain()
    header = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1"
    with lineage.entered(request(header)) as one, lineage.entered(request(header)) as other:
        assert one.root == other.root == "1-67891233-abcdef012345678912345678"
        assert not one.nested
        assert not other.nested
        with lineage.entered(request(one.header)) as callee:
            assert callee.nested
