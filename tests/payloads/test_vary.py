"""One class as several: a parameter with each of its values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tuner.errors import InputError, PayloadError
from tuner.payloads import load_payloads
from tuner.report.json import parameters_json
from tuner.sweep.plan import payload_classes

if TYPE_CHECKING:
    from pathlib import Path

CLASSES: dict[str, Any] = {
    "order": {
        "source": "sqs", "template": "order.j2", "weight": 8,
        "parameters": {"batch_size": 5, "most": 3},
    },
    "import": {"source": "sqs", "template": "order.j2", "parameters": {"most": 9}},
    "ping": {"file": "ping.json"},
}  # fmt: skip


@pytest.fixture
def written(tmp_path: Path) -> str:
    (tmp_path / "order.j2").write_text('{"n": {{ number(1, most) }}}')
    (tmp_path / "ping.json").write_text("{}")
    path = tmp_path / "payloads.json"
    path.write_text(json.dumps({"classes": CLASSES}))
    return str(path)


def test_each_class_that_uses_the_parameter_is_made_with_each_value(written: str) -> None:
    """The others stay one; the mix of records stays what it was."""
    payloads = load_payloads([written], vary="batch_size=1,5,10")
    assert [each.name for each in payloads] == [
        "order batch_size=1", "order batch_size=5", "order batch_size=10",
        "import batch_size=1", "import batch_size=5", "import batch_size=10", "ping",
    ]  # fmt: skip
    assert [len(json.loads(each.body).get("Records", "")) for each in payloads] == [
        1, 5, 10, 1, 5, 10, 0,
    ]  # fmt: skip
    assert [each.weight * each.record_count for each in payloads] == [40, 40, 40, 1, 1, 1, 1]


def test_the_current_value_is_that_of_the_heaviest_class(written: str) -> None:
    """Where it is none of the values, the first one is compared with."""
    for vary, current in (("batch_size=1,5", "5"), ("batch_size=2,4", "2")):
        payloads = load_payloads([written], vary=vary)
        assert {p.variant.value for p in payloads if p.variant and p.variant.is_current} == {
            current
        }


def test_values_meet_the_same_records(written: str) -> None:
    """What differs between two values is the parameter, not the luck of the draw."""
    small, large = load_payloads([written], vary="batch_size=1,10")[:2]
    first, many = (json.loads(each.body_at(3))["Records"] for each in (small, large))
    assert many[0]["body"] == first[0]["body"]


def test_a_parameter_of_a_template_says_something_of_the_work(written: str) -> None:
    """It is no setting, since events hold as many records as before."""
    (batched,) = (payload_classes(load_payloads([written], vary=f"{n}=1,9")) for n in ("most",))
    assert [each.class_name for each in batched] == ["order"] * 2 + ["import"] * 2 + ["ping"]
    assert batched[0].parameters == (("most", "1"),)
    assert {each.record_count for each in batched} == {5, 1}


def test_records_of_a_template_are_told_by_a_parameter(tmp_path: Path) -> None:
    """Then a batch of its own is a setting too."""
    (tmp_path / "batch.j2").write_text("[{% for i in range(count) %}{{ ', ' if i }}1{% endfor %}]")
    path = tmp_path / "payloads.json"
    recipe = {"template": "batch.j2", "records": "count", "parameters": {"count": 4}}
    path.write_text(json.dumps({"classes": {"batch": recipe}}))
    assert [each.record_count for each in load_payloads([str(path)])] == [4]
    varied = load_payloads([str(path)], vary="count=2,8")
    assert [(each.record_count, each.weight) for each in varied] == [(2, 2.0), (8, 0.5)]


def test_a_template_needs_no_value_of_what_is_varied(tmp_path: Path) -> None:
    """The values come from --vary; sources and templates may be named without a set."""
    template = tmp_path / "order.j2"
    template.write_text('{"n": {{ most }}}')
    payloads = load_payloads([str(template), "sqs"], vary="most=1,2.5")
    assert [json.loads(each.body).get("n") for each in payloads] == [1, 2.5, None]


def test_a_value_that_is_no_number_in_json_is_a_text(tmp_path: Path) -> None:
    """NaN and infinity would end as an answer that can't be written."""
    template = tmp_path / "order.j2"
    template.write_text('{"kind": "{{ kind }}"}')
    payloads = load_payloads([str(template)], vary="kind=NaN,1e999,-Infinity")
    kinds = [json.loads(each.body)["kind"] for each in payloads]
    assert kinds == ["NaN", "1e999", "-Infinity"]
    assert [parameters_json([("kind", kind)])["kind"] for kind in kinds] == kinds


@pytest.mark.parametrize(
    ("vary", "says"),
    [
        ("batch_size", "write it like batch_size=1,5,10"),
        ("batch_size=", "write it like"),
        ("batch_size=1,,2", "write it like"),
        ("=1,2", "write it like"),
        ("batch_size=1", "needs two to 12 values, each once"),
        ("batch_size=1,1", "needs two to 12 values, each once"),
        ("hue=1,2", "nothing uses the parameter 'hue' of `vary`"),
        ("batch_size=1,x", "batch_size must be a whole number, 1 or more"),
        ("batch_size=1,20000", "batch_size 20000 is too large: it sends at most 10000"),
    ],
)
def test_a_bad_parameter_says_what_is_wrong(written: str, vary: str, says: str) -> None:
    """One line."""
    with pytest.raises(InputError, match=says) as caught:
        load_payloads([written], vary=vary)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("records", [0, True, 1.5, "", []])
def test_a_bad_number_of_records_says_so(tmp_path: Path, records: Any) -> None:
    """It is a number, or a parameter that has one."""
    path = tmp_path / "payloads.json"
    recipe = {"source": "alb", "records": records}
    path.write_text(json.dumps({"classes": {"a": recipe}}))
    with pytest.raises(PayloadError, match="records must be a whole number, 1 or more"):
        load_payloads([str(path)])
    path.write_text(json.dumps({"classes": {"a": {**recipe, "records": "path"}}}))
    with pytest.raises(PayloadError, match="names a parameter whose value isn't a whole number"):
        load_payloads([str(path)])
