"""Events from a Jinja2 template, in its sandbox: seeded for each index, limited in size and time.

A template sees `index`, its parameters, `fake` (Faker) and the functions number, size, text, id,
uuid, code, time and choice. It cannot reach files, the clock, or randomness that is not seeded.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import PayloadError
from tuner.model.limits import MAX_SYNC_PAYLOAD_BYTES
from tuner.payloads.body import checked
from tuner.payloads.draw import Draw
from tuner.payloads.extra import load_extra
from tuner.payloads.fake import Fake
from tuner.payloads.sandbox import new_environment
from tuner.payloads.size import SizeDistribution, parse_distribution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

MOST_S: Final = 5.0
"""One event may take this long: a thousand of 2 kB take less than two seconds."""
_FUNCTIONS: Final = frozenset(
    {"index", "fake", "number", "size", "text", "id", "uuid", "code", "time", "choice"}
)


class TemplateEvents:
    """Events from one template; safe to use from several threads, one after the other."""

    def __init__(
        self,
        source: str,
        *,
        place: str,
        key: str,
        parameters: Mapping[str, object] | None = None,
        most_s: float = MOST_S,
    ) -> None:
        """Compile `source`; `place` is its file for messages, `key` seeds it.

        Raises PayloadError for a template that cannot be read, and for a parameter that it does
        not use or a name that it is not given.
        """
        self._jinja = load_extra("jinja2", "templates")
        self._place, self._key, self._most_s = place, key, most_s
        self.parameters = dict(parameters or {})
        self._environment = new_environment()
        self._names = self._checked_names(source)
        code = self._environment.compile(source, filename=place)
        self._template = self._jinja.Template.from_code(
            self._environment, code, self._environment.make_globals({})
        )
        self._fake = Fake() if "fake" in self._names else None
        recipe = json.dumps([source, key, self.parameters], sort_keys=True, default=str)
        self.digest = hashlib.sha256(recipe.encode()).hexdigest()

    @property
    def unused_parameters(self) -> tuple[str, ...]:
        """Parameters that the template does not name, sorted."""
        return tuple(sorted(self.parameters.keys() - self._names))

    def part(self, index: int, part: int = 0) -> str:
        """Return what the template gives at `index` (and for one `part` of a batch)."""
        draw = Draw(self._key, index, part)
        names = {**_functions(draw, index), **self.parameters}
        if self._fake is not None:
            names["fake"] = self._fake.seeded(draw)
        chunks: list[str] = []
        left = MAX_SYNC_PAYLOAD_BYTES
        try:
            with _deadline(self._place, self._most_s):
                for chunk in self._template.generate(names):
                    left -= len(chunk)
                    if left < 0:
                        raise PayloadError(
                            f"template {self._place}: an event is over 6 MB "
                            f"({MAX_SYNC_PAYLOAD_BYTES:,} bytes), Lambda's limit: make it smaller"
                        )
                    chunks.append(chunk)
        except PayloadError:
            raise
        except Exception as error:
            raise self._explained(error) from None
        return "".join(chunks)

    def body(self, index: int) -> bytes:
        """Return the event at `index`, which must be JSON. Raises PayloadError."""
        what = f"template {self._place}: the event at index {index}"
        try:
            return checked(self.part(index).encode(), what)
        except UnicodeEncodeError:
            raise PayloadError(f"{what} is not UTF-8") from None

    def _checked_names(self, source: str) -> frozenset[str]:
        try:
            tree = self._environment.parse(source, filename=self._place)
        except self._jinja.TemplateSyntaxError as error:
            raise PayloadError(
                f"template {self._place}, line {error.lineno}: {_one_line(error.message)}"
            ) from None
        names = load_extra("jinja2.meta", "templates").find_undeclared_variables(tree)
        for line, text in enumerate(source.splitlines(), start=1):
            for name in sorted(names - _FUNCTIONS - self.parameters.keys()):
                if (
                    re.search(rf"\b{re.escape(name)}\b", text)
                    and "default" not in text
                    and "is defined" not in text
                ):
                    raise PayloadError(
                        f"template {self._place}, line {line}: {name!r} is undefined: give it as "
                        "a parameter, or correct it"
                    )
        return frozenset(names)

    def _explained(self, error: Exception) -> PayloadError:
        """One line that names the template's line; a value is never repeated."""
        line, trace = None, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._place:
                line = trace.tb_lineno
            trace = trace.tb_next
        where = f"template {self._place}" + (f", line {line}" if line else "")
        if isinstance(error, _TooLongError):
            return PayloadError(f"{where}: takes over {self._most_s:g} s for one event: shorten it")
        if isinstance(error, self._jinja.UndefinedError | self._jinja.exceptions.SecurityError):
            return PayloadError(f"{where}: {_one_line(str(error))}")
        if isinstance(error, OverflowError | MemoryError | RecursionError):
            return PayloadError(
                f"{where}: grows beyond all use, or over Lambda's 6 MB: make it smaller"
            )
        return PayloadError(f"{where}: cannot be made ({type(error).__name__}): correct the line")


class _TooLongError(Exception):
    """An event takes too long."""


@contextmanager
def _deadline(filename: str, most_s: float) -> Iterator[None]:
    """End code of a template after some CPU time: its loops need not print or call anything."""
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
        drawn = draw.whole(round(low * scale), round(high * scale))
        return drawn if scale == 1 else drawn / scale

    def size(distribution: str) -> int:
        parsed: SizeDistribution = parse_distribution(distribution)
        return parsed.at(draw.share())

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

    def identify(prefix: str = "") -> str:
        return f"{prefix}{draw.code(12)}"

    functions: dict[str, int | Callable[..., Any]] = {
        "index": index, "number": number, "size": size, "text": text, "id": identify,
        "uuid": draw.uuid, "code": code, "time": moment, "choice": choice,
    }  # fmt: skip
    return functions


def _one_line(text: str | None) -> str:
    return " ".join((text or "cannot be read").split())
