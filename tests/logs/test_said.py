"""What lines say besides reports: traces, lineage, messages' ids and errors, as digests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.logs import forms
from tests.logs.forms import Invocation
from tuner.logs.stream import digest, error_digest, passes, said_rows, says_more
from tuner.observe.folder import ObservationFolder

if TYPE_CHECKING:
    from pathlib import Path

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
HEADER = f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=25:a87bd80c:1|68fd508a:17"
MESSAGE = "059f36b4-87a3-44ab-83d2-661975830a7d"


def kept(folder: Path, made: Invocation, *, form: str = "text") -> tuple[object, ...]:
    """What the store has of the one request."""
    events = made.text_events() if form == "text" else made.json_events()
    (folder / "logs").write_bytes(forms.exported(events))
    store, _ = ObservationFolder(folder / "state").read([folder / "logs"])
    with store:
        sql = "SELECT trace_id, passes, error_signature, error_digest, message_digests FROM reports"
        [row] = store.connection.execute(sql).fetchall()
    return tuple(row)


@pytest.mark.parametrize(
    "own",
    [
        f"trace {HEADER}",
        f"2026-11-20T10:00:00.123Z\t{Invocation(3).request_id}\tINFO\ttrace {HEADER}",
        json.dumps({"level": "INFO", "requestId": Invocation(3).request_id, "trace": HEADER}),
    ],
)
def test_a_trace_and_its_passes_are_its_requests(tmp_path: Path, own: str) -> None:
    """However it is logged; of several functions the one that ran most counts."""
    assert kept(tmp_path, Invocation(3, own=(own,)))[:2] == (ROOT, 17)


def test_an_x_ray_line_is_of_the_report_before_it(tmp_path: Path) -> None:
    """As Lambda writes it behind a REPORT line where tracing is on."""
    made = Invocation(3).text_events()
    text = forms.exported(made).decode() + f"XRAY TraceId: {ROOT}\tSegmentId: 1\tSampled: true\n"
    (tmp_path / "logs").write_text(text)
    store, _ = ObservationFolder(tmp_path / "state").read([tmp_path / "logs"])
    with store:
        assert store.connection.execute("SELECT trace_id FROM reports").fetchall() == [(ROOT,)]


def test_a_record_of_json_logs_has_its_trace(tmp_path: Path) -> None:
    """Its `tracing` has the whole header."""
    event = Invocation(3).json_events()[-1]
    record = json.loads(event.message)
    record["record"]["tracing"] = {"type": "X-Amzn-Trace-Id", "value": HEADER}
    (tmp_path / "logs").write_text(json.dumps(record) + "\n")
    store, _ = ObservationFolder(tmp_path / "state").read([tmp_path / "logs"])
    with store:
        row = store.connection.execute("SELECT trace_id, passes FROM reports").fetchall()
    assert row == [(ROOT, 17)]


def test_messages_and_errors_are_digests(tmp_path: Path) -> None:
    """The id of a message and the text of an error aren't kept, only what they are the same by."""
    own = (
        f'{{"Records": [{{"messageId": "{MESSAGE}", "body": "secret"}}]}}',
        f"[ERROR] ValueError: can't read secret {MESSAGE}",
        "Traceback (most recent call last):",
    )
    row = kept(tmp_path, Invocation(3, status="error", own=own))
    assert row[2:] == ("ValueError", error_digest("ValueError", "can't read secret #"),
                       [digest(MESSAGE)])  # fmt: skip
    for file in (tmp_path / "state").rglob("*"):
        if file.is_file():
            assert b"secret" not in file.read_bytes()
            assert MESSAGE.encode() not in file.read_bytes()


def test_a_file_of_json_lines_alone_tells_of_messages_and_traces(tmp_path: Path) -> None:
    """Nothing stands before a line, as a function's own reader of its log saves them."""
    own = json.dumps({"level": "INFO", "message": "got one", "messageId": MESSAGE, "trace": HEADER})
    made = Invocation(3, own=(own,))
    (tmp_path / "logs").write_bytes(forms.plain(made.json_events()))
    store, _ = ObservationFolder(tmp_path / "state").read([tmp_path / "logs"])
    with store:
        sql = "SELECT trace_id, passes, message_digests FROM reports"
        assert store.connection.execute(sql).fetchall() == [(ROOT, 17, [digest(MESSAGE)])]


def test_a_word_is_no_id() -> None:
    """What a function logs where it has none isn't one message that keeps coming back."""
    assert said_rows("message_id=undefined", "request", "") == []
    assert said_rows('\\"messageId\\": \\"0f1e2d3c-4b\\"', "request", "")[0][4] is not None


def test_one_fault_has_one_digest() -> None:
    """Ids, numbers and quoted values vary within one; the class and the words don't."""
    first = error_digest("KeyError", "no item 17 of 'a' in 059f36b4-87a3-44ab-83d2-661975830a7d")
    assert first == error_digest("KeyError", "no item 3 of 'bcd' in 8f5a7c3e-2f4b-4c55-9d3a-1")
    assert first != error_digest("TypeError", "no item 17 of 'a' in 8f5a7c3e-2f4b-4c55-9d3a-1")
    assert first != error_digest("KeyError", "no table 17 of 'a' in 8f5a7c3e-2f4b-4c55-9d3a-1")


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    """Whatever a function logs: nothing is raised, and only digests and traces come of it."""
    line = f"Root=1-{text}Lineage={text}messageId: {text}"
    assert says_more(line)
    for row in said_rows(line, "request", ""):
        assert row[1] is None or row[1].startswith("1-")
        assert row[4] is None or len(row[4]) == 16
    assert passes(text) is None or "Lineage=" in text
