"""`tuner report --format png|svg`: figures go to files and pipes, never to a terminal."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import ROOT, one_line, run_here, variables_for
from tests.cli.test_screen import Terminal
from tests.sweeps import made_sweep, mixed_ms, save_sweep
from tuner.cli import picture
from tuner.errors import InputError
from tuner.model.goal import Goal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "made.jsonl"
    save_sweep(path, made_sweep())
    return path


@pytest.mark.parametrize(
    ("format_name", "start"),
    [("png", b"\x89PNG"), ("svg", b"<?xml"), ("html", b"<!doctype html>")],
)
def test_a_figure_is_written_where_out_says(saved: Path, format_name: str, start: bytes) -> None:
    """The file holds the picture; stdout and stderr stay empty."""
    out = saved.with_suffix(f".{format_name}")
    ran = run_here("report", str(saved), "--format", format_name, "--out", str(out))
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert out.read_bytes().startswith(start)


def test_a_page_names_its_sweep_without_this_machine_s_folders(saved: Path) -> None:
    """A file by its name, one of the folder by its way from there, a kept one by its id."""
    page, command = saved.with_suffix(".html"), ["report", str(saved), "--format", "html"]
    kept = saved.parent / "state" / "sweeps" / "made" / "20260101-1.jsonl"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(saved.read_bytes())
    state = {"TUNER_STATE_DIR": str(saved.parent / "state")}
    for sweep, cwd, said in (
        (saved, ROOT, "made.jsonl"),
        (saved, saved.parent.parent, f"{saved.parent.name}/made.jsonl"),
        (kept, ROOT, "20260101-1"),
    ):
        command[1] = str(sweep)
        ran = run_here(*command, "--out", str(page), cwd=cwd, **state)
        assert (ran.returncode, ran.stderr) == (0, "")
        written = page.read_text(encoding="utf-8")
        assert f"tuner report {said} --format html" in written
        assert str(saved.parent.parent) not in written


@pytest.mark.slow
def test_a_figure_goes_through_a_pipe_as_it_goes_to_a_file(saved: Path) -> None:
    """Without --out the same bytes are all that stdout gets, and nothing warns."""
    out = saved.with_suffix(".png")
    command = [sys.executable, "-m", "tuner", "report", str(saved), "--format", "png"]
    ran = subprocess.run(
        command, cwd=ROOT, env=variables_for(), capture_output=True, timeout=60, check=False
    )
    run_here("report", str(saved), "--format", "png", "--out", str(out))
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout == out.read_bytes()


def test_a_terminal_is_not_sent_a_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal says which option gives the picture a file."""
    with Terminal() as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        with pytest.raises(InputError, match=r"give --out FILE\.svg"):
            picture.check("svg", None, sweep_count=1)
        assert terminal.written() == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "a.svg"], "--out is for --format png, svg, html"),
        (["--format", "json", "--out", "a.svg"], "send json to a file"),
        (["--format", "svg", "--out", "a.png"], "does not end in .svg"),
        (["--format", "png", "--out", "missing/a.png"], "can't write missing/a.png"),
    ],
)
def test_what_cannot_be_written_is_one_line(saved: Path, arguments: list[str], words: str) -> None:
    """A wrong ending, a missing folder, or a format that is text: nothing is written."""
    ran = run_here("report", str(saved), *arguments)
    assert ran.returncode == (1 if "missing" in words else 2)
    assert words in (ran.stderr if "json" in arguments else one_line(ran))


def test_a_figure_shows_one_sweep(saved: Path) -> None:
    """Two sweeps are refused, not silently cut to one."""
    ran = run_here("report", str(saved), str(saved), "--format", "svg")
    assert ran.returncode == 2
    assert "one sweep, and 2 were given" in one_line(ran)


def test_a_figure_never_replaces_the_sweep(saved: Path) -> None:
    """--out with the sweep's own name is refused, and a setting for `tune --out` is not heeded."""
    before = saved.read_bytes()
    ran = run_here("report", str(saved), "--format", "svg", "--out", str(saved))
    assert "does not end in .svg" in one_line(ran)
    ran = run_here("report", str(saved), "--format", "svg", TUNER_OUT=str(saved))
    assert ran.stdout.startswith("<?xml")
    assert saved.read_bytes() == before


def test_a_disk_that_is_full_leaves_the_earlier_page_whole(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is there in full or not at all, and nothing is left beside it."""
    out = saved.with_suffix(".html")
    out.write_text("an earlier page")
    before = sorted(saved.parent.iterdir())

    def full(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(out), "replace", full)
    ran = run_here("report", str(saved), "--format", "html", "--out", str(out))
    assert ran.returncode == 1
    assert "No space left on device" in one_line(ran)
    assert out.read_text() == "an earlier page"
    assert sorted(saved.parent.iterdir()) == before
    monkeypatch.undo()
    out.unlink()
    run_here("report", str(saved), "--format", "html", "--out", str(out))
    (out.parent / "plain").touch()
    assert out.stat().st_mode == (out.parent / "plain").stat().st_mode


def test_a_sweep_of_any_name_is_never_replaced(saved: Path) -> None:
    """What a file holds counts, not what it is called."""
    named = saved.rename(saved.with_suffix(".html"))
    before = named.read_bytes()
    ran = run_here("report", str(named), "--format", "html", "--out", str(named))
    assert ran.returncode == 1
    assert "is a sweep file and won't be overwritten" in one_line(ran)
    assert named.read_bytes() == before


def test_the_page_answers_for_the_goal_that_the_sweep_was_made_for(tmp_path: Path) -> None:
    """As --goal would on a sweep that was made for another."""
    path = tmp_path / "made.jsonl"

    def verdict(kept: str, *asked: str) -> list[str]:
        save_sweep(path, replace(made_sweep(mixed_ms), goal=Goal(kept)))
        page = run_here("report", str(path), "--format", "html", *asked).stdout
        return re.findall(r"(?:RESIZE|KEEP)[^<]*", page)

    speed = verdict("speed")
    assert speed
    assert speed == verdict("cost", "--goal", "speed")
    assert speed != verdict("cost")


def test_a_missing_extra_is_one_line(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without matplotlib the line names the install command."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ran = run_here("report", str(saved), "--format", "svg")
    assert ran.returncode == 1
    assert re.search(r"pip install .*\[plot\]", one_line(ran))
