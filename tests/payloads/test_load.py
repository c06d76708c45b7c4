"""Payloads from files and from the command line."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.errors import PayloadError
from tuner.model.lambda_limits import MAX_SYNC_PAYLOAD_BYTES
from tuner.payloads import load_payloads

if TYPE_CHECKING:
    from pathlib import Path

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
json_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def written(path: Path, body: bytes) -> str:
    path.write_bytes(body)
    return str(path)


def test_without_specs_there_is_one_empty_event() -> None:
    """A function that wants nothing gets `{}`."""
    [payload] = load_payloads([])
    assert (payload.name, payload.body, payload.weight) == ("empty", b"{}", 1.0)


def test_a_file_is_sent_byte_for_byte(tmp_path: Path) -> None:
    """Spacing and key order are the owner's; the name is the file's."""
    body = b'{\n  "b": 1,   "a": "\xc3\xa4"\n}\n'
    [payload] = load_payloads([written(tmp_path / "order.v1.json", body)])
    assert (payload.name, payload.body) == ("order.v1", body)


def test_a_byte_order_mark_is_not_sent(tmp_path: Path) -> None:
    """Lambda takes UTF-8 without a mark."""
    [payload] = load_payloads([written(tmp_path / "event.json", b'\xef\xbb\xbf{"a": 1}')])
    assert payload.body == b'{"a": 1}'


@pytest.mark.parametrize(
    "spec", ['{"a": 1}', "[1, 2]", '"text"', "5", "-1.5", "true", "null", " {} "]
)
def test_json_may_be_given_in_place_of_a_file(spec: str) -> None:
    """Every JSON value is an event."""
    [payload] = load_payloads([spec])
    assert (payload.name, payload.body) == ("inline-1", spec.encode())


def test_a_file_wins_over_json_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file named `5` is a file."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "5", b"[]")
    assert [payload.body for payload in load_payloads(["5", "6"])] == [b"[]", b"6"]


def test_names_are_distinct_and_weights_equal(tmp_path: Path) -> None:
    """Two files of one name, and inline ones, can be told apart in a table."""
    (tmp_path / "other").mkdir()
    first = written(tmp_path / "event.json", b"{}")
    second = written(tmp_path / "other" / "event.json", b"[]")
    payloads = load_payloads([first, "{}", second, first, "[]"])
    assert [payload.name for payload in payloads] == [
        "event", "inline-2", "event-2", "event-3", "inline-5",
    ]  # fmt: skip
    assert len({payload.weight for payload in payloads}) == 1


@settings(deadline=None)
@given(json_values)
def test_any_json_value_is_taken_as_it_is(value: object) -> None:
    """What json writes is a payload, unless a file has that name."""
    spec = json.dumps(value, ensure_ascii=False)
    [payload] = load_payloads([spec])
    assert json.loads(payload.body) == value


def test_the_limit_is_lambdas_to_the_byte(tmp_path: Path) -> None:
    """6,291,456 bytes pass, one more does not."""
    largest = b'"' + b"x" * (MAX_SYNC_PAYLOAD_BYTES - 2) + b'"'
    [payload] = load_payloads([written(tmp_path / "largest.json", largest)])
    assert len(payload.body) == 6 * 1024 * 1024
    with pytest.raises(PayloadError, match=r"larger\.json' is over 6 MB"):
        load_payloads([written(tmp_path / "larger.json", largest + b" ")])
    with pytest.raises(PayloadError, match="payload 1 is over 6 MB"):
        load_payloads([(largest + b" ").decode()])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b'{"a": ', "not JSON: line 1, column 7"),
        (b'{"a": hunter2}', "not JSON: line 1, column 7"),
        (b"{'hunter2': 1}", "not JSON"),
        (b'{"hunter2": NaN}', "not JSON: NaN"),
        (b"[-Infinity]", "not JSON: NaN, Infinity"),
        (b"9" * 5000, "number out of range"),
        (b'"hunter2\xff"', r"not UTF-8 \(at byte 8\)"),
        ('"hunter2"'.encode("utf-16"), "not UTF-8"),
        (b"[" * 200_000, "nested too deep"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_payload_says_why_and_where(
    tmp_path: Path, body: bytes, says: str
) -> None:
    """One line, the file named, its content not repeated."""
    path = written(tmp_path / "event.json", body)
    with pytest.raises(PayloadError, match=says) as caught:
        load_payloads([path])
    assert path in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("no-such-event.json", "'no-such-event.json' is neither a file nor JSON"),
        ("no/such/event.json", "'no/such/event.json' is neither"),
        ("password: 'hunter2'", "number 1 is neither"),
        ("'hunter2'\n" * 100, "number 1 is neither"),
        ("x=hunter2" * 1000, "number 1 is neither"),
        ("\0hunter2", "number 1 is neither"),
        ("\ud800{hunter2", "number 1 is neither"),
        ('{"hunter2"', "payload 1 is not JSON"),
        ('{"hunter2": "\ud800"}', "payload 1 is not UTF-8"),
        ("", "payload 1 is empty"),
        ("  ", "payload 1 is empty"),
    ],
    ids=lambda value: "",
)
def test_a_spec_that_is_neither_file_nor_json_says_so(spec: str, says: str) -> None:
    """A path is shown, a payload that was mistaken for one is not."""
    with pytest.raises(PayloadError, match=says) as caught:
        load_payloads([spec])
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_and_a_file_used_as_one_say_so(tmp_path: Path) -> None:
    """A folder is a class of recorded events, so it must hold one."""
    with pytest.raises(PayloadError, match="has no events"):
        load_payloads([str(tmp_path)])
    with pytest.raises(PayloadError, match="neither a file nor JSON"):
        load_payloads([written(tmp_path / "event.json", b"{}") + "/inner"])


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_disk_that_fails_is_not_a_missing_file() -> None:
    """The message says what the system said (reading this file is an I/O error)."""
    with pytest.raises(PayloadError, match=r"'/proc/self/mem' can't be read: Input/output error"):
        load_payloads(["/proc/self/mem"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    """Missing permission is not a missing file."""
    path = written(tmp_path / "event.json", b"{}")
    (tmp_path / "event.json").chmod(0)
    with pytest.raises(PayloadError, match="may not be read"):
        load_payloads([path])


def test_a_payload_does_not_show_its_body() -> None:
    """Nothing of an event reaches a log by way of a repr."""
    [payload] = load_payloads(['{"token": "hunter2"}'])
    assert "hunter2" not in repr(payload)
