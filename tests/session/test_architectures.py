"""`--architectures`: both are measured in copies, and one decision is over sizes of both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs import json_schema
from tests.scripted_executor import ScriptedExecutor
from tests.session.asking import planned
from tuner import session
from tuner.api.target import connect_to
from tuner.errors import UsageError
from tuner.local import FunctionDefinition, LocalLambda
from tuner.model.request import Target
from tuner.report.json import to_json
from tuner.sweep.store import load_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.session import OpenTarget

BOTH = ("x86_64", "arm64")


def x86_ms(memory_mb: int) -> float:
    return 5 + 150 * 1769 / min(memory_mb, 1769)


class World:
    """A scripted endpoint whose arm64 is `ratio` times as slow as x86_64."""

    def __init__(self) -> None:
        self.ratio = 1.0
        self.fails_on: str | None = None

    def executor(self) -> ScriptedExecutor:
        durations = {"x86_64": x86_ms, "arm64": lambda mb: self.ratio * x86_ms(mb)}
        return ScriptedExecutor(
            durations,
            init_duration_ms=120.0,
            failure=lambda deployment, _: (
                "error" if deployment.architecture == self.fails_on else None
            ),
            time_scale=0,
        )


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[LocalLambda]:
    functions = [FunctionDefinition("hello", memory_mb=1024)]
    with LocalLambda(
        functions, executor=world.executor(), emulated_services=False, update_s=0.0
    ) as local:
        yield local


@pytest.fixture
def target(server: LocalLambda, world: World, tmp_path: Path) -> Iterator[OpenTarget]:
    world.ratio, world.fails_on = 1.0, None
    where = Target(endpoint_url=server.endpoint_url)
    with connect_to("hello", where, state_dir=tmp_path) as opened:
        yield opened


def functions_left(target: OpenTarget) -> list[str]:
    client: Any = target.gateway._control.client
    return [each["FunctionName"] for each in client.list_functions()["Functions"]]


@pytest.mark.parametrize(("ratio", "best"), [(0.9, "arm64"), (1.6, "x86_64")])
def test_the_better_architecture_is_recommended(
    target: OpenTarget, world: World, ratio: float, best: str
) -> None:
    """One answer over both; the saved file gives it again; no copy is left, nothing is changed."""
    world.ratio = ratio
    ready = planned(target, architectures=BOTH)
    before = target.gateway.read_function("hello")
    assert ready.plan.isolation == "clone"
    sweep = session.run(ready, target)
    answer = session.recommend(session.analyse(sweep))
    assert answer.architecture == best
    again = session.recommend(session.analyse(load_sweep(ready.file)))
    shown = to_json(answer)
    assert to_json(again) == shown
    json_schema.check(json.dumps(shown))
    assert shown["recommendation"]["architecture"] == best
    assert {each["architecture"] for each in shown["sizes"]} == {*BOTH}
    if best == "arm64":
        assert answer.verdict == "resize"
        assert answer.saving is not None
        assert answer.saving.low > 0.1
    assert functions_left(target) == ["hello"]
    assert target.gateway.read_function("hello") == before


def test_an_architecture_that_never_works_is_left_out(target: OpenTarget, world: World) -> None:
    """The function's own is still answered, and the finding says what to do."""
    world.fails_on = "arm64"
    sweep = session.run(planned(target, architectures=BOTH), target)
    answer = session.recommend(session.analyse(sweep))
    assert sweep.end == "complete"
    assert answer.architecture == "x86_64"
    assert answer.verdict != "inconclusive"
    assert "architecture_fails" in {each.code for each in answer.findings}
    wasted = [i for i in sweep.invocations if i.version.startswith("arm64")]
    assert len(wasted) <= 2


def test_what_does_not_go_together_is_refused(target: OpenTarget) -> None:
    """One line names what to leave out."""
    for asked, words in [
        ({"isolation": "version"}, "leave out `isolation=version`"),
        ({"once_each": True}, "once_each"),
        ({"vary": "batch_size=1,5"}, "two questions"),
    ]:
        with pytest.raises(UsageError, match=words):
            planned(target, architectures=BOTH, **asked)
