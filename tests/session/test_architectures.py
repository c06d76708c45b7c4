"""`--architectures`: both are measured in copies, and one decision is over sizes of both."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs import json_schema
from tests.lease.account import CODE
from tests.scripted_executor import ScriptedExecutor
from tests.session.asking import planned
from tests.session.test_native_code import ARM, X86, elf, packed
from tuner import session
from tuner.api.target import connect_to
from tuner.api.tuning import request_of
from tuner.errors import InputError, UsageError
from tuner.local import FunctionDefinition, LocalLambda, host_architecture
from tuner.model.function import Build
from tuner.model.request import Target
from tuner.report.json import to_json
from tuner.session.architectures import refuse_elsewhere
from tuner.sweep.store import load_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.session import OpenTarget

BOTH = ("x86_64", "arm64")
SIZES_MB = (512, 1024, 1792)
"""Few to choose from: curves are fitted faster."""


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
    ready = planned(target, architectures=BOTH, memory_sizes_mb=SIZES_MB)
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
    ready = planned(target, architectures=BOTH, memory_sizes_mb=SIZES_MB)
    sweep = session.run(ready, target)
    answer = session.recommend(session.analyse(sweep))
    assert sweep.end == "complete"
    assert answer.architecture == "x86_64"
    assert answer.verdict != "inconclusive"
    assert "architecture_fails" in {each.code for each in answer.findings}
    wasted = [i for i in sweep.invocations if i.version.startswith("arm64")]
    assert len(wasted) <= 2


def test_native_code_is_refused_by_name_before_anything_is_made(
    target: OpenTarget, tmp_path: Path
) -> None:
    """The deployed package, a build for the other architecture, and a build that isn't for it; a
    right build is measured, named with its digest, and asked for again by a resumed sweep.
    """
    client: Any = target.gateway._control.client
    role = "arn:aws:iam::123456789012:role/any"
    client.create_function(
        FunctionName="native",
        Role=role,
        Runtime="python3.13",
        Handler="h.handler",
        MemorySize=1024,
        Code={"ZipFile": packed({"h.py": b"", "fast.so": elf(X86)})},
    )
    with pytest.raises(InputError, match=r"native code for x86_64 \(fast\.so\).*arm64=ZIP"):
        planned(target, "native", architectures=BOTH)
    wrong = (("arm64", Build(packed({"fast.so": elf(X86)}))),)
    with pytest.raises(InputError, match=r"build for arm64 can't run on arm64.*fast\.so"):
        planned(target, "native", architectures=BOTH, builds=wrong)
    build = Build(packed({"h.py": b"", "fast.so": elf(ARM)}))
    ready = planned(
        target,
        "native",
        architectures=BOTH,
        builds=(("arm64", build),),
        code={"arm64": "dist.zip"},
        max_invocations=8,
        memory_sizes_mb=SIZES_MB,
        out=tmp_path / "native.jsonl",
    )
    sweep = session.run(ready, target)
    assert load_sweep(ready.file).plan.other_code_sha256 == build.code_sha256
    answer = session.recommend(session.analyse(sweep))
    assert any(str(build.code_sha256) in each.message for each in answer.findings)
    again = {"earlier": load_sweep(ready.file), "max_invocations": 10}
    with pytest.raises(InputError, match="another build"):
        planned(target, "native", **again)
    more = planned(target, "native", builds=(("arm64", build),), **again)
    assert more.other is not None
    assert more.other.architecture == "arm64"
    assert len(session.run(more, target).invocations) >= len(sweep.invocations)
    assert "native" in functions_left(target)
    assert not any(name.startswith("lambda-tuner") for name in functions_left(target))
    client.delete_function(FunctionName="native")


def test_an_image_needs_a_build_and_an_old_runtime_has_no_arm64(target: OpenTarget) -> None:
    """Both are said before anything is made."""
    client: Any = target.gateway._control.client
    role = "arn:aws:iam::123456789012:role/any"
    client.create_function(FunctionName="contained", Role=role, **CODE["Image"]())
    with pytest.raises(InputError, match=r"container image.*arm64=IMAGE"):
        planned(target, "contained", architectures=BOTH)
    zipped = (("arm64", Build(packed({"h.py": b""}))),)
    with pytest.raises(InputError, match="must be one too"):
        planned(target, "contained", architectures=BOTH, builds=zipped)
    client.delete_function(FunctionName="contained")
    client.create_function(
        FunctionName="old",
        Role=role,
        Runtime="python3.7",
        Handler="h.handler",
        Code={"ZipFile": packed({"h.py": b""})},
    )
    with pytest.raises(InputError, match=r"python3\.7 has x86_64 alone"):
        planned(target, "old", architectures=BOTH)
    client.delete_function(FunctionName="old")


def test_a_local_lambda_compares_no_architectures(target: OpenTarget) -> None:
    """It runs everything on this machine's own, whatever a function says, and says so in a line:
    before it starts one, and of one that is running.
    """
    request = request_of("hello", {"architectures": BOTH})
    function = target.gateway.read_function("hello")
    for refuse in (
        lambda: refuse_elsewhere(request, function, host_architecture()),
        lambda: refuse_elsewhere(request, function, "arm64"),
    ):
        with pytest.raises(UsageError, match=r"this machine's own architecture \((x86|arm).*AWS"):
            refuse()
    refuse_elsewhere(request_of("hello", {"architectures": ["x86_64"]}), function, "x86_64")


def test_one_architecture_is_an_ordinary_sweep(target: OpenTarget) -> None:
    """The function's own, named, changes nothing; a build for it is the one that is measured."""
    assert planned(target, architectures=["x86_64"]).other is None
    build = Build(packed({"h.py": b"2"}))
    ready = planned(target, architectures=["x86_64"], builds=(("x86_64", build),))
    assert (ready.build, ready.plan.isolation) == (build, "clone")


def test_what_does_not_go_together_is_refused(target: OpenTarget) -> None:
    """One line names what to leave out."""
    for asked, words in [
        ({"isolation": "version"}, "leave out `isolation=version`"),
        ({"once_each": True}, "once_each"),
        ({"vary": "batch_size=1,5"}, "two questions"),
    ]:
        with pytest.raises(UsageError, match=words):
            planned(target, architectures=BOTH, **asked)
