"""`--prior auto` and an observation's file: production's traffic counts without a flag."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import tuner
from tests.observe.archives import Call, write_archive
from tests.scripted_executor import ScriptedExecutor
from tests.sweeps import finding_codes, only_finding
from tuner.api.observing import forget, observe
from tuner.api.reading import FilesRequest
from tuner.errors import InputError
from tuner.local import FunctionDefinition, LocalLambda
from tuner.model.prior_evidence import ProductionSize
from tuner.observe import kept
from tuner.sweep.store import load_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.model.recommendation import Recommendation

pytestmark = pytest.mark.slow

ROW = {"version": "1", "invocation_count": 5000, "duration_ms": {"mean": 236.0}}


@pytest.fixture(scope="module")
def server() -> Iterator[LocalLambda]:
    executor = ScriptedExecutor(lambda mb: 150 + 150 * 1769 / min(mb, 1769), time_scale=0)
    functions = [FunctionDefinition("hello", memory_mb=3008)]
    with LocalLambda(functions, executor=executor, emulated_services=False, update_s=0.0) as local:
        yield local


def observation(*, age_days: float = 1, **changed: Any) -> dict[str, Any]:
    end = datetime.now(UTC) - timedelta(days=age_days)
    return {
        "schema_version": 1,
        "kind": "observation",
        "function": {"name": "hello", "region": "us-east-1", "memory_mb": 3008},
        "window": {"from": None, "to": f"{end:%Y-%m-%dT%H:%M:%S}Z"},
        "rate_per_s": 40.0,
        "cold_start_share": 0.05,
        "by_memory": [{**ROW, "memory_mb": 3008}],
        **changed,
    }


def tuned(server: LocalLambda, state_dir: Path, **options: Any) -> Recommendation:
    return tuner.tune(
        "hello", endpoint_url=server.endpoint_url, state_dir=state_dir, region="us-east-1",
        **options,
    )  # fmt: skip


def test_a_fresh_observation_states_the_monthly_saving(server: LocalLambda, tmp_path: Path) -> None:
    """Rate and cold starts are production's, say so, and stay with the saved sweep."""
    kept.keep(tmp_path, observation())
    found = tuned(server, tmp_path)
    assert found.rate_per_s == 40.0
    assert found.choice.saving_usd_per_month is not None
    assert found.goal.cold_start_share == 0.05
    assert "observation_used" in finding_codes(found)
    again = tuner.recommend(load_sweep(found.sweep.file or ""))
    assert (again.rate_per_s, again.goal.cold_start_share) == (40.0, 0.05)
    assert tuned(server, tmp_path, prior="auto").rate_per_s == 40.0


@pytest.mark.parametrize(
    "what",
    [
        observation(age_days=60),
        observation(function={"name": "hello", "region": "eu-west-1"}),
        {"kind": "observation"},
    ],
    ids=["old", "other region", "torn"],
)
def test_what_is_not_fresh_or_not_its_own_is_left_out(
    server: LocalLambda, tmp_path: Path, what: dict[str, Any]
) -> None:
    """An old observation, one of another region and a broken file change nothing."""
    (tmp_path / "observed").mkdir()
    (tmp_path / "observed" / "hello.json").write_text(json.dumps(what))
    found = tuned(server, tmp_path, max_invocations=4)
    assert (found.rate_per_s, found.goal.cold_start_share) == (None, None)


def test_none_takes_nothing(server: LocalLambda, tmp_path: Path) -> None:
    """`prior=none` leaves a fresh observation out."""
    kept.keep(tmp_path, observation())
    assert tuned(server, tmp_path, prior="none", max_invocations=4).rate_per_s is None


def test_an_observation_by_file_informs_the_shape(server: LocalLambda, tmp_path: Path) -> None:
    """Its age doesn't matter, and two sizes tell of the curve's shape."""
    file = tmp_path / "observed.json"
    rows = [{**ROW, "memory_mb": size} for size in (1024, 3008)]
    file.write_text(json.dumps(observation(age_days=400, by_memory=rows), indent=2))
    found = tuned(server, tmp_path / "state", prior=file)
    prior = load_sweep(found.sweep.file or "").prior
    assert prior is not None
    assert (prior.source, prior.sizes_mb, prior.rate_per_s) == ("observation", (1024, 3008), 40.0)
    assert found.sweep.prior is not None
    assert found.sweep.prior.tells == "shape"


def test_a_share_that_is_given_comes_before_the_observed_one(
    server: LocalLambda, tmp_path: Path
) -> None:
    """Also where it is the default's value, which by itself yields to what was observed."""
    kept.keep(tmp_path, observation())
    given = tuned(server, tmp_path, goal=tuner.Goal(cold_start_share=0.01))
    assert given.goal.cold_share == 0.01
    assert tuned(server, tmp_path, goal=tuner.Goal("speed")).goal.cold_share == 0.05
    again = tuner.recommend(load_sweep(given.sweep.file or ""), tuner.Goal(cold_start_share=0.01))
    assert again.goal.cold_share == 0.01


@pytest.mark.parametrize(
    ("row", "least_mb", "words"),
    [
        ({"max_memory_used_mb": 900}, 1152, "production used up to 900 MB at 3008 MB: 1088 MB and"),
        ({"max_memory_used_mb": 90, "oom_count": 2, "memory_mb": 512}, 513, "memory 2 times at 51"),
    ],
    ids=["headroom", "killed"],
)
def test_memory_that_production_used_rules_sizes_out(
    server: LocalLambda, tmp_path: Path, row: dict[str, Any], least_mb: int, words: str
) -> None:
    """A size that production's own events would not fit is not recommended, nor tried."""
    free = tuned(server, tmp_path, prior="none")
    assert (free.choice.memory_mb or least_mb) < least_mb
    rows = [{**ROW, "memory_mb": 3008}, {**ROW, "memory_mb": 3008, **row}]
    kept.keep(tmp_path, observation(by_memory=rows))
    found = tuned(server, tmp_path)
    assert found.choice.memory_mb is not None
    assert found.choice.memory_mb >= least_mb
    assert min(each.memory_mb for each in found.sizes) >= least_mb
    said = only_finding(found.findings, "production_memory").message
    assert words in said


@pytest.mark.parametrize(
    ("durations", "is_unlike"),
    [
        ({"mean": 310.0, "p50": 300.0, "p95": 380.0}, False),
        ({"mean": 900.0}, True),
        ({"mean": 120.0, "p50": 120.0, "p95": 130.0}, True),
        ({"mean": 310.0, "p50": 200.0, "p95": 900.0}, True),
    ],
    ids=["alike", "longer", "shorter", "more varied"],
)
def test_events_unlike_production_are_told(
    server: LocalLambda, tmp_path: Path, durations: dict[str, float], is_unlike: bool
) -> None:
    """A sweep of other work than production's says so, with both figures; one like it doesn't."""
    row = {**ROW, "memory_mb": 3008, "duration_ms": durations}
    kept.keep(tmp_path, observation(by_memory=[row]))
    found = tuned(server, tmp_path)
    said = [each.message for each in found.findings if each.code == "events_unlike_production"]
    assert bool(said) == is_unlike
    assert all(f"takes {durations['mean']:.3g} ms" in each for each in said), said


def test_sizes_of_several_versions_are_read_as_one() -> None:
    """Durations of the latest version, the most memory of any; without figures of its own a row has
    the whole's.
    """
    rows = [
        {**ROW, "memory_mb": 512, "to": "2026-01-02", "max_memory_used_mb": 70, "oom_count": 1},
        {**ROW, "memory_mb": 512, "to": "2026-01-03", "duration_ms": {"mean": 5.0}},
        {**ROW, "memory_mb": 256, "invocation_count": 3, "to": "2026-01-04"},
    ]
    seen = observation(by_memory=rows, max_memory_used_mb={"max": 100})
    prior = kept.observed_prior(seen, function="hello", region="us-east-1", payloads=("empty",))
    assert prior.killed_mb == 512
    assert prior.production == (
        ProductionSize(256, 3, max_memory_used_mb=100),
        ProductionSize(512, 10_000, mean_ms=5.0, max_memory_used_mb=100, oom_count=1),
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (json.dumps(observation(function={"name": "other", "region": "us-east-1"})), "of other"),
        ('{"kind": "observation", "function": 1}', "is no observation"),
        ('{"kind": "observation", ', "is no observation"),
    ],
)
def test_a_named_file_that_does_not_fit_is_refused(
    server: LocalLambda, tmp_path: Path, content: str, words: str
) -> None:
    """Another function's, or a broken one: one line says which."""
    file = tmp_path / "observed.json"
    file.write_text(content)
    with pytest.raises(InputError, match=words):
        tuned(server, tmp_path, prior=file)


def test_a_kept_observation_without_an_end_is_none(tmp_path: Path) -> None:
    """Nobody knows how old it is."""
    now = datetime(2026, 3, 5, tzinfo=UTC)
    kept.keep(
        tmp_path,
        {"kind": "observation", "function": {"name": "hello"}, "window": {}, "by_memory": []},
    )
    assert kept.fresh_observation(tmp_path, "hello", now) is None


def test_observe_keeps_its_answer_until_it_is_forgotten(tmp_path: Path) -> None:
    """What `observe` says is there for the next `tune`; `--forget` deletes it."""
    now = datetime(2026, 3, 5, tzinfo=UTC)
    logs = write_archive(tmp_path / "logs", {"hello": [Call(n / 10, 200) for n in range(500)]})
    said = observe(FilesRequest((logs,), "hello"), state_dir=tmp_path)
    found = kept.fresh_observation(tmp_path, "hello", now)
    assert found is not None
    assert kept.rate_of(found) == pytest.approx(said.rate_per_s)
    assert kept.fresh_observation(tmp_path, "hello", now + timedelta(days=60)) is None
    forget("hello", state_dir=tmp_path)
    assert kept.fresh_observation(tmp_path, "hello", now) is None
