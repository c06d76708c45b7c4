"""`tune` in one call: the plan is shown first, the answer can be had again from the file."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

import tuner
from tests.scripted_executor import ScriptedExecutor
from tests.session.asking import planned
from tuner.api.target import connect_to
from tuner.errors import InputError, NotAgreedError, PriceError
from tuner.local import FunctionDefinition, LocalLambda
from tuner.model.goal import Goal
from tuner.model.progress import CleanedUp, InvocationFinished, ProgressEvent
from tuner.model.request import Target
from tuner.sweep.io import StopSignal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.sweep.prepared import PreparedSweep

SIZES_MB = (128, 256, 512, 1024, 1769)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalLambda]:
    executor = ScriptedExecutor(lambda mb: 5 + 100 * 1769 / min(mb, 1769), time_scale=0)
    functions = [FunctionDefinition("hello", memory_mb=1024)]
    with LocalLambda(
        functions,
        executor=executor,
        emulated_services=False,
        update_s=0.0,
        concurrent_executions=5,
    ) as local:
        yield local


def test_what_is_granted_is_spent_and_else_it_gives_up(server: LocalLambda, tmp_path: Path) -> None:
    """Costs that hardly differ are given up early, unless --max-invocations says what to spend."""
    counts = [
        tuner.tune(
            "hello",
            goal=Goal(time_weight=0.0, tolerance_ratio=0.0001),
            max_invocations=most,
            endpoint_url=server.endpoint_url,
            memory_sizes_mb=SIZES_MB,
            state_dir=tmp_path,
        ).sweep.invocation_count
        for most in (None, 30)
    ]
    assert counts[0] < 30
    assert counts[1] == 30


def test_one_call_measures_and_answers(server: LocalLambda, tmp_path: Path) -> None:
    """The answer's sweep is kept, and the same answer comes again from its file or name."""
    events: list[ProgressEvent] = []
    seen: list[PreparedSweep] = []
    answer = tuner.tune(
        "hello",
        endpoint_url=server.endpoint_url,
        memory_sizes_mb=SIZES_MB,
        state_dir=tmp_path,
        confirm=lambda prepared: not seen.append(prepared),
        on_progress=events.append,
    )
    assert {size.memory_mb for size in answer.sizes} <= set(SIZES_MB)
    assert seen[0].plan.sizes_mb == SIZES_MB
    assert sum(isinstance(event, InvocationFinished) for event in events) == (
        answer.sweep.invocation_count
    )
    assert isinstance(events[-1], CleanedUp)
    again = tuner.recommend(tuner.load_sweep("hello", state_dir=tmp_path))
    assert again.choice == answer.choice
    assert answer.sweep.file is not None
    assert tuner.recommend(tuner.load_sweep(answer.sweep.file)).choice == answer.choice


def test_who_does_not_agree_changes_nothing(server: LocalLambda, tmp_path: Path) -> None:
    """A plan that is refused ends in an error of its own, without a file."""
    with pytest.raises(NotAgreedError):
        tuner.tune(
            "hello",
            endpoint_url=server.endpoint_url,
            state_dir=tmp_path,
            confirm=lambda _prepared: False,
        )
    assert not list(tmp_path.rglob("*.jsonl"))


def test_a_stop_ends_early_with_an_answer(server: LocalLambda, tmp_path: Path) -> None:
    """What was asked to stop before it began still answers: it is inconclusive."""
    stop = StopSignal()
    stop.request()
    answer = tuner.tune("hello", endpoint_url=server.endpoint_url, state_dir=tmp_path, stop=stop)
    assert answer.choice.verdict == "inconclusive"


def test_the_accounts_concurrency_is_not_taken_whole(server: LocalLambda, tmp_path: Path) -> None:
    """Where an account has little concurrency, live traffic keeps a part of it."""
    with connect_to(
        "hello", Target(endpoint_url=server.endpoint_url), state_dir=tmp_path
    ) as target:
        prepared = planned(target, state_dir=tmp_path)
        assert prepared.plan.concurrency == 4
        asked = planned(target, state_dir=tmp_path, concurrency=7)
        assert asked.plan.concurrency == 4
        assert [finding.code for finding in asked.findings] == ["concurrency_lowered"]
        prepared = planned(target, state_dir=tmp_path, concurrency=7, leave_concurrency_ratio=0.0)
        assert prepared.plan.concurrency == 5


def test_sizes_that_the_place_cannot_show_are_refused(server: LocalLambda, tmp_path: Path) -> None:
    """A size above what the host can show is an error; without one the range ends there."""
    with connect_to(
        "hello", Target(endpoint_url=server.endpoint_url), state_dir=tmp_path
    ) as target:
        small = dataclasses.replace(target, max_memory_mb=1769)
        with pytest.raises(InputError, match="1769 MB"):
            planned(small, state_dir=tmp_path, memory_sizes_mb=(128, 2048))
        assert planned(small, state_dir=tmp_path).plan.sizes_mb[-1] == 1769


def test_an_unknown_region_has_no_price(server: LocalLambda, tmp_path: Path) -> None:
    """It is told before anything is asked there."""
    with (
        connect_to(
            "hello",
            Target(region="eu-wset-1", endpoint_url=server.endpoint_url),
            state_dir=tmp_path,
        ) as target,
        pytest.raises(PriceError, match="eu-west-1"),
    ):
        planned(target, state_dir=tmp_path)


def test_a_qualifier_that_differs_from_latest_is_told(server: LocalLambda, tmp_path: Path) -> None:
    """$LATEST is what is measured: another memory under the named version is a finding."""
    with connect_to(
        "hello", Target(endpoint_url=server.endpoint_url), state_dir=tmp_path
    ) as target:
        latest = target.gateway.read_function("hello")
        version = target.gateway.publish_version("hello", "x", latest.code_sha256, None).version
        target.gateway.update_memory("hello", 512, None)
        try:
            prepared = planned(target, f"hello:{version}", state_dir=tmp_path)
        finally:
            target.gateway.update_memory("hello", 1024, None)
            target.gateway.delete_version("hello", version)
        assert [finding.code for finding in prepared.findings] == ["other_memory_compared"]
        assert prepared.function.version == "$LATEST"


@pytest.mark.parametrize("given", [{"endpoint_url": "http://127.0.0.1:1"}, {"profile": "x"}])
def test_a_template_starts_an_endpoint_of_its_own(tmp_path: Path, given: dict[str, str]) -> None:
    """Naming another place besides is a contradiction."""
    with pytest.raises(InputError, match="leave out"):
        tuner.tune("hello", local_template=tmp_path, state_dir=tmp_path, **given)
