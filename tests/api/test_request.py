"""The library and the command are asked in one set of parameters, and read it alike."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

import pytest

import tuner
from tests.scripted_executor import ScriptedExecutor
from tuner.api.target import connect_to
from tuner.cli.tune import tune as command
from tuner.errors import HookError, InputError
from tuner.local import FunctionDefinition, LocalLambda
from tuner.model.request import Target
from tuner.sweep.file import read_payloads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CALLED_OTHERWISE = {
    "payload": "payloads", "memory_sizes": "memory_sizes_mb", "min_memory": "min_memory_mb",
    "max_memory": "max_memory_mb", "leave_concurrency": "leave_concurrency_ratio",
    "local": "local_template", "parameter": "template_parameters",
    "env": "template_environment",
}  # fmt: skip
REFUSED = {"cost_slack"}  # what was an option once, and says what is now
OF_THE_GOAL = {
    "goal", "time_weight", "tolerance", "max_duration", "percentile", "max_cost_per_million",
    "cold_start_share", "allow_different_replies",
}  # fmt: skip
OF_THE_TERMS = {"rate", "per_month", "min_saving_usd_per_month", "min_saving_ratio"}
OF_A_TERMINAL = {"yes", "allow_side_effects", "dry_run", "json", "explain", "detailed_exitcode"}


@pytest.fixture(scope="module")
def server() -> Iterator[LocalLambda]:
    executor = ScriptedExecutor(lambda mb: 5 + 100 * 1769 / min(mb, 1769), time_scale=0)
    with LocalLambda(
        [FunctionDefinition("hello", memory_mb=1024)],
        executor=executor,
        emulated_services=False,
        update_s=0.0,
    ) as local:
        yield local


def test_every_option_of_the_command_is_one_of_the_library() -> None:
    """By the same name, or with its unit; goal and terms are values of their own there."""
    options = set(inspect.signature(command).parameters) - OF_A_TERMINAL - {"function"}
    asked = {
        CALLED_OTHERWISE.get(name, name) for name in options - OF_THE_GOAL - OF_THE_TERMS - REFUSED
    }
    assert asked == tuner.TuneOptions.__annotations__.keys() - {"hook_environment"}
    assert options >= OF_THE_GOAL | OF_THE_TERMS
    assert {"goal", "terms"} <= inspect.signature(tuner.tune).parameters.keys()


def test_an_option_that_there_is_not_is_a_type_error(tmp_path: Path) -> None:
    """As for any function; it names those that there are."""
    wrong: dict[str, Any] = {"memory_sizes": (128,)}
    with pytest.raises(TypeError, match="no option memory_sizes; did you mean memory_sizes_mb"):
        tuner.tune("hello", state_dir=tmp_path, **wrong)


def test_without_a_function_there_is_nothing_to_tune(tmp_path: Path) -> None:
    """Only a sweep to go on from says which it is."""
    with pytest.raises(InputError, match="no function is named"):
        tuner.tune(state_dir=tmp_path)


def test_commands_once_each_and_kept_payloads(server: LocalLambda, tmp_path: Path) -> None:
    """Events of a folder are sent once each between the commands, and are kept."""
    events = tmp_path / "events"
    events.mkdir()
    for number in range(12):
        (events / f"{number}.json").write_text(f'{{"n": {number}}}')
    said = tmp_path / "said"
    answer = tuner.tune(
        "hello",
        payloads=[str(events)],
        endpoint_url=server.endpoint_url,
        state_dir=tmp_path,
        isolation="version",
        max_invocations=8,
        once_each=True,
        keep_payloads=True,
        before=f"sh -c 'echo $TUNER_HOOK >> {said}'",
        after=f"sh -c 'echo $TUNER_HOOK >> {said}'",
        hook_environment=dict(os.environ),
        terms=tuner.Terms(tuner.Traffic(50.0)),
        out=tmp_path / "first.jsonl",
    )
    assert said.read_text().split() == ["before", "after"]
    assert answer.platform is not None
    assert answer.platform.verdict is not None
    first = tuner.load_sweep(tmp_path / "first.jsonl")
    assert first.plan.once_each
    assert read_payloads(tmp_path / "first.jsonl")
    sent = [invocation.event_index for invocation in first.invocations]
    assert len(set(sent)) == len(sent) > 0


def test_a_sweep_is_gone_on_with(server: LocalLambda, tmp_path: Path) -> None:
    """Its function and its payloads are known, and what was spent counts."""
    given: dict[str, Any] = {"endpoint_url": server.endpoint_url, "state_dir": tmp_path}
    tuner.tune(
        "hello",
        payloads=['{"n": 1}'],
        max_invocations=4,
        keep_payloads=True,
        out=tmp_path / "first.jsonl",
        **given,
    )
    answer = tuner.tune(resume=tmp_path / "first.jsonl", max_invocations=6, **given)
    assert answer.function.name == "hello"
    assert 4 <= answer.sweep.invocation_count <= 6


def test_another_build_and_another_batch_are_measured(server: LocalLambda, tmp_path: Path) -> None:
    """`code` is measured in a copy, `vary` in one sweep, and nothing of the copy is left."""
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "handler.py").write_text("def handler(event, context): return 1\n")
    template = tmp_path / "order.json.j2"
    template.write_text('{"lines": {{ batch_size }}}')
    answer = tuner.tune(
        "hello",
        payloads=[str(template)],
        vary="batch_size=1,5",
        code=str(tmp_path / "build"),
        endpoint_url=server.endpoint_url,
        state_dir=tmp_path,
        max_invocations=10,
    )
    assert "other_build_measured" in {finding.code for finding in answer.findings}
    assert {size.parameters for size in answer.sizes} == {
        (("batch_size", "1"),), (("batch_size", "5"),)
    }  # fmt: skip
    with connect_to(
        "hello", Target(endpoint_url=server.endpoint_url), state_dir=tmp_path
    ) as target:
        assert target.gateway.list_versions("hello") == ()


def test_a_command_that_fails_changes_nothing(server: LocalLambda, tmp_path: Path) -> None:
    """The library raises what the command says."""
    with pytest.raises(HookError, match="'false' failed"):
        tuner.tune("hello", endpoint_url=server.endpoint_url, state_dir=tmp_path, before="false")
