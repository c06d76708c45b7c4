"""`--resume`: the same plan, less what is measured; and nothing of a function that changed."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.scripted_executor import ScriptedExecutor
from tests.session.asking import planned
from tuner.api.target import connect_to
from tuner.errors import InputError, SweepFileError
from tuner.local import FunctionDefinition, LocalLambda
from tuner.model.payload import Payload
from tuner.model.request import Target
from tuner.session import run
from tuner.sweep.file import read_payloads
from tuner.sweep.store import load_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.invocation import Invocation
    from tuner.model.sweep import Sweep
    from tuner.session import OpenTarget
    from tuner.sweep.prepared import PreparedSweep

PAYLOADS = (Payload("order", b'{"n": 1}'),)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[OpenTarget]:
    executor = ScriptedExecutor(lambda mb: 20 + 40000 / mb, init_duration_ms=50.0, time_scale=0)
    with (
        LocalLambda(
            [FunctionDefinition("hello", memory_mb=1024)],
            executor=executor,
            emulated_services=False,
            update_s=0.0,
        ) as server,
        connect_to("hello", Target(endpoint_url=server.endpoint_url), state_dir=tmp_path) as opened,
    ):
        yield opened


def prepared(target: OpenTarget, **asked: Any) -> PreparedSweep:
    return planned(target, **{"payloads": PAYLOADS, "isolation": "version", **asked})


def measured(target: OpenTarget, **asked: Any) -> Sweep:
    ready = prepared(target, **{"max_invocations": 6, **asked})
    run(ready, target)
    return load_sweep(ready.file)


def test_the_rest_of_the_plan_is_made(target: OpenTarget) -> None:
    """Sizes, seed and payloads are the earlier ones; limits count what was made; it says so."""
    earlier = measured(target, memory_sizes_mb=(128, 512, 2048), seed=7)
    ready = prepared(target, earlier=earlier, max_invocations=9)
    assert ready.plan.sizes_mb == earlier.plan.sizes_mb == (128, 512, 1024, 2048)
    assert ready.plan.sizes_named
    assert (ready.plan.seed, ready.plan.resumed_from) == (7, earlier.plan.sweep_id)
    made = len(earlier.invocations)
    assert ready.plan.estimated_invocation_count == 9 - made
    sweep = run(ready, target)
    assert made <= len(sweep.invocations) <= 9
    assert sweep.invocations[:made] != ()


def test_a_sweep_goes_on_in_its_own_file(target: OpenTarget) -> None:
    """`--out` may be the file of `--resume`, however it is spelled: what is measured is added."""
    earlier = measured(target, memory_sizes_mb=(128, 512), exhaustive=True, keep_payloads=True)
    file = Path(earlier.file or "")
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:3]))
    earlier, kept_before = load_sweep(file), read_payloads(file)
    assert kept_before
    out = file.parent / ".." / file.parent.name / file.name
    ready = prepared(target, earlier=earlier, out=out, max_invocations=12)
    before = file.read_bytes()
    sweep = run(ready, target)
    made = len(earlier.invocations)
    assert before != file.read_bytes()
    kept = load_sweep(file)
    assert (kept.invocations, kept.end) == (sweep.invocations, sweep.end)
    assert kept.plan.resumed_from == earlier.plan.sweep_id
    assert len(kept.invocations) > made
    assert [_measured(each) for each in kept.invocations[:made]] == [
        _measured(each) for each in earlier.invocations
    ]
    assert kept_before.items() <= read_payloads(file).items()
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_whatever_ends_it_the_file_holds_all_that_was_measured(
    target: OpenTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and in the middle of every write, a kill leaves the old sweep or one that holds it,
    and nothing that was written since is missing.
    """
    earlier = measured(target, memory_sizes_mb=(128, 512), exhaustive=True)
    file = Path(earlier.file or "")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:2]) + lines[2][:20])  # cut off, with a torn line
    earlier = load_sweep(file)
    made = len(earlier.invocations)
    ready = prepared(target, earlier=earlier, out=file, max_invocations=12)
    left_by_a_kill: list[bytes] = []
    write, fsync, replace = os.write, os.fsync, os.replace

    def torn(descriptor: int, data: bytes) -> int:
        left_by_a_kill.append(file.read_bytes())
        if not data.startswith(b'{"record"'):
            return write(descriptor, data)
        half = write(descriptor, data[: len(data) // 2])
        left_by_a_kill.append(file.read_bytes())
        return half

    def noting(call: Any) -> Any:
        def noted(*arguments: Any, **options: Any) -> Any:
            left_by_a_kill.append(file.read_bytes())
            return call(*arguments, **options)

        return noted

    monkeypatch.setattr(os, "write", torn)
    monkeypatch.setattr(os, "fsync", noting(fsync))
    monkeypatch.setattr(os, "replace", noting(replace))
    sweep = run(ready, target)
    monkeypatch.undo()
    left_by_a_kill.append(file.read_bytes())
    assert len(left_by_a_kill) > 20
    counts = []
    for left in left_by_a_kill:
        killed = file.with_name("killed.jsonl")
        killed.write_bytes(left)
        counts.append(len(load_sweep(killed).invocations))
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (made, len(sweep.invocations))
    assert len(sweep.invocations) > made


def test_after_a_power_cut_the_file_is_the_one_that_goes_on(
    target: OpenTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is on the disk, too, before anything more is sent."""
    earlier = measured(target, memory_sizes_mb=(128, 512), exhaustive=True)
    file = Path(earlier.file or "")
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:3]))
    earlier = load_sweep(file)
    ready = prepared(target, earlier=earlier, out=file, max_invocations=12)
    done: list[str] = []
    fsync, replace, write = os.fsync, os.replace, os.write

    def flushed(descriptor: int) -> None:
        if os.path.samestat(os.fstat(descriptor), file.parent.stat()):
            done.append("folder")
        fsync(descriptor)

    def renamed(*paths: Any) -> None:
        done.append("rename")
        replace(*paths)

    def written(descriptor: int, data: bytes) -> int:
        if data.startswith(b'{"record":"invocation"'):
            done.append("invocation")
        return write(descriptor, data)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", renamed)
    monkeypatch.setattr(os, "write", written)
    run(ready, target)
    last = done.index("rename")
    assert done[last : last + 3] == ["rename", "folder", "invocation"]


def test_a_full_disk_leaves_the_sweep_that_goes_on_as_it_was(
    target: OpenTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a call is made then, and nothing else is left in the folder."""
    earlier = measured(target, memory_sizes_mb=(128, 512))
    file = Path(earlier.file or "")
    before, write = file.read_bytes(), os.write
    ready = prepared(target, earlier=earlier, out=file, max_invocations=9)

    def full(descriptor: int, data: bytes) -> int:
        if data.startswith(b'{"record":"invocation"'):
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SweepFileError, match="No space left on device"):
        run(ready, target)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_what_came_into_the_file_meanwhile_is_not_lost(target: OpenTarget) -> None:
    """Two that go on from one file: the second is refused, before and after it is agreed to."""
    earlier = measured(target, memory_sizes_mb=(128, 512))
    file = Path(earlier.file or "")
    late = prepared(target, earlier=earlier, out=file, max_invocations=9)
    run(prepared(target, earlier=earlier, out=file, max_invocations=9), target)
    after = file.read_bytes()
    with pytest.raises(SweepFileError, match="has changed since it was read"):
        run(late, target)
    with pytest.raises(SweepFileError, match="has changed since it was read"):
        prepared(target, earlier=earlier, out=file, max_invocations=9)
    assert file.read_bytes() == after


def _measured(invocation: Invocation) -> Invocation:
    return dataclasses.replace(invocation, environment=None)


@pytest.mark.parametrize("exhaustive", [False, True])
def test_without_a_limit_it_goes_on_as_far_again(target: OpenTarget, exhaustive: bool) -> None:
    """A limit that is spent would leave nothing to do; new versions need warm-ups again."""
    limit = None if exhaustive else 4
    asked: dict[str, Any] = {"memory_sizes_mb": (128, 512), "exhaustive": exhaustive}
    earlier = measured(target, max_invocations=limit, **asked)
    ready = prepared(target, earlier=earlier)
    assert (ready.plan.method == "exhaustive") == exhaustive
    assert ready.plan.max_invocations > len(earlier.invocations)


def test_what_is_left_of_every_size_counts_the_new_warm_ups(target: OpenTarget) -> None:
    """The plan says as many invocations as are then made, neither fewer nor more."""
    earlier = measured(target, memory_sizes_mb=(128, 512), exhaustive=True, max_invocations=None)
    file = Path(earlier.file or "")
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:8]))  # interrupted
    earlier = load_sweep(file)
    ready = prepared(target, earlier=earlier)
    sweep = run(ready, target)
    made = len(sweep.invocations) - len(earlier.invocations)
    assert len(sweep.invocations) > 18  # what it takes without an interrupt
    assert ready.plan.estimated_invocation_count == made


def test_only_a_limit_that_was_given_is_spent(target: OpenTarget) -> None:
    """A sweep that goes on stops once it has an answer, unless it was told how many to make."""
    asked: dict[str, Any] = {"memory_sizes_mb": (128, 512)}
    usual = measured(target, max_invocations=None, **asked)
    file = Path(usual.file or "")
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:5]))  # interrupted
    usual = load_sweep(file)
    assert not usual.plan.spends_all
    assert not prepared(target, earlier=usual).plan.spends_all
    assert prepared(target, earlier=usual, max_invocations=30).plan.spends_all
    told = measured(target, max_invocations=5, **asked)
    assert told.plan.spends_all
    assert not prepared(target, earlier=told).plan.spends_all  # those are made: as many as usual


def test_a_spent_limit_is_refused(target: OpenTarget) -> None:
    """What was made counts: the message says how many."""
    earlier = measured(target)
    with pytest.raises(InputError, match="is used up"):
        prepared(target, earlier=earlier, max_invocations=len(earlier.invocations))


def test_a_function_that_changed_is_measured_anew(target: OpenTarget) -> None:
    """Samples of other code or settings tell nothing; a new Description is no change."""
    earlier = measured(target)
    client: Any = target.gateway._control.client
    client.update_function_configuration(FunctionName="hello", Description="words")
    prepared(target, earlier=earlier)
    client.update_function_configuration(FunctionName="hello", Timeout=9)
    with pytest.raises(InputError, match=r"timeout_s.*leave out `resume`"):
        prepared(target, earlier=earlier)


def test_a_sweep_of_another_function_is_told_from_a_change(target: OpenTarget) -> None:
    """Nothing has changed: the sweep measured something else."""
    earlier = measured(target)
    other = dataclasses.replace(earlier.function, name="other", arn="")
    with pytest.raises(InputError, match=r"measured other, not hello.*leave out `resume`") as told:
        prepared(target, earlier=dataclasses.replace(earlier, function=other))
    assert "changed" not in str(told.value)


def test_payloads_come_from_the_file_or_from_the_user(target: OpenTarget) -> None:
    """Kept ones are taken; other ones are refused; the same ones may be given again."""
    without = measured(target)
    with pytest.raises(InputError, match="give the same `payloads` again"):
        prepared(target, earlier=without, payloads=(Payload("order", b"{}"),))
    assert prepared(target, earlier=without).payloads == PAYLOADS
    kept = measured(target, keep_payloads=True)
    ready = prepared(target, earlier=kept, payloads=(Payload("empty", b"{}"),))
    assert [(each.name, each.body) for each in ready.payloads] == [("order", b'{"n": 1}')]
    assert ready.plan.keep_payloads


def test_too_few_events_to_send_each_once_are_refused(target: OpenTarget) -> None:
    """One event cannot compare sizes; the message says what would."""
    with pytest.raises(InputError, match=r"`once_each=True` has 1 events.*folder"):
        prepared(target, once_each=True)


def test_a_sweep_of_another_environment_is_no_start(target: OpenTarget) -> None:
    """Durations of this machine are not those of AWS."""
    earlier = dataclasses.replace(measured(target), environment="aws")
    with pytest.raises(InputError, match=r"measured it \(environment"):
        prepared(target, earlier=earlier)
