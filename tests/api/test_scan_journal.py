"""The journal of a scan: what it gives back, and what it makes of a file that a power cut left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tuner.api.scan_journal import ScanJournal
from tuner.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 30, 0, 20, tzinfo=UTC)


def opened(folder: Path, *, asked: object = "a", hours: float = 0) -> ScanJournal:
    return ScanJournal.open(folder, asked, now=NOW + timedelta(hours=hours), days=14)


def test_an_answer_is_asked_for_once(tmp_path: Path) -> None:
    """Also by the next run; another question has a journal of its own."""
    with opened(tmp_path) as journal:
        assert journal.once("list", lambda: [1, None]) == [1, None]
        assert journal.window.end == NOW.replace(minute=0)
    with opened(tmp_path, hours=5) as journal:
        assert journal.once("list", lambda: pytest.fail("asked again")) == [1, None]
        assert (journal.window.end, journal.resumed_count) == (NOW.replace(minute=0), 1)
    with opened(tmp_path, asked="b") as journal:
        assert journal.get("list") is None


def test_a_line_that_was_cut_off_is_asked_for_again(tmp_path: Path) -> None:
    """And what is written behind it is read all the same."""
    with opened(tmp_path) as journal:
        journal.keep("one", 1)
        journal.keep("two", 2)
    text = journal.file.read_text()
    journal.file.write_text(text[:-5])
    with opened(tmp_path) as journal:
        assert (journal.get("one"), journal.get("two")) == (1, None)
        journal.keep("three", 3)
    with opened(tmp_path) as journal:
        assert journal.get("three") == 3


def test_a_day_later_the_scan_begins_anew(tmp_path: Path) -> None:
    """The account has changed since; and a finished one leaves nothing."""
    with opened(tmp_path) as journal:
        journal.keep("one", 1)
    with opened(tmp_path, hours=25) as journal:
        assert journal.get("one") is None
        journal.done()
    assert list((tmp_path / "scans").iterdir()) == []


def test_a_clock_that_was_put_back_begins_anew(tmp_path: Path) -> None:
    """A scan that began in what is now the future says nothing about today's account."""
    with opened(tmp_path, hours=24 * 365) as journal:
        journal.keep("one", 1)
    with opened(tmp_path) as journal:
        assert (journal.get("one"), journal.window.end) == (None, NOW.replace(minute=0))


def test_a_damaged_journal_is_read_as_far_as_it_is_one(tmp_path: Path) -> None:
    """Bytes that no line has don't keep a scan from beginning, or going on."""
    with opened(tmp_path) as journal:
        journal.keep("one", 1)
    with journal.file.open("ab") as file:
        file.write(b"\xff\xfe\0garbage\n[1]\n")
    with opened(tmp_path) as journal:
        assert journal.get("one") == 1


def test_a_folder_that_takes_no_file_is_one_clear_line(tmp_path: Path) -> None:
    """It names the file and the reason."""
    (tmp_path / "scans").write_text("in the way")
    with pytest.raises(InputError, match="can't be written"):
        opened(tmp_path)
