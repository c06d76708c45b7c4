"""What runs in the child: templates are compiled and rendered, within limits that hold for all.

A template may loop in C code, where no tracer looks, and build lists of any size: so the process
has a memory limit, and each event a CPU limit. The caller only reads text.
"""

from __future__ import annotations

import json
import math
import pickle
import re
import resource
import signal
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.meta import find_undeclared_variables

from tuner.errors import PayloadError
from tuner.model.lambda_limits import MAX_SYNC_PAYLOAD_BYTES
from tuner.payloads.sampling import Draw, SizeDistribution, parse_distribution
from tuner.payloads.template_sandbox import Fake, new_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

_FUNCTIONS: Final = frozenset(
    {"index", "fake", "number", "size", "text", "id", "uuid", "code", "time", "choice"}
)
_MOST_MEMORY_BYTES: Final = 512 * 1024 * 1024


def main() -> None:
    """Answer requests on stdin until it ends: a recipe with its number, or an event from one."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the caller, whose end ends this process
    with suppress(ValueError, OSError):  # the system has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
    recipes: dict[int, Any] = {}
    while True:
        try:
            number, recipe, index, part = pickle.load(sys.stdin.buffer)  # noqa: S301 - the caller's
        except EOFError:
            return
        reply: dict[str, str] = {}
        try:
            most_s = (recipe or recipes[number])["most_s"]
            _limit_cpu(most_s)
            if recipe is not None:
                recipes[number] = {"most_s": most_s, "rendered": Rendered(**recipe)}
            rendered: Rendered = recipes[number]["rendered"]
            reply["text"] = (
                json.dumps(sorted(rendered.names)) if index is None else rendered.part(index, part)
            )
        except PayloadError as error:
            reply["error"] = str(error)
        written = json.dumps(reply).encode()
        sys.stdout.buffer.write(len(written).to_bytes(8, "big") + written)
        sys.stdout.buffer.flush()


def _limit_cpu(most_s: float) -> None:
    """Have the system end this process if the deadline inside can't end an event."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used_s = usage.ru_utime + usage.ru_stime
    hard_s = resource.getrlimit(resource.RLIMIT_CPU)[1]
    with suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used_s + most_s) + 1, hard_s))


class Rendered:
    """One template, compiled."""

    def __init__(
        self, source: str, *, file: str, key: str, parameters: Mapping[str, Any], most_s: float
    ) -> None:
        """Compile it. Raises PayloadError, with the line."""
        self._file, self._key, self._most_s = file, key, most_s
        self._parameters = parameters
        self._environment = new_environment()
        try:
            self.names = self._checked_names(source)
            code = self._environment.compile(source, filename=file)
        except jinja2.TemplateSyntaxError as error:
            raise PayloadError(
                f"template {file}, line {error.lineno}: {_one_line(error.message)}"
            ) from None
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
            raise PayloadError(
                f"template {file}: is nested too deeply, or a number in it is out of range: "
                "make it simpler"
            ) from None
        self._template = jinja2.Template.from_code(
            self._environment, code, self._environment.make_globals({})
        )
        self._fake = Fake() if "fake" in self.names else None

    def part(self, index: int, part: int = 0) -> str:
        """Return the template's output at `index` (and for one `part` of a batch)."""
        draw = Draw(self._key, index, part)
        names = {**_functions(draw, index), **self._parameters}
        if self._fake is not None:
            names["fake"] = self._fake.seeded(draw)
        chunks: list[str] = []
        left = MAX_SYNC_PAYLOAD_BYTES
        try:
            with _deadline(self._file, self._most_s):
                for chunk in self._template.generate(names):
                    left -= len(chunk)
                    if left < 0:
                        raise PayloadError(
                            f"template {self._file}: an event is over 6 MB "
                            f"({MAX_SYNC_PAYLOAD_BYTES:,} bytes), Lambda's limit: make it smaller"
                        )
                    chunks.append(chunk)
        except PayloadError:
            raise
        except Exception as error:
            raise self._explained(error) from None
        return "".join(chunks)

    def _checked_names(self, source: str) -> frozenset[str]:
        tree = self._environment.parse(source, filename=self._file)
        names = find_undeclared_variables(tree)
        for line, text in enumerate(source.splitlines(), start=1):
            for name in sorted(names - _FUNCTIONS - self._parameters.keys()):
                if (
                    re.search(rf"\b{re.escape(name)}\b", text)
                    and "default" not in text
                    and "is defined" not in text
                ):
                    raise PayloadError(
                        f"template {self._file}, line {line}: {name!r} is undefined: give it as "
                        "a parameter, or correct it"
                    )
        return frozenset(names)

    def _explained(self, error: Exception) -> PayloadError:
        """One line that names the template's line; a value is never repeated."""
        line, trace = None, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._file:
                line = trace.tb_lineno
            trace = trace.tb_next
        where = f"template {self._file}" + (f", line {line}" if line else "")
        if isinstance(error, _TooLongError):
            return PayloadError(f"{where}: takes over {self._most_s:g} s for one event: shorten it")
        if isinstance(error, jinja2.UndefinedError | SecurityError):
            return PayloadError(f"{where}: {_one_line(str(error))}")
        if isinstance(error, OverflowError | MemoryError | RecursionError):
            return PayloadError(
                f"{where}: grows over Lambda's 6 MB or out of memory: make it smaller"
            )
        return PayloadError(f"{where}: can't be made ({type(error).__name__}): correct the line")


class _TooLongError(Exception):
    """An event takes too long."""


@contextmanager
def _deadline(filename: str, most_s: float) -> Iterator[None]:
    """End a template's code after some CPU time, even if its loops don't print or call anything."""
    end_s = time.thread_time() + most_s

    def line(_frame: FrameType, _event: str, _argument: object) -> Any:
        if time.thread_time() > end_s:
            raise _TooLongError
        return line

    def enter(frame: FrameType, _event: str, _argument: object) -> Any:
        return line if frame.f_code.co_filename == filename else None

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        yield
    finally:
        sys.settrace(before)


def _functions(draw: Draw, index: int) -> dict[str, Any]:
    """What a template may call. Every name draws from the index's own seed."""

    def number(low: float = 0, high: float = 100, decimals: int = 0) -> float:
        scale = 10 ** max(0, min(decimals, 9))
        drawn = draw.integer(round(low * scale), round(high * scale))
        return drawn if scale == 1 else drawn / scale

    def size(distribution: str) -> int:
        parsed: SizeDistribution = parse_distribution(distribution)
        return parsed.at(draw.uniform())

    def text(length: int) -> str:
        if length > MAX_SYNC_PAYLOAD_BYTES:
            raise OverflowError
        return draw.text(max(0, length))

    def moment(within_s: int = 1) -> str:
        return draw.time(index, within_s).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def choice(*options: Any) -> Any:
        given = options[0] if len(options) == 1 and not isinstance(options[0], str) else options
        return draw.choice(list(given))

    def code(length: int = 12) -> str:
        return draw.code(min(length, 4096))

    functions: dict[str, int | Callable[..., Any]] = {
        "index": index, "number": number, "size": size, "text": text, "uuid": draw.uuid,
        "id": lambda prefix="": f"{prefix}{draw.code(12)}",
        "code": code, "time": moment, "choice": choice,
    }  # fmt: skip
    return functions


def _one_line(text: str | None) -> str:
    return " ".join((text or "can't be read").split())
