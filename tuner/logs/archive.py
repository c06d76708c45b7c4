"""Reads archives: files and folders of logs, in whatever form."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tuner.logs.files import parts_of
from tuner.logs.lines import LineReader
from tuner.logs.records import WRAPS, header_of, read_table
from tuner.logs.unpacked import TornFileError, UnusableFileError
from tuner.model.observation import REGION, Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tuner.logs.collector import Collector
    from tuner.logs.files import LogFile, Part

_MOST_LINE: Final = 32 << 20
"""Characters of a line or a JSON value that are kept; anything longer isn't a log line."""
_LISTED: Final = re.compile(r'\s*\{\s*"(?:events|results|logEvents|Records|records)"\s*:\s*\[')
_SPACE: Final = re.compile(r"[\s\x1e\0]*")
_COMMA: Final = re.compile(r"[\s,]*")
_JSON: Final = re.compile(r'\s*(?:\{|\[\s*(?:["{\[\]0-9]|$))')
_STREAM_FOLDER: Final = re.compile(
    r"(?:^|/)(\d{4})-(\d\d)-(\d\d)-((?:[A-Za-z0-9_-]{1,64})?\[[^\]/]{1,140}\]\w+)/"
)
"""A stream's folder in an export of CloudWatch Logs, with dashes instead of slashes."""
_GROUP_FOLDER: Final = re.compile(r"(?:^|/)aws/lambda/([A-Za-z0-9_-]{1,140})/")
"""Lambda's own log group, where an export was told to begin its names with it."""
_REGION: Final = re.compile(REGION)
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_NEXT_ELEMENT: Final = re.compile(r"\}\s*,\s*(?=\{)")
_NEAR: Final = 2000
_BESIDE: Final = 2
"""Folders between an account's and its region's: none or one, such as a service's."""
_RECORD: Final = re.compile(r'\{"time": ?"[^"\\]{20,30}", ?"type": ?"platform\.\w+", ?"record"')
"""A record of the platform's as a line."""
_decode: Final = json.JSONDecoder().raw_decode


@dataclass(slots=True)
class ReadFiles:
    """The result of reading an archive's files; lists of (file, why)."""

    read: list[str] = field(default_factory=list)
    torn: list[tuple[str, str]] = field(default_factory=list)
    unusable: list[tuple[str, str]] = field(default_factory=list)
    too_long_count: int = 0
    """Lines that were too long to keep."""


def read_files(
    files: Sequence[LogFile],
    collector: Collector,
    progress: Callable[[int, int], None] | None = None,
    make_reader: Callable[[Collector, Origin], LineReader] = LineReader,
) -> ReadFiles:
    """Read files into a collector, and flush it. `progress` gets (files read, files in all)."""
    came = ReadFiles()
    for count, file in enumerate(files):
        if progress is not None:
            progress(count, len(files))
        try:
            for part in parts_of(file):
                _read_part(part, collector, came, make_reader)
        except UnusableFileError as error:
            came.unusable.append((str(file.path), str(error)))
    collector.flush()
    return came


def _read_part(
    part: Part,
    collector: Collector,
    came: ReadFiles,
    make_reader: Callable[[Collector, Origin], LineReader],
) -> None:
    reader = make_reader(collector, _origin_of(part))
    try:
        came.too_long_count += _read(reader, _Pieces(part.text))
        came.read.append(part.name)
    except TornFileError as error:
        came.read.append(part.name)
        came.torn.append((part.name, str(error)))
    except UnusableFileError as error:
        came.unusable.append((part.name, str(error)))
    reader.end()
    collector.line_count += reader.messages.number


def _origin_of(part: Part) -> Origin:
    account, region = _place_of(part.within)
    folder = _STREAM_FOLDER.search(part.within)
    if folder is None:
        return Origin(part.name, account=account, region=region)
    # Beside a stream's folder the group's is one too where only a folder within it was given.
    group = _GROUP_FOLDER.search(part.within) or _GROUP_FOLDER.search(
        Path(part.name).absolute().as_posix()
    )
    year, month, day, rest = folder.groups()
    function, _, version = rest.partition("[")
    return Origin(
        part.name,
        account=account,
        region=region,
        function=function or (group[1] if group else None),
        version=version.partition("]")[0],
        log_stream=f"{year}/{month}/{day}/{rest}",
    )


def _place_of(within: str) -> tuple[str | None, str | None]:
    """The account and region that folders are named after, where many of them log to one bucket.

    Twelve digits are an account only beside a region or below `AWSLogs`: they may be a time.
    """
    folders = within.split("/")[:-1]
    at = [number for number, each in enumerate(folders) if _REGION.fullmatch(each)]
    accounts = {
        each
        for number, each in enumerate(folders)
        if _ACCOUNT.fullmatch(each)
        and (
            any(abs(number - other) <= _BESIDE for other in at)
            or "AWSLogs" in folders[max(number - _BESIDE, 0) : number]
        )
    }
    regions = {folders[number] for number in at}
    return (
        accounts.pop() if len(accounts) == 1 else None,
        regions.pop() if len(regions) == 1 else None,
    )


def _read(reader: LineReader, source: _Pieces) -> int:
    """Read the text of a file; return how many lines were too long."""
    while source.more() and not source.text.strip():
        source.at = len(source.text)
    if _JSON.match(source.text):
        _read_values(reader, source)
    elif (header := header_of(source.text)) is not None:
        read_table(reader.messages, header, _lines(source))
    else:
        _read_lines(reader, source)
    if source.torn is not None:
        raise source.torn
    return source.too_long_count


class _Pieces:
    """Text that comes in pieces; everything before `at` has been read."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self.text = ""
        self.at = 0
        self.torn: TornFileError | None = None
        self.too_long_count = 0

    def is_damaged(self) -> None:
        """Note that JSON which wraps messages is damaged."""
        self.torn = self.torn or TornFileError("JSON that is cut off or damaged")

    def piece(self) -> str | None:
        """The next piece; None at the end, and if the file is torn."""
        try:
            return next(self._pieces, None)
        except TornFileError as error:
            self.torn = error
            return None

    def more(self) -> bool:
        """Make the remaining text at least twice as long; False at the end."""
        parts = [self.text[self.at :]]
        wanted = 2 * len(parts[0]) or 1
        self.at, length = 0, len(parts[0])
        while length < wanted and (piece := self.piece()) is not None:
            parts.append(piece)
            length += len(piece)
        self.text = "".join(parts)
        return len(parts) > 1


def _read_lines(reader: LineReader, source: _Pieces) -> None:
    """Pass on whole lines, many at once."""
    piece: str | None = source.text
    parts: list[str] = []
    length = 0
    while piece is not None:
        lines = piece.split("\n")
        if len(lines) == 1:
            length += len(piece)
            parts.append(piece if length <= _MOST_LINE else "")
        else:
            source.too_long_count += length > _MOST_LINE
            lines[0] = "".join((*parts, lines[0])) if length <= _MOST_LINE else ""
            parts = [lines.pop()]
            length = len(parts[0])
            reader.read(lines)
        piece = source.piece()
    if length > _MOST_LINE:
        source.too_long_count += 1
    elif length:
        reader.read(["".join(parts)])


def _lines(source: _Pieces) -> Iterator[str]:
    """Every line of the text, whatever its length up to a limit."""
    rest: str = ""
    piece: str | None = source.text
    while piece is not None:
        *lines, rest = (rest + piece).split("\n")
        yield from lines
        if len(rest) > _MOST_LINE:
            rest = ""
            source.too_long_count += 1
        piece = source.piece()
    if rest:
        yield rest


def _read_values(reader: LineReader, source: _Pieces) -> None:
    """Read JSON values one after another, with or without lines between; the rest as lines."""
    while True:
        found = _SPACE.match(source.text, source.at)
        source.at = found.end() if found else source.at
        if source.at >= len(source.text):
            if not source.more():
                return
        elif (
            source.text[source.at] not in "{["
            or _RECORD.match(source.text, source.at)
            or not _read_value(reader, source)
        ):
            _read_line(reader, source)


def _read_line(reader: LineReader, source: _Pieces) -> None:
    end = source.text.find("\n", source.at)
    while end < 0 and len(source.text) - source.at <= _MOST_LINE and source.more():
        end = source.text.find("\n", source.at)
    end = len(source.text) if end < 0 else end
    reader.read([source.text[source.at : end]])
    source.at = end + 1


def _read_value(reader: LineReader, source: _Pieces) -> bool:
    """Read the JSON value that begins here; False if there is none."""
    listed = _LISTED.match(source.text, source.at)
    if listed is not None:
        source.at = listed.end()
        _read_elements(reader, source)
        # What is left of the object: it ends as one that has an empty list.
        source.text = '{"_": [' + source.text[source.at :]
        source.at = 0
        if _next_value(source) is _NONE:
            source.is_damaged()
            return False
        return True
    at, before = source.at, source.text
    value = _next_value(source)
    if value is _NONE:
        if WRAPS.search(source.text, source.at, source.at + _NEAR):
            source.is_damaged()
        return False
    if not reader.value(value):
        reader.unknown(_written(source, at, before))
    return True


def _written(source: _Pieces, at: int, before: str) -> str:
    """The value that was just read, which began there; what came before it may be gone."""
    return source.text[at if source.text is before else 0 : source.at]


def _read_elements(reader: LineReader, source: _Pieces) -> None:
    """Read a list's elements one by one: the list can be longer than memory."""
    while True:
        found = _COMMA.match(source.text, source.at)
        source.at = found.end() if found else source.at
        at, before = source.at, source.text
        if source.at >= len(source.text):
            if not source.more():
                return
        elif source.text[source.at] == "]":
            return
        elif (value := _next_value(source)) is not _NONE:
            if not reader.value([value]):
                reader.unknown(_written(source, at, before))
        else:
            source.is_damaged()
            following = _NEXT_ELEMENT.search(source.text, source.at)
            if following is None:
                return
            source.at = following.end()


_NONE: Final = object()


def _next_value(source: _Pieces) -> Any:
    """The JSON value that begins here, however many pieces it has; _NONE for none."""
    while True:
        try:
            value, source.at = _decode(source.text, source.at)
        except json.JSONDecodeError as error:
            is_cut = error.msg.startswith("Unterminated") or error.pos >= len(source.text) - 16
            if not is_cut or len(source.text) - source.at > _MOST_LINE or not source.more():
                return _NONE
        except (RecursionError, ValueError):  # nested too deeply, or a number of too many digits
            return _NONE
        else:
            return value
