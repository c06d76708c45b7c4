"""Sweep files: what is written is read again, and nothing else is."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sweeps import made_sweep, save_sweep
from tuner.errors import SweepFileError
from tuner.model.finding import Finding
from tuner.model.goal import Goal
from tuner.model.invocation import Invocation, Outcome, PlatformReport
from tuner.model.prior_evidence import PriorEnvironment, PriorEvidence
from tuner.sweep.file import SCHEMA_VERSION, read_sweep

AMOUNTS = st.floats(0, 1e12)
COUNTS = st.integers(0, 10**9)
TEXTS = st.text(max_size=20)

REPORTS = st.builds(
    PlatformReport,
    request_id=TEXTS,
    duration_ms=AMOUNTS,
    billed_duration_ms=COUNTS,
    memory_size_mb=COUNTS,
    max_memory_used_mb=st.none() | COUNTS,
    init_duration_ms=st.none() | AMOUNTS,
    restore_duration_ms=st.none() | AMOUNTS,
    billed_restore_duration_ms=st.none() | AMOUNTS,
    status=st.sampled_from([None, "success", "error", "timeout"]),
    error_type=st.none() | TEXTS,
    xray_trace_id=st.none() | TEXTS,
)
INVOCATIONS = st.builds(
    Invocation,
    index=st.just(0),
    memory_mb=st.sampled_from([128, 1024]),
    version=TEXTS,
    payload=st.just("empty"),
    started_s=AMOUNTS,
    client_duration_ms=AMOUNTS,
    outcome=st.sampled_from(list(Outcome)),
    cost_usd=AMOUNTS,
    report=st.none() | REPORTS,
    environment=st.none() | TEXTS,
    throttle_count=COUNTS,
    error_type=st.none() | TEXTS,
    discarded=st.none() | TEXTS,
)
FINDINGS = st.builds(
    Finding, code=TEXTS, severity=st.sampled_from(["info", "warning", "error"]), message=TEXTS
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    invocations=st.lists(INVOCATIONS, max_size=4),
    findings=st.lists(FINDINGS, max_size=3),
    end=st.sampled_from(["complete", "interrupted", "budget", "failed"]),
    wall_s=AMOUNTS,
    throttle_count=COUNTS,
)
def test_what_is_written_is_read_again(
    tmp_path: Path,
    *,
    invocations: list[Invocation],
    findings: list[Finding],
    end: str,
    wall_s: float,
    throttle_count: int,
) -> None:
    """Every sweep survives its file unchanged."""
    path = tmp_path / "sweep.jsonl"
    sweep = dataclasses.replace(
        made_sweep(sizes_mb=(128, 1024)),
        invocations=tuple(
            dataclasses.replace(one, index=number) for number, one in enumerate(invocations)
        ),
        findings=tuple(findings),
        end=end,
        wall_s=wall_s,
        throttle_count=throttle_count,
        file=str(path),
    )
    save_sweep(path, sweep)
    assert read_sweep(path) == sweep


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A file of two sizes with one warm sample each: a header, four invocations, an end."""
    path = tmp_path / "sweep.jsonl"
    save_sweep(path, made_sweep(sizes_mb=(128, 1024), warm_count=1))
    return path


def test_a_sweep_that_was_cut_off_is_read_up_to_there(written: Path) -> None:
    """A torn last line is dropped, a missing end is no end."""
    whole = read_sweep(written)
    data = written.read_bytes()
    lines = data.splitlines(keepends=True)
    for length in range(len(lines[0]), len(data), 7):
        written.write_bytes(data[:length])
        sweep = read_sweep(written)
        count = len(sweep.invocations)
        assert sweep.invocations == whole.invocations[:count]
        assert count == min(4, data[:length].count(b"\n") - 1)
        assert sweep.end is None


def test_a_file_without_a_whole_header_is_no_sweep(written: Path) -> None:
    """Cut off in its first line, or empty: nothing was measured."""
    data = written.read_bytes()
    for length in (0, 1, 100, data.index(b"\n")):
        written.write_bytes(data[:length])
        with pytest.raises(SweepFileError, match="isn't a sweep file, or was cut off"):
            read_sweep(written)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"garbage", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"record":"invocation","index":NaN}', "lacks|not JSON|index"),
        (b"[]", "not an object"),
        (b'{"record":"surprise"}', "kind is unknown"),
        (
            b'{"record":"finding","code":"x","severity":"fatal","message":""}',
            "severity is not one of",
        ),
        (b'{"record":"finding","code":"x","severity":"info","message":"","more":1}', "'more'"),
        (b'{"record":"finding","code":"x","severity":"info"}', "lacks the field message"),
        (b'{"record":"finding","code":7,"severity":"info","message":""}', "code is not text"),
        (b'{"record":"end","end":"complete","wall_s":1e400,"throttle_count":0}', "wall_s is not"),
        (b'{"record":"end","end":"complete","wall_s":1,"throttle_count":true}', "throttle_count"),
        (b"9" * 5000, "not JSON"),
    ],
)
def test_anything_foreign_in_the_middle_is_refused_with_its_line(
    written: Path, line: bytes, said: str
) -> None:
    """File and line number are in the message."""
    lines = written.read_bytes().splitlines()
    written.write_bytes(b"\n".join([*lines[:2], line, *lines[2:]]) + b"\n")
    with pytest.raises(SweepFileError, match=f"sweep.jsonl, line 3: .*({said})"):
        read_sweep(written)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"index": 7}, "index 7 follows 0"),
        ({"memory_mb": 640}, "640 MB isn't a size of the plan"),
        ({"payload": "other"}, "payload isn't in the plan"),
        ({"cost_usd": -1.0}, "negative"),
        ({"memory_mb": "128"}, "memory_mb is not a whole number"),
        ({"outcome": "fine"}, "outcome is not one of success"),
        ({"report": {"request_id": "x"}}, "report lacks the field duration_ms"),
    ],
)
def test_an_invocation_that_does_not_fit_is_refused(
    written: Path, change: dict[str, object], said: str
) -> None:
    """Every invocation belongs to the plan and to its place in the file."""
    lines = written.read_bytes().splitlines()
    lines[2] = json.dumps({**json.loads(lines[2]), **change}).encode()
    written.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(SweepFileError, match=said):
        read_sweep(written)


def test_something_behind_the_end_is_refused(written: Path) -> None:
    """The end is the last record."""
    lines = written.read_bytes().splitlines(keepends=True)
    written.write_bytes(b"".join([*lines, lines[1]]))
    with pytest.raises(SweepFileError, match="follows the end"):
        read_sweep(written)


def test_a_file_of_a_newer_version_says_so(written: Path) -> None:
    """The message names both versions and what to do."""
    text = written.read_text().replace('"schema_version":1', '"schema_version":2', 1)
    written.write_text(text)
    with pytest.raises(SweepFileError, match=f"version 2, this tuner reads up to {SCHEMA_VERSION}"):
        read_sweep(written)


def test_a_file_of_a_version_that_is_no_longer_read_says_so(written: Path) -> None:
    """There is one clear line, not an answer from fields that may mean something else."""
    text = written.read_text().replace('"schema_version":1', '"schema_version":0', 1)
    written.write_text(text)
    with pytest.raises(SweepFileError, match="version 0, which can't be read any more: tune again"):
        read_sweep(written)


@pytest.mark.parametrize("text", ['{"a": 1}\n', "Resources:\n", "\n", '{"record":"sweep"}\n'])
def test_another_kind_of_file_is_no_sweep(tmp_path: Path, text: str) -> None:
    """JSON or not: it is said in one line."""
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(SweepFileError):
        read_sweep(path)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    """No traceback of the system's."""
    with pytest.raises(SweepFileError, match="can't be read"):
        read_sweep(tmp_path / "none.jsonl")


def test_lines_and_files_beyond_reason_are_refused(written: Path) -> None:
    """Nobody's memory is filled: not by one line, not by many."""
    with written.open("ab") as file:
        file.write(b'{"record":"' + b"x" * (1024 * 1024) + b'"}\n')
    with pytest.raises(SweepFileError, match="line 7: the line is too long"):
        read_sweep(written)
    with written.open("r+b") as file:
        file.truncate(65 * 1024 * 1024)
    with pytest.raises(SweepFileError, match="too large"):
        read_sweep(written)


def test_the_goal_is_kept_with_its_limits(tmp_path: Path) -> None:
    """What a sweep was tuned for is read again; a file without one is read as before."""
    goal = Goal("speed", max_duration_ms=800.0, percentile=95.0, cold_start_share=0.2)
    path = tmp_path / "sweep.jsonl"
    save_sweep(path, dataclasses.replace(made_sweep(), goal=goal))
    assert read_sweep(path).goal == goal
    save_sweep(path, made_sweep())
    assert "goal" not in json.loads(path.read_text().splitlines()[0])
    assert read_sweep(path).goal is None


def test_a_sweep_for_a_goal_with_a_slack_is_still_read(tmp_path: Path) -> None:
    """The former rule's slack is passed over: what was measured is answered by today's rule."""
    path = tmp_path / "sweep.jsonl"
    save_sweep(path, dataclasses.replace(made_sweep(), goal=Goal(tolerance_ratio=0.02)))
    header, *rest = path.read_text().splitlines()
    record = json.loads(header)
    record["goal"] = {"cost_slack_ratio": 0.02, "tolerance_ratio": 0.02}
    path.write_text("\n".join([json.dumps(record), *rest]) + "\n")
    assert read_sweep(path).goal == Goal(tolerance_ratio=0.02)


@pytest.mark.parametrize(
    ("field", "impossible"),
    [
        ("cold_start_share", 7.0),
        ("time_weight", -1.0),
        ("percentile", 100.0),
        ("max_duration_ms", 0.0),
        ("max_cost_usd_per_million", -2.0),
    ],
)
def test_a_goal_that_cannot_be_is_refused(tmp_path: Path, field: str, impossible: float) -> None:
    """A file says no more than the command line may."""
    path = tmp_path / "sweep.jsonl"
    save_sweep(path, dataclasses.replace(made_sweep(), goal=Goal()))
    header, *rest = path.read_text().splitlines()
    record = json.loads(header)
    record["goal"][field] = impossible
    path.write_text("\n".join([json.dumps(record), *rest]) + "\n")
    with pytest.raises(SweepFileError, match=f"line 1: the goal is invalid: `{field}` is"):
        read_sweep(path)


ENVIRONMENT = PriorEnvironment("empty", 512, "1/1", cold=False, durations_ms=(12.5, 13.0))
PRIOR = PriorEvidence(
    "earlier", "2026-01-01T00:00:00Z", "q1w2e3", killed_mb=128, environments=(ENVIRONMENT,)
)


def test_what_an_earlier_sweep_told_is_kept(tmp_path: Path) -> None:
    """The answer needs it: it is written once, and read again as it was."""
    sweep = dataclasses.replace(made_sweep(), prior=PRIOR)
    assert read_sweep(Path(save_sweep(tmp_path / "a.jsonl", sweep))).prior == PRIOR
    assert read_sweep(Path(save_sweep(tmp_path / "b.jsonl", made_sweep()))).prior is None


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"payload": "other"}, "isn't in the plan"),
        ({"memory_mb": 7}, "7 MB isn't a size"),
        ({"durations_ms": (-1.0,)}, "negative"),
        ({"durations_ms": ()}, "no duration"),
    ],
)
def test_an_earlier_environment_that_cannot_be_is_refused(
    tmp_path: Path, changes: dict[str, object], complaint: str
) -> None:
    """Its samples weigh in the answer, so each is held against the plan."""
    wrong = dataclasses.replace(ENVIRONMENT, **changes)  # type: ignore[arg-type]
    prior = dataclasses.replace(PRIOR, environments=(wrong,))
    path = Path(save_sweep(tmp_path / "a.jsonl", dataclasses.replace(made_sweep(), prior=prior)))
    with pytest.raises(SweepFileError, match=rf"line 3: .*{complaint}"):
        read_sweep(path)


def test_an_earlier_environment_belongs_to_a_sweep(tmp_path: Path) -> None:
    """Samples of nobody knows which sweep are refused."""
    sweep = dataclasses.replace(made_sweep(), prior=PRIOR)
    path = Path(save_sweep(tmp_path / "a.jsonl", sweep))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join((lines[0], *lines[2:])))
    with pytest.raises(SweepFileError, match="line 2: no record says which"):
        read_sweep(path)
