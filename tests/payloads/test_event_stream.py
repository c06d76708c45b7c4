"""What a sweep may send is made and checked before its first call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import ROOT, one_line, run_here
from tuner.errors import PayloadError
from tuner.payloads import load_payloads
from tuner.payloads.event_stream import checked_events

if TYPE_CHECKING:
    from pathlib import Path

QUEUE_WORKER = ROOT / "examples" / "queue-worker"


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_events_come_again_after_the_last_that_was_checked(tmp_path: Path) -> None:
    """So nothing is sent that nobody has looked at; the digest stays that of the recipe."""
    payloads = load_payloads([written(tmp_path / "n.j2", '{"n": {{ index }}}'), "{}"])
    made, fixed = checked_events(payloads, 24)
    assert [json.loads(made.body_at(index))["n"] for index in (0, 23, 24, 50)] == [0, 23, 0, 2]
    assert made.sha256 == payloads[0].sha256
    assert fixed == payloads[1]


def test_each_class_has_events_for_twice_its_share(tmp_path: Path) -> None:
    """And never more than could be sent."""
    payloads = load_payloads([written(tmp_path / "n.j2", '{"n": {{ index }}}')] * 6)
    counts = {
        most: len({each.body_at(index) for index in range(100)})
        for most in (4, 24, 60)
        for each in checked_events(payloads, most)
    }
    assert counts == {4: 4, 24: 10, 60: 20}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ index if index < 7 else 'x' }}", "the event at index 7 is not JSON"),
        (
            '{% if index == 7 %}"{{ text(4000000) }}{{ text(4000000) }}"{% else %}1{% endif %}',
            "an event is over 6 MB",
        ),
    ],
)
def test_a_later_event_that_cannot_be_sent_is_told_before_anything_is_changed(
    tmp_path: Path, template: str, says: str
) -> None:
    """A dry run is enough to see it."""
    path = written(tmp_path / "late.j2", template)
    with pytest.raises(PayloadError, match=says):
        checked_events(load_payloads([path]), 24)
    ran = run_here(
        "tune", "queue-worker", "--local", str(QUEUE_WORKER / "template.yaml"),
        "--payload", path, "--dry-run", "--out", str(tmp_path / "sweep.jsonl"),
    )  # fmt: skip
    assert says in one_line(ran)
    assert not (tmp_path / "sweep.jsonl").exists()


def test_a_recorded_file_that_is_not_json_is_told_too(tmp_path: Path) -> None:
    """By its name, unless --raw takes it."""
    (tmp_path / "recorded").mkdir()
    for number in range(5):
        written(tmp_path / "recorded" / f"{number}.json", "{}")
    written(tmp_path / "recorded" / "bad.txt", "hunter2")
    with pytest.raises(PayloadError, match=r"bad\.txt' is not JSON") as caught:
        checked_events(load_payloads([str(tmp_path / "recorded")]), 24)
    assert "hunter2" not in str(caught.value)
    raw = load_payloads([str(tmp_path / "recorded")], raw=True)
    assert len(checked_events(raw, 24)) == 1
