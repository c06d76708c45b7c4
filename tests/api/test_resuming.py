"""`--resume`: the same plan, less what is measured; and nothing of a function that changed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tuner.api import Request, load_sweep, open_target, prepare, run
from tuner.errors import InputError
from tuner.local.definition import FunctionDefinition
from tuner.local.scripted import ScriptedExecutor
from tuner.local.serve import LocalLambda
from tuner.model.goal import Goal
from tuner.model.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.api import PreparedSweep, Target
    from tuner.model.sweep import Sweep

PAYLOADS = (Payload("order", b'{"n": 1}'),)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    executor = ScriptedExecutor(lambda mb: 20 + 40000 / mb, time_scale=0)
    with (
        LocalLambda(
            [FunctionDefinition("hello", memory_mb=1024)],
            executor=executor,
            neighbours=False,
            update_s=0.0,
        ) as server,
        open_target("hello", state_dir=tmp_path, endpoint_url=server.endpoint_url) as opened,
    ):
        yield opened


def prepared(target: Target, **asked: Any) -> PreparedSweep:
    request = Request(**{"payloads": PAYLOADS, "isolation": "version", **asked})
    return prepare(target, "hello", request, goal=Goal(), state_dir=target.state_dir)


def measured(target: Target, **asked: Any) -> Sweep:
    ready = prepared(target, **{"max_invocations": 6, **asked})
    run(ready)
    return load_sweep(ready.file)


def test_the_rest_of_the_plan_is_made(target: Target) -> None:
    """Sizes, seed and payloads are the earlier ones; limits count what was made; it says so."""
    earlier = measured(target, memory_sizes_mb=(128, 512, 2048), seed=7)
    ready = prepared(target, earlier=earlier, max_invocations=9)
    assert ready.plan.sizes_mb == earlier.plan.sizes_mb == (128, 512, 1024, 2048)
    assert ready.plan.sizes_named
    assert (ready.plan.seed, ready.plan.resumed_from) == (7, earlier.plan.sweep_id)
    made = len(earlier.invocations)
    assert ready.plan.estimated_invocation_count == 9 - made
    sweep = run(ready)
    assert made <= len(sweep.invocations) <= 9
    assert sweep.invocations[:made] != ()


def test_the_sweep_that_it_goes_on_from_is_never_written_over(target: Target) -> None:
    """A disk that is full, or a power cut, would take what was measured and paid for."""
    earlier = measured(target, memory_sizes_mb=(128, 512))
    assert earlier.file is not None
    out = Path(earlier.file)
    before = out.read_bytes()
    with pytest.raises(InputError, match="give another file"):
        prepared(target, earlier=earlier, out=out.parent / ".." / out.parent.name / out.name)
    assert out.read_bytes() == before


@pytest.mark.parametrize("exhaustive", [False, True])
def test_without_a_limit_it_goes_on_as_far_again(target: Target, exhaustive: bool) -> None:
    """A limit that is spent would leave nothing to do; new versions need warm-ups again."""
    limit = None if exhaustive else 4
    asked: dict[str, Any] = {"memory_sizes_mb": (128, 512), "exhaustive": exhaustive}
    earlier = measured(target, max_invocations=limit, **asked)
    ready = prepared(target, earlier=earlier)
    assert (ready.plan.method == "exhaustive") == exhaustive
    assert ready.plan.max_invocations > len(earlier.invocations)


def test_a_spent_limit_is_refused(target: Target) -> None:
    """What was made counts: the message says how many."""
    earlier = measured(target)
    with pytest.raises(InputError, match="is spent"):
        prepared(target, earlier=earlier, max_invocations=len(earlier.invocations))


def test_a_function_that_changed_is_measured_anew(target: Target) -> None:
    """Samples of other code or settings tell nothing; a new Description is no change."""
    earlier = measured(target)
    client: Any = target.gateway._control.client
    client.update_function_configuration(FunctionName="hello", Description="words")
    prepared(target, earlier=earlier)
    client.update_function_configuration(FunctionName="hello", Timeout=9)
    with pytest.raises(InputError, match=r"timeout_s changed.*Leave out --resume"):
        prepared(target, earlier=earlier)


def test_payloads_come_from_the_file_or_from_the_user(target: Target) -> None:
    """Kept ones are taken; other ones are refused; the same ones may be given again."""
    without = measured(target)
    with pytest.raises(InputError, match="give the same --payload again"):
        prepared(target, earlier=without, payloads=(Payload("order", b"{}"),))
    assert prepared(target, earlier=without).payloads == PAYLOADS
    kept = measured(target, keep_payloads=True)
    ready = prepared(target, earlier=kept, payloads=(Payload("empty", b"{}"),))
    assert [(each.name, each.body) for each in ready.payloads] == [("order", b'{"n": 1}')]
    assert ready.plan.keep_payloads


def test_too_few_events_to_send_each_once_are_refused(target: Target) -> None:
    """One event cannot compare sizes; the message says what would."""
    with pytest.raises(InputError, match=r"--once-each has 1 events.*folder"):
        prepared(target, once_each=True)


def test_a_sweep_of_another_environment_is_no_start(target: Target) -> None:
    """Durations of this machine are not those of AWS."""
    earlier = dataclasses.replace(measured(target), environment="aws")
    with pytest.raises(InputError, match="environment changed"):
        prepared(target, earlier=earlier)
