"""Files that say when requests come."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.api.cold import given_arrivals
from tuner.cold.arrivals import arrivals_of_loads, arrivals_of_minutes
from tuner.cold.arrivals_file import read_arrivals
from tuner.errors import InputError
from tuner.model.invocation import MinuteLoad

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, text: str) -> Path:
    file = folder / "requests.csv"
    file.write_text(text)
    return file


def test_times_are_read_in_any_order_and_form(tmp_path: Path) -> None:
    """ISO 8601 with and without a zone, and durations beside them."""
    text = "timestamp,duration_ms\n2026-11-01T10:00:10Z,20\n2026-11-01T10:00:00,10\n\n"
    found = read_arrivals(written(tmp_path, text))
    assert found.times_s == (0.0, 10.0)
    assert found.durations_ms == (10.0, 20.0)
    assert found.rate_per_s == pytest.approx(0.1)
    assert found.began_at == datetime(2026, 11, 1, 10, tzinfo=UTC)


def test_an_end_is_a_start_with_its_duration(tmp_path: Path) -> None:
    """In seconds, as public traces have them."""
    found = read_arrivals(written(tmp_path, "end_timestamp,duration\n10,4\n9,0.5\n"))
    assert found.times_s == (0.0, 2.5)
    assert found.durations_ms == (4000.0, 500.0)


def test_seconds_from_any_beginning_are_times_too(tmp_path: Path) -> None:
    """They have no hour of the day."""
    found = read_arrivals(written(tmp_path, "timestamp\n5\n7.5\n6\n"))
    assert found.times_s == (0.0, 1.0, 2.5)
    assert found.began_at is None
    assert len(found.busy_hours()) == 24


def test_minutes_left_out_had_no_request(tmp_path: Path) -> None:
    """Between the first and the last."""
    text = "minute,requests\n2026-11-01T10:00,3\n2026-11-01T10:04,2\n"
    found = read_arrivals(written(tmp_path, text))
    assert found.counts == (3, 0, 0, 0, 2)
    assert found.rate_per_s == pytest.approx(5 / 300)
    numbered = read_arrivals(written(tmp_path, "minute,count\n0,3\n4,2\n"))
    assert numbered.counts == found.counts


def test_a_log_has_its_own_count_of_cold_starts(tmp_path: Path) -> None:
    """A request began with its INIT, before what it was busy for; one of two is cold."""
    log = tmp_path / "f.log"
    for number, init in enumerate(("\tInit Duration: 400.00 ms", "")):
        line = (
            f"2026-11-01T10:0{number}:01.000Z REPORT RequestId: {number:08}-0000-4000-8000-"
            "000000000000\tDuration: 600.00 ms\tBilled Duration: 600 ms\tMemory Size: 512 MB"
            f"\tMax Memory Used: 80 MB{init}\t\n"
        )
        log.write_text((log.read_text() if log.exists() else "") + line)
    found = given_arrivals(None, log, "f", tmp_path / "state")
    assert found is not None
    assert (found.cold_count, found.request_count) == (1, 2)
    assert found.times_s[1] == pytest.approx(60.4)


def test_hours_without_a_request_need_nothing_provisioned() -> None:
    """Where two days and more are known."""
    start = datetime(2026, 11, 1, 8, tzinfo=UTC)
    day = [1] * 600 + [0] * 840  # 8:00 to 18:00
    assert arrivals_of_minutes(day * 3, began_at=start).busy_hours() == tuple(range(8, 18))
    assert len(arrivals_of_minutes(day, began_at=start).busy_hours()) == 24


def test_cloudwatchs_minutes_are_placed_in_their_window() -> None:
    """What is outside isn't counted."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    moments = (-1, 0, 0, 1439, 1440)
    loads = [MinuteLoad(start + timedelta(minutes=each), 2.0) for each in moments]
    found = arrivals_of_loads(loads, start, 1, "CloudWatch")
    assert (found.counts[0], found.counts[1439], found.request_count) == (4, 2, 6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("hour,requests\n1,2\n", "begins with hour,requests"),
        ("timestamp\nyesterday\n1\n", "line 2"),
        ("timestamp\n1,2\n", "line 2"),
        ("end_timestamp\n1\n2\n", "begins with end_timestamp"),
        ("1\n2\n3\n", "begins with 1"),
        ("timestamp\n-5\n2\n", "line 2"),
        ("timestamp,duration_ms\n1,x\n", "line 2"),
        ("timestamp\n5\n", "at least two"),
        ("timestamp\n5\n5\n", "at least two"),
        ("timestamp\n5\n5\n", "2 requests, all at one time"),
        ("timestamp\n1764000000000\n", "line 2: 1764000000000 is too large for seconds"),
        ("minute,requests\n2026-11-01T10:00,1.5\n", "line 2"),
        ("minute,requests\n2026-11-01T10:00,-1\n", "line 2"),
        ("minute,requests\n2026-11-01T10:00,0\n", "no request"),
        ("minute,requests\n0,1\n2026-11-01T10:00,1\n", "over 400 days"),
        ("minute,requests\n", "no minute"),
        ("minute,requests\n0,1e8\n", "over the limit"),
    ],
)
def test_what_is_no_trace_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    """In one line that says what to give."""
    with pytest.raises(InputError, match=words) as raised:
        read_arrivals(written(tmp_path, text))
    assert "\n" not in str(raised.value)


@given(text=st.text(max_size=80), header=st.sampled_from(["", "timestamp\n", "minute,requests\n"]))
@settings(max_examples=60)
def test_no_text_makes_it_fail_otherwise(
    tmp_path_factory: pytest.TempPathFactory, text: str, header: str
) -> None:
    """Any file is a trace or an InputError."""
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_text(header + text, encoding="utf-8", errors="surrogatepass")
    with suppress(InputError):
        read_arrivals(file)
