"""Events from a Jinja2 template: seeded for each index, limited in size, memory and time.

They are rendered in Jinja2's sandbox (`template_worker`), in a child process that all templates
share, started for the first event.

A template sees `index`, its parameters, `fake` (Faker) and the functions number, size, text, id,
uuid, code, time and choice. It can't reach files, the clock, or unseeded randomness.
"""

from __future__ import annotations

import atexit
import hashlib
import itertools
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import PayloadError
from tuner.payloads.body import checked

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAIN: Final = (
    "import sys; sys.path[:] = {path!r}; from tuner.payloads.template_worker import main; main()"
)
_MOST_REPLY_BYTES: Final = 64 * 1024 * 1024
_MOST_RECIPES: Final = 1000
_KEPT: Final = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR")
"""Variables that an interpreter needs; none has a secret."""
MOST_S: Final = 5.0
"""One event may take this long: a thousand of 2 kB take less than two seconds."""


class _Child:
    """A running child, and which recipes it has."""

    def __init__(self) -> None:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in _KEPT or name.startswith(("PYTHON", "LC_"))
        }
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-c", _MAIN.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=kept,
        )
        self._numbers: dict[int, tuple[int, Mapping[str, Any]]] = {}
        self._count = itertools.count()

    def render(
        self, recipe: Mapping[str, Any], index: int | None, part: int
    ) -> dict[str, str] | None:
        """Return its reply; None where it ended instead."""
        number, kept = self._numbers.get(id(recipe), (-1, None))
        if kept is not recipe:
            number = next(self._count)
            self._numbers[id(recipe)] = (number, recipe)
        request = (number, None if kept is recipe else recipe, index, part)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump(request, self._process.stdin)
            self._process.stdin.flush()
        except BrokenPipeError:
            return None
        length = int.from_bytes(self._process.stdout.read(8), "big")
        if not 0 < length <= _MOST_REPLY_BYTES:
            return None
        written = self._process.stdout.read(length)
        reply: dict[str, str] | None = json.loads(written) if len(written) == length else None
        return reply

    @property
    def is_full(self) -> bool:
        """Whether it has enough templates: they take memory."""
        return len(self._numbers) >= _MOST_RECIPES

    def end(self) -> int:
        """End it, or find out how it ended by itself."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=0.2)  # its output ends a moment before it does
        self._process.kill()
        self._process.communicate()
        return self._process.returncode


_lock: Final = threading.Lock()
_children: Final[list[_Child]] = []


def _render(recipe: Mapping[str, Any], index: int | None, part: int = 0) -> str:
    """Return what the child makes of a recipe (`Rendered`'s arguments). Raises PayloadError.

    Without an index: the names that the template asks for, as JSON, once it has been checked.
    """
    with _lock:
        if _children and _children[0].is_full:
            _children.pop().end()
        if not _children:
            _children.append(_Child())
        reply: dict[str, str] | None = None
        code = 0
        try:
            reply = _children[0].render(recipe, index, part)
        finally:
            if (
                reply is None
            ):  # interrupted, or ended: its next output would belong to another event
                code = _children.pop().end()
    if reply is None:
        why = "grows over Lambda's 6 MB or out of memory: make it smaller"
        if code == -signal.SIGXCPU:
            why = f"takes over {recipe['most_s']:g} s for one event: shorten it"
        raise PayloadError(f"template {recipe['file']}: {why}")
    if "error" in reply:
        raise PayloadError(reply["error"])
    return reply["text"]


@atexit.register
def _end() -> None:
    while _children:
        _children.pop().end()


class TemplateEvents:
    """Events from one template; threads may share it, one at a time."""

    def __init__(
        self,
        source: str,
        *,
        file: str,
        key: str,
        parameters: Mapping[str, object] | None = None,
        most_s: float = MOST_S,
    ) -> None:
        """Read `source`; `file` names it in messages, `key` seeds it.

        Raises PayloadError for a template that can't be read, an unused parameter, or an undefined
        name.
        """
        self._file = file
        self.parameters = dict(parameters or {})
        self._recipe = {
            "source": source,
            "file": file,
            "key": key,
            "parameters": self.parameters,
            "most_s": most_s,
        }
        self._names = frozenset(json.loads(_render(self._recipe, None)))
        recipe = json.dumps([source, key, self.parameters], sort_keys=True, default=str)
        self.digest = hashlib.sha256(recipe.encode()).hexdigest()

    @property
    def unused_parameters(self) -> tuple[str, ...]:
        """Parameters that the template doesn't name, sorted."""
        return tuple(sorted(self.parameters.keys() - self._names))

    def part(self, index: int, part: int = 0) -> str:
        """Return the template's output at `index` (and for one `part` of a batch).

        Raises PayloadError.
        """
        return _render(self._recipe, index, part)

    def body(self, index: int) -> bytes:
        """Return the event at `index`, which must be JSON. Raises PayloadError."""
        what = f"template {self._file}: the event at index {index}"
        try:
            return checked(self.part(index).encode(), what)
        except UnicodeEncodeError:
            raise PayloadError(f"{what} is not UTF-8") from None
