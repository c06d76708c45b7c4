"""Writing sweep files: whose they are, what is never replaced, and what a crash leaves."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.sweeps import made_function, made_sweep, save_sweep
from tuner.errors import SweepFileError
from tuner.sweep.file import read_sweep
from tuner.sweep.store import check_writable
from tuner.sweep.writing import SweepWriter

if TYPE_CHECKING:
    from pathlib import Path


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """Also where a file with other permissions is replaced."""
    path = tmp_path / "new" / "sweep.jsonl"
    save_sweep(path, made_sweep())
    path.chmod(0o644)
    save_sweep(path, made_sweep(seed=2))
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_sweep(path).plan.seed == 2


def test_a_file_that_is_no_sweep_is_never_replaced(tmp_path: Path) -> None:
    """`--out template.yaml` is an error, and the template is still there."""
    path = tmp_path / "template.yaml"
    path.write_text("Resources: {}\n")
    with pytest.raises(SweepFileError, match="isn't a sweep file"):
        SweepWriter(path)
    assert path.read_text() == "Resources: {}\n"


def test_the_description_stays_out_of_the_file(tmp_path: Path) -> None:
    """Its owner's prose may hold anything, and no answer needs it."""
    function = made_function(description="call Ada on +44 20")
    path = tmp_path / "sweep.jsonl"
    save_sweep(path, dataclasses.replace(made_sweep(), function=function))
    assert "Ada" not in path.read_text()
    assert read_sweep(path).function.description == ""


def test_a_sweep_is_replaced_only_where_that_is_asked_for(tmp_path: Path) -> None:
    """It cost money: the refusal names what replaces it and what goes on from it."""
    path = tmp_path / "sweep.jsonl"
    save_sweep(path, made_sweep())
    before = path.read_bytes()
    with pytest.raises(SweepFileError, match=r"holds a sweep already.*`resume`.*`force=True`"):
        SweepWriter(path)
    assert path.read_bytes() == before


def test_a_sweep_that_never_began_leaves_no_file_and_spoils_none(tmp_path: Path) -> None:
    """Opening is to know that writing is possible; an earlier sweep survives it."""
    path = tmp_path / "sweep.jsonl"
    with SweepWriter(path):
        assert path.exists()
    assert not path.exists()
    save_sweep(path, made_sweep())
    with SweepWriter(path, replace=True):
        pass
    assert read_sweep(path).end == "complete"


@pytest.mark.parametrize("room", [0, 40])
def test_a_disk_too_full_for_the_header_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """Half a header could not be read: the reason is told, and nothing is left to stumble over."""
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if room and data.startswith(b'{"record"'):
            return write(descriptor, data[:room])
        raise OSError(28, "No space left on device")

    path = tmp_path / "sweep.jsonl"
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SweepFileError, match="No space left"), SweepWriter(path) as writer:
        writer.begin(made_sweep())
    assert not path.exists()


def test_where_events_are_sent_once_a_power_cut_loses_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file's name is on the disk, too, before anything is sent."""
    flushed, fsync = [], os.fsync

    def noted(descriptor: int) -> None:
        flushed.append(os.path.samestat(os.fstat(descriptor), tmp_path.stat()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    with SweepWriter(tmp_path / "sweep.jsonl", sync=True) as writer:
        writer.begin(made_sweep())
    assert flushed == [False, True]


KILLED = """
import os, signal, sys
from pathlib import Path
from tuner.sweep.file import read_sweep
from tuner.sweep.writing import SweepWriter
path = Path(sys.argv[1])
SweepWriter(path, continues=read_sweep(path)).begin(read_sweep(path))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_run_left_beside_its_file_goes_with_the_next_one(tmp_path: Path) -> None:
    """A sweep that goes on in its own file is written beside it first: a kill leaves that there,
    and what another process is still writing stays.
    """
    path = tmp_path / "sweep.jsonl"
    save_sweep(path, dataclasses.replace(made_sweep(), end="interrupted"))
    sweep = read_sweep(path)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    [left] = set(tmp_path.iterdir()) - {path}

    living = left.with_name(f".{path.name}.1.new")
    with living.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        check_writable(path, continues=sweep)
        assert set(tmp_path.iterdir()) == {path, living}
    assert read_sweep(path) == sweep


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    """The message has the path and the flag."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SweepFileError, match=r"can't be written .*`out`"):
        SweepWriter(tmp_path / "file" / "sweep.jsonl")


def test_the_account_stays_out_of_the_file(tmp_path: Path) -> None:
    """Zeros stand where the ARN had the account's number."""
    sweep = made_sweep()
    function = dataclasses.replace(
        sweep.function, arn="arn:aws:lambda:eu-west-1:123456789012:function:made"
    )
    save_sweep(tmp_path / "sweep.jsonl", dataclasses.replace(sweep, function=function))
    assert "123456789012" not in (tmp_path / "sweep.jsonl").read_text()
