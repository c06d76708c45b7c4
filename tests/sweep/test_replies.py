"""What a reply without FunctionError is taken for, with nothing of it kept."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted_executor import ScriptedExecutor
from tests.sweep.running import codes, serve
from tuner.errors import InputError
from tuner.model.invocation import Outcome
from tuner.sweep.outcome import parse_fail_on, reply_class

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({"statusCode": 500, "body": "no"}, "http_5xx"),
        ({"body": "no", "statusCode": "404"}, "http_4xx"),
        ({"statusCode": 502.0}, "http_5xx"),
        ({"batchItemFailures": [{"itemIdentifier": "1"}]}, "batch_failures"),
    ],
)
def test_errors_in_so_many_words(reply: Any, kind: str) -> None:
    """A proxy's 4xx and 5xx and a batch's failures are told from work that was done."""
    assert reply_class(json.dumps(reply).encode()) == kind


def test_shape_and_size_tell_replies_apart() -> None:
    """Other fields, other kinds and other sizes differ; other values and few bytes do not."""

    def of(value: Any) -> str:
        return reply_class(json.dumps(value).encode())

    assert of({"statusCode": 200, "body": "a"}) == of({"body": "bcd", "statusCode": 201})
    assert of({"batchItemFailures": []}) == of({"batchItemFailures": []})
    assert of({"a": 1}) != of({"b": 1})
    assert of({"a": 1}) != of({"a": None})
    assert of("a" * 100) != of("a" * 1000)


@given(st.binary(max_size=300))
def test_nothing_of_a_reply_is_kept(reply: bytes) -> None:
    """Whatever a function answers, what is kept is a known word or a digest."""
    kind = reply_class(reply)
    assert kind in {"http_4xx", "http_5xx", "batch_failures"} or (len(kind) < 12 and "/" in kind)


@pytest.mark.parametrize(
    ("expression", "reply", "fails"),
    [
        ("statusCode >= `400`", b'{"statusCode": 500}', True),
        ("statusCode >= `400`", b'{"statusCode": 200}', False),
        ("errors", b'{"errors": []}', False),
        ("errors", b'{"errors": ["x"]}', True),
        ("code", b'{"code": 0}', True),
        ("@ == 'broken'", b"broken", True),
        ("length(items) == `0`", b'{"items": 7}', True),  # it cannot be applied
        ("results[?code > `499`]", b'{"results": [{"code": "x"}]}', True),
        ("contains(@, code)", b"broken", True),
        ("items[::0]", b'{"items": [1]}', True),
    ],
)
def test_fail_on_is_true_as_in_jmespath(expression: str, reply: bytes, fails: bool) -> None:
    """Empty lists, texts and null are false, 0 is true; what it cannot be applied to fails."""
    assert parse_fail_on(expression).matches(reply) is fails


@pytest.mark.parametrize("expression", ["", "status ==", "a[", "x`", "(" * 5000])
def test_a_wrong_expression_is_found_before_anything_runs(expression: str) -> None:
    """One clear line that names the option."""
    with pytest.raises(InputError, match="`fail_on`"):
        parse_fail_on(expression)


def test_a_sweep_counts_what_fail_on_matches_and_keeps_no_reply(tmp_path: Path) -> None:
    """A matched reply is a function error; of the others the file has classes, no text."""

    def answer(deployment: Any, _request: Any) -> bytes:
        return b'{"state": "failed"}' if deployment.memory_mb < 512 else b'{"state": "s3cret"}'

    executor = ScriptedExecutor(20.0, time_scale=0, response=answer)
    with serve(tmp_path, executor) as served:
        plan = served.plan(memory_sizes_mb=(128, 512, 1769), repetition_count=3)
        sweep = served.run(dataclasses.replace(plan, fail_on="state == 'failed'"))
        text = served.file(plan).read_text()
    outcomes = {i.memory_mb: (i.outcome, i.error_type) for i in sweep.invocations}
    assert outcomes[128] == (Outcome.FUNCTION_ERROR, "fail_on")
    assert outcomes[512] == (Outcome.SUCCESS, None)
    assert len({i.reply_class for i in sweep.invocations if i.memory_mb >= 512}) == 1
    assert "size_failed" in codes(sweep)
    assert "s3cret" not in text.replace("TOKEN", "")
