"""`--prior`: an earlier sweep saves invocations where it is of the same function, and says how."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tuner
from tests.scripted_executor import ScriptedExecutor
from tests.session.asking import planned
from tests.sweeps import only_finding
from tuner.api.target import connect_to
from tuner.errors import InputError, SweepFileError
from tuner.local import FunctionDefinition, LocalLambda
from tuner.model.function import Build
from tuner.model.payload import Payload
from tuner.model.request import Target
from tuner.report.json import to_json
from tuner.sweep.file import read_sweep
from tuner.sweep.store import load_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.session import OpenTarget

SIZES_MB = (128, 256, 512, 1024, 1769, 3008)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalLambda]:
    executor = ScriptedExecutor(lambda mb: 150 + 150 * 1769 / min(mb, 1769), time_scale=0)
    functions = [FunctionDefinition("hello", memory_mb=3008), FunctionDefinition("twin")]
    with LocalLambda(functions, executor=executor, emulated_services=False, update_s=0.0) as local:
        yield local


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def earlier(server: LocalLambda, folder: Path) -> Sweep:
    answer = tuner.tune(
        "hello",
        endpoint_url=server.endpoint_url,
        state_dir=folder,
        memory_sizes_mb=SIZES_MB,
        exhaustive=True,
    )
    return load_sweep(answer.sweep.file or "")


@pytest.fixture
def target(server: LocalLambda, tmp_path: Path) -> Iterator[OpenTarget]:
    place = Target(endpoint_url=server.endpoint_url)
    with connect_to("hello", place, state_dir=tmp_path) as opened:
        yield opened


def tuned(server: LocalLambda, state_dir: Path, **options: Any) -> Recommendation:
    return tuner.tune("hello", endpoint_url=server.endpoint_url, state_dir=state_dir, **options)


def of(sweep: Sweep, **changes: Any) -> Sweep:
    """The sweep, of a function that is a little different."""
    return dataclasses.replace(sweep, function=dataclasses.replace(sweep.function, **changes))


@pytest.mark.slow
def test_an_earlier_sweep_saves_invocations(
    server: LocalLambda, folder: Path, earlier: Sweep, tmp_path: Path
) -> None:
    """By file or by name the same answer comes with fewer invocations, warm ones at both sizes."""
    without = tuned(server, tmp_path)
    for state_dir, prior in ((tmp_path, Path(earlier.file or "")), (folder, "hello")):
        found = tuned(server, state_dir, prior=prior)
        assert found.choice.verdict == without.choice.verdict == "resize"
        assert found.sweep.invocation_count < without.sweep.invocation_count
        measured = {size.memory_mb for size in found.sizes if size.duration_ms is not None}
        assert {found.choice.memory_mb, 3008} <= measured


def test_it_is_said_in_findings_assumptions_and_json(
    server: LocalLambda, earlier: Sweep, tmp_path: Path
) -> None:
    """Which sweep it was, that the code is the same and how many samples it had."""
    found = tuned(server, tmp_path, prior=earlier.file)
    told = only_finding(found.findings, "prior_used").message
    assert earlier.plan.sweep_id in told
    assert any(earlier.plan.sweep_id in each for each in found.assumptions)
    used = to_json(found)["sweep"]["prior"]
    assert used["sweep_id"] == earlier.plan.sweep_id
    assert used["tells"] == "level_and_shape"
    assert used["differs"] == []
    assert used["sample_count"] == len(earlier.invocations)
    assert to_json(tuned(server, tmp_path))["sweep"]["prior"] is None


def test_the_answer_comes_again_without_the_earlier_file(
    server: LocalLambda, earlier: Sweep, tmp_path: Path
) -> None:
    """What the earlier sweep told is kept with the new one, whose file alone gives its answer."""
    first = tuned(server, tmp_path, prior=earlier.file)
    again = tuner.recommend(read_sweep(Path(first.sweep.file or "")))
    assert again.choice == first.choice
    assert again.sweep.prior == first.sweep.prior


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"code_sha256": "other"}, "code_sha256"),
        ({"region": "eu-north-1"}, "region"),
        ({"architecture": "arm64"}, "architecture"),
        ({"runtime": "java21"}, "runtime"),
        ({"name": "hello-staging"}, "name"),
        ({"settings": (("Layers", "d1"),)}, "Layers"),
    ],
)
def test_of_another_code_or_place_the_shape_alone_is_told(
    target: OpenTarget, earlier: Sweep, changes: dict[str, Any], named: str
) -> None:
    """What is not as it was is named, and the level of the curve tells nothing then."""
    prior = planned(target, prior=of(earlier, **changes)).prior
    assert prior is not None
    assert named in prior.differs
    assert not prior.tells_level("empty")


def test_what_leaves_durations_alone_does_not_count(target: OpenTarget, earlier: Sweep) -> None:
    """Another memory size, timeout, description or role is no other function."""
    changed = of(earlier, memory_mb=512, timeout_s=9, description="", ephemeral_storage_mb=1024)
    prior = planned(target, prior=changed).prior
    assert prior is not None
    assert prior.tells_level("empty")


def test_a_sweep_of_another_function_is_refused(target: OpenTarget, earlier: Sweep) -> None:
    """One line says whose it is and what to give instead."""
    other = of(earlier, name="thumbnails", code_sha256="other")
    with pytest.raises(InputError, match=r"is of thumbnails.*give a sweep of hello"):
        planned(target, prior=other)


def test_a_sweep_without_samples_is_refused(target: OpenTarget, earlier: Sweep) -> None:
    """What measured nothing tells nothing, and is not taken in silence."""
    with pytest.raises(InputError, match="no warm sample"):
        planned(target, prior=dataclasses.replace(earlier, invocations=()))


def test_another_event_tells_the_shape_alone(target: OpenTarget, earlier: Sweep) -> None:
    """A payload with another body is matched by its name, or as the only one; of a new one nothing
    is known.
    """
    bodies = (Payload("empty", b'{"n": 1}'),)
    prior = planned(target, prior=earlier, payloads=bodies).prior
    assert prior is not None
    assert prior.other_events == ("empty",)
    two = planned(target, prior=earlier, payloads=(*bodies, Payload("new", b"[]"))).prior
    assert two is not None
    assert two.payloads == ("empty",)


def test_another_build_is_compared_by_its_own_digest(target: OpenTarget, earlier: Sweep) -> None:
    """With `code` it is the build that is measured, and its digest that counts."""
    prior = planned(target, prior=earlier, build=Build(package=b"PK"), isolation="clone").prior
    assert prior is not None
    assert "code_sha256" in prior.differs


def test_none_is_the_word_for_no_earlier_sweep(
    server: LocalLambda, earlier: Sweep, tmp_path: Path
) -> None:
    """`none` switches off what a configuration names; a name without a sweep is an error."""
    assert earlier.file
    assert tuned(server, tmp_path, prior="none").sweep.prior is None
    with pytest.raises(SweepFileError, match="no sweep of elsewhere"):
        tuned(server, tmp_path, prior="elsewhere")


def test_a_sweep_that_goes_on_keeps_its_prior(target: OpenTarget, earlier: Sweep) -> None:
    """`resume` has what the first part had; the sweep to go on from is no prior of itself."""
    ready = planned(target, prior=earlier)
    begun = tuner.session.run(ready, target)
    assert planned(target, earlier=begun).prior == ready.prior
    assert planned(target, earlier=begun, asked_prior="none").prior is None
    with pytest.raises(InputError, match="would count twice"):
        planned(target, earlier=begun, prior=begun)


def test_a_comparison_leaves_it_out(server: LocalLambda, earlier: Sweep, tmp_path: Path) -> None:
    """Two sweeps, one of which informed the other, are compared by what each measured itself."""
    later = load_sweep(tuned(server, tmp_path, prior=earlier.file).sweep.file or "")
    assert later.prior is not None
    assert tuner.compare(earlier, later).pairs == tuner.compare(earlier, later.alone).pairs
