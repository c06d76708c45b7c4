"""The user's state folder: one sweep file per run, found by the function's name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import SweepFileError, UsageError
from tuner.model.interval import listed
from tuner.sweep.file import read_sweep, sweeps_below
from tuner.sweep.writing import SweepWriter

if TYPE_CHECKING:
    from tuner.model.sweep import Sweep

_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9_-]")
_SUFFIX: Final = ".jsonl"
_LISTED: Final = 20


def default_state_dir() -> Path:
    """The platform's folder for what a program keeps between runs."""
    from platformdirs import user_state_path  # noqa: PLC0415 - a notebook may name its own folder

    return user_state_path("lambda-tuner", appauthor=False)


class SweepStore:
    """Sweep files in `<state folder>/sweeps/<function>/<sweep id>.jsonl`."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "sweeps"

    def new_file(self, function_name: str, sweep_id: str) -> Path:
        """Where a new sweep goes."""
        return self._folder / _folder_name(function_name) / f"{_folder_name(sweep_id)}{_SUFFIX}"

    def newest(self, function_name: str) -> Path:
        """The newest sweep of a function. Raises SweepFileError if there is none."""
        found = self.files(function_name)
        plain = function_name.rpartition("function:")[2].partition(":")[0]
        if not found and plain != function_name:  # an ARN, a version or an alias
            raise SweepFileError(
                f"sweeps are kept by the function's name, not as {function_name}: give {plain}"
            )
        if not found:
            known = ", ".join(self.names())
            raise SweepFileError(
                f"no sweep of {function_name} is kept in {self._folder}"
                + (f" (there are sweeps of {known})" if known else "")
                + f": run tuner tune {function_name}, or give a sweep file"
            )
        return found[-1]

    def file_of(self, name: str) -> Path:
        """A function's newest sweep, or the one with that id. Raises SweepFileError for neither."""
        named = [*self._folder.glob(f"*/{_folder_name(name)}{_SUFFIX}")]
        return named[0] if named and not self.files(name) else self.newest(name)

    def newest_two(self, function_name: str) -> tuple[Path, Path]:
        """A function's last two sweeps, older first. Raises SweepFileError if there are fewer."""
        newest = self.newest(function_name)
        if len(found := self.files(function_name)) == 1:
            raise SweepFileError(
                f"only one sweep of {function_name} is kept, {newest}: name the other one, or run "
                f"tuner tune {function_name} again"
            )
        return found[-2], newest

    def names(self) -> tuple[str, ...]:
        """Functions with sweeps, sorted."""
        try:
            folders = sorted(folder.name for folder in self._folder.iterdir())
        except OSError:
            return ()
        return tuple(name for name in folders if self.files(name))

    def files(self, function_name: str) -> list[Path]:
        """A function's sweeps, oldest first: their ids begin with the time."""
        folder = self._folder / _folder_name(function_name)
        return sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.name)


def load_sweep(path_or_name: str | Path, *, state_dir: Path | None = None) -> Sweep:
    """Read a sweep file, a function's newest kept sweep, or the kept sweep with that id.

    Anything that is a file or looks like a path (with a separator or a suffix) is read as one.
    Raises SweepFileError, and UsageError for what is neither a path nor text.

    >>> tuner.load_sweep("examples/sweeps/mixed.jsonl").plan.method
    'adaptive'
    """
    if not isinstance(path_or_name, str | os.PathLike):
        raise UsageError(f"{path_or_name!r} isn't a sweep: pass a file's path or a function's name")
    path = Path(path_or_name)
    if path.is_dir() and (isinstance(path_or_name, Path) or len(path.parts) > 1):
        raise _not_a_folder(path)
    if isinstance(path_or_name, Path) or path.is_file() or len(path.parts) > 1 or path.suffix:
        return read_sweep(path)
    store = SweepStore(state_dir or default_state_dir())
    if path.is_dir() and str(path_or_name) not in store.names():
        raise _not_a_folder(path)
    return read_sweep(store.file_of(str(path_or_name)))


def _not_a_folder(folder: Path) -> SweepFileError:
    """A folder isn't a sweep: say which ones are in it."""
    found = [*map(str, sweeps_below(folder))]
    if not found:
        return SweepFileError(f"{folder} is a folder without sweeps: give a sweep file")
    names = listed(found, _LISTED)
    return SweepFileError(f"{folder} is a folder: give one of its sweeps, {names}")


def check_writable(path: Path, *, replace: bool = False, continues: Sweep | None = None) -> None:
    """Raise SweepFileError unless a sweep can be written there; `replace`: over an earlier one,
    `continues`: as the rest of the one there.

    Asked before anything changes, so that no sweep runs without being kept. Makes the folder.
    """
    SweepWriter(path, replace=replace, continues=continues).close()


def _folder_name(name: str) -> str:
    return _UNUSUAL.sub("_", name) or "_"
