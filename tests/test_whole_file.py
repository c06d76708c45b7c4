"""A file that is written whole: what was there, its mode, a link, and what a failure leaves."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from tuner.whole_file import write_whole

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_keeps_its_mode_and_a_link_stays_one(tmp_path: Path) -> None:
    """What is written through a link is in the file that it leads to, readable by the same."""
    file, link = tmp_path / "data.json", tmp_path / "link.json"
    file.write_bytes(b"before")
    file.chmod(0o640)
    link.symlink_to(file)
    write_whole(link, b"after", new_mode=0o600)
    assert link.is_symlink()
    assert file.read_bytes() == b"after"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_new_file_has_the_mode_that_is_asked_for(tmp_path: Path) -> None:
    """It is its owner's alone where that is asked for, and else as any file that is made here."""
    write_whole(tmp_path / "own", b"", new_mode=0o600)
    write_whole(tmp_path / "usual", b"")
    (tmp_path / "plain").touch()
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert modes["own"] == 0o600
    assert modes["usual"] == modes["plain"]


def test_a_failure_leaves_nothing_beside(tmp_path: Path) -> None:
    """What cannot be put in place is removed again, and what was there stays."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", b"data")
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]
