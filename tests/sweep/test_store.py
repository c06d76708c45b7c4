"""Sweeps are kept by function and found again, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tuner.errors import SweepFileError
from tuner.sweep.file import sweeps_below
from tuner.sweep.store import SweepStore, check_writable

if TYPE_CHECKING:
    from pathlib import Path


def keep(store: SweepStore, name: str, sweep_id: str) -> Path:
    path = store.new_file(name, sweep_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_what_cannot_be_read_is_no_sweep_of_a_folder(tmp_path: Path) -> None:
    """A folder of such a name, a link that leads nowhere, a file of something else, and no file."""
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "link.jsonl").symlink_to("nowhere")
    (tmp_path / "other.jsonl").write_text("{}\n")
    assert [*sweeps_below(tmp_path)] == []
    (tmp_path / "folder.jsonl" / "sweep.jsonl").write_bytes(b'{"record":"sweep"}')
    assert [*sweeps_below(tmp_path)] == [tmp_path / "folder.jsonl" / "sweep.jsonl"]


def test_the_newest_sweep_of_a_function_is_found(tmp_path: Path) -> None:
    """Ids begin with the time, so their order is the order of the sweeps."""
    store = SweepStore(tmp_path)
    keep(store, "resize-images", "20260101-000000-aaaaaa")
    newest = keep(store, "resize-images", "20260301-000000-aaaaaa")
    keep(store, "resize-images", "20260201-000000-aaaaaa")
    assert store.newest("resize-images") == newest


def test_a_function_without_sweeps_says_what_there_is(tmp_path: Path) -> None:
    """The message names the functions that have sweeps, and the command that makes one."""
    store = SweepStore(tmp_path)
    with pytest.raises(SweepFileError, match="run tuner tune other"):
        store.newest("other")
    keep(store, "resize-images", "20260101-000000-aaaaaa")
    with pytest.raises(SweepFileError, match="there are sweeps of resize-images"):
        store.newest("other")
    assert store.names() == ("resize-images",)


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "", "x\x00y"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """What a function is called decides nothing about where files go."""
    path = SweepStore(tmp_path).new_file(name, "1")
    assert path.resolve().is_relative_to(tmp_path.resolve() / "sweeps")


def test_a_file_that_cannot_be_written_is_told_beforehand(tmp_path: Path) -> None:
    """A file in the way of a folder, and a folder in the way of a file."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "sweep.jsonl", tmp_path):
        with pytest.raises(SweepFileError, match="can't be written"):
            check_writable(path)


def test_asking_whether_a_file_can_be_written_leaves_none(tmp_path: Path) -> None:
    """The folder is made, the file is not."""
    path = tmp_path / "new" / "sweep.jsonl"
    check_writable(path)
    assert path.parent.is_dir()
    assert not path.exists()
