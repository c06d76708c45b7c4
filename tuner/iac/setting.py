"""Where functions' memory is set, in any dialect: the values that its reader returns.

A reader gets its files from `Sources`, so that the same reader can be asked again about files after
an edit.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from tuner.errors import TemplateError
from tuner.iac.document import decoded, file_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

T = TypeVar("T")
How = Literal["replace", "insert"]
BOM: Final = b"\xef\xbb\xbf"
_PLACED: Final = re.compile(r"(.+?):(\d+): ")
ANY: Final = "\0"
"""In a pattern of names: one or more characters that only the deployment knows."""
SUFFIX: Final = "\1"
"""In a pattern of names: what CloudFormation appends to a generated name."""
DIGEST: Final = "\2"
"""In a pattern of names: what CDK puts behind a logical id."""
INNER: Final = "\3"
"""In a pattern of names: ids of what is around, or nothing."""
STAGE: Final = "stage"
"""The gap in a pattern of names that is a deployment's stage, for `unknown`."""
TAIL: Final = "\4"
"""In a pattern of names: what Pulumi puts behind a name."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The bytes to replace with a function's memory, or to insert it between."""

    path: Path
    span: tuple[int, int]
    """Byte offsets in the file; equal for an insertion."""
    shared_by: tuple[str, ...] = ()
    """Others whose memory comes from the same place; they keep theirs."""
    before: str = ""
    """What is written before the number, and after it."""
    after: str = ""

    @property
    def how(self) -> How:
        """Whether the number replaces something."""
        return "insert" if self.span[0] == self.span[1] else "replace"

    def written(self, memory_mb: int) -> bytes:
        """The span's new text."""
        return f"{self.before}{memory_mb}{self.after}".encode()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a function's memory can't be changed here."""

    path: Path | None
    line: int | None
    reason: str

    @classmethod
    def of(cls, error: TemplateError, path: Path) -> Refusal:
        """Take path and line out of a message that begins with them."""
        text = str(error)
        found = re.match(re.escape(str(path)) + r":(\d+): ", text)
        if found is None:
            return cls(path, None, text.removeprefix(f"{path}: "))
        return cls(path, int(found[1]), text[found.end() :])

    @classmethod
    def within(cls, error: TemplateError) -> Refusal:
        """Take path and line out of a message that may begin with them."""
        found = _PLACED.match(str(error))
        if found is None:
            return cls(None, None, str(error))
        return cls(Path(found[1]), int(found[2]), str(error)[found.end() :])

    def __str__(self) -> str:
        if self.path in (None, Path()):
            return self.reason
        where = str(self.path) if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class DeclaredFunction:
    """A function as an infrastructure file declares it."""

    key: str
    """Logical id, resource label or function key."""
    path: Path
    line: int
    locate: Callable[[int], Setting] = field(repr=False, compare=False)
    """Where a new size goes. Raises TemplateError, which says why, if there is no such place."""
    name: str | None = None
    """Its literal name."""
    made_names: tuple[str, ...] = ()
    """Names that the framework would deploy it under; with ANY for unknown parts."""
    nested_names: tuple[str, ...] = ()
    """Names that it may have too, which mean it only if no other function is meant."""
    memory: int | str | None = None
    """What it has: MB, or the expression if only the deployment knows; edits are checked against
    it."""
    logical_ids: tuple[str, ...] = ()
    """CloudFormation's names for it."""
    root: Path | None = None
    """Where it's deployed from, if that's another place than the file: Terraform's root module."""

    def rank(self, name: str) -> int | None:
        """How `name` matches it: 0 literally, 1 or 2 as the framework names it, 3 by its key."""
        if self.name == name:
            return 0
        if any(_match(pattern, name) is not None for pattern in self.made_names):
            return 1
        if any(_match(pattern, name) is not None for pattern in self.nested_names):
            return 2
        if any(_is_shortened(logical_id, name) for logical_id in self.logical_ids):
            return 2
        own = self.key.rpartition(".")[2]
        label, _, element = own.partition("[")
        names = (self.key, own, label, element.strip('"]'), *self.logical_ids)
        return 3 if name in names else None

    @property
    def is_unnamed(self) -> bool:
        """Whether nothing of its deployed name is known."""
        return self.name is None and not any(
            re.search("[A-Za-z]", _GAP.sub("", pattern)) for pattern in self.made_names
        )

    def told_by(self, name: str) -> dict[str, str]:
        """What its deployed name tells of the deployment, such as its stage."""
        found = (_match(pattern, name) for pattern in self.made_names)
        return next((each for each in found if each is not None), {})


_MEANINGS: Final = {
    SUFFIX: "(?=[^-]*[A-Z])[A-Za-z0-9]{4,}",  # random, so nearly always with a capital
    DIGEST: "[0-9A-F]{8}",
    INNER: "[A-Za-z0-9]*",
    TAIL: "[0-9a-f]{7}",
}
_SHORTENED: Final = 60
_SHORTEST: Final = 12
_GAP: Final = re.compile("\5([^\6]*)\6|([\0\1\2\3\4])")


def unknown(what: str) -> str:
    """In a pattern of names: what only a deployment knows, such as its stage."""
    return f"\5{what}\6"


def is_known(pattern: str) -> bool:
    """Whether a pattern is one name."""
    return _GAP.search(pattern) is None


def matches(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern."""
    return _match(pattern, name) is not None


def _is_shortened(logical_id: str, name: str) -> bool:
    """Whether a generated name has the beginning of a logical id: they end at 64 characters."""
    rest, _, suffix = name.rpartition("-")
    begun = rest.rpartition("-")[2]
    fits = len(begun) >= _SHORTEST < len(logical_id) and logical_id.startswith(begun)
    return fits and len(name) >= _SHORTENED and re.fullmatch(_MEANINGS[SUFFIX], suffix) is not None


def _match(pattern: str, name: str) -> dict[str, str] | None:
    """What the gaps of a pattern are in a name, by what they are; None if it doesn't fit."""
    if is_known(pattern):
        return {} if pattern == name else None
    gaps, literals = [*_GAP.finditer(pattern)], _GAP.split(pattern)[::3]  # between: two groups
    if not all(literal in name for literal in literals):
        return None
    # Names have 64 characters at most, so that many wildcards don't cost much either.
    wild_count = sum(gap[2] in (None, ANY) for gap in gaps)
    if wild_count >= 7 or not any(literal.strip("-_.") for literal in literals):
        return None
    groups: dict[str, str] = {}
    written = re.escape(literals[0])
    for gap, literal in zip(gaps, literals[1:], strict=True):
        what = gap[1]
        if what in groups:
            written += f"(?P={groups[what]})"
        elif what is not None:
            groups[what] = f"gap{len(groups)}"
            written += f"(?P<{groups[what]}>.+)"
        else:
            written += _MEANINGS.get(gap[2], ".+")
        written += re.escape(literal)
    found = re.fullmatch(written, name)
    return None if found is None else {what: found[group] for what, group in groups.items()}


@dataclass(frozen=True, slots=True)
class Sources:
    """Files as they are, or as they would be after an edit."""

    changed: Mapping[Path, bytes] = field(default_factory=dict)
    _read: dict[object, tuple[object, Any]] = field(default_factory=dict, compare=False, repr=False)
    """What was made of a file or folder before, and from what."""

    def data(self, path: Path) -> bytes:
        """Return a file's bytes. Raises TemplateError."""
        found = self.changed.get(path)
        return file_bytes(path) if found is None else found

    def text(self, path: Path) -> str:
        """Return its text, without a byte order mark. Raises TemplateError."""
        return decoded(path, self.data(path))

    def with_file(self, path: Path, data: bytes) -> Sources:
        """The same with one file as it would be."""
        return Sources({**self.changed, path: data}, self._read)

    def parsed(self, path: Path, parse: Callable[[bytes], T]) -> T:
        """What a file is parsed to, made again only if it changed. Raises TemplateError."""
        data = self.data(path)
        known = self._read.get(path)
        if known is None or known[0] != data:
            known = self._read[path] = (data, parse(data))
        return known[1]

    def listed(self, folder: Path, look: Callable[[], list[Path]]) -> list[Path]:
        """Files found in a folder, looked for once."""
        key = (folder, "files")
        if key not in self._read:
            self._read[key] = (None, look())
        found: list[Path] = self._read[key][1]
        return found


@dataclass(frozen=True, slots=True)
class Stage:
    """What a deployment chooses: a stage, and CloudFormation parameters."""

    name: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)
    """What a deployed name tells, such as `var.environment` of Terraform."""

    def with_told(self, told: Mapping[str, str]) -> Stage:
        """The same with what a deployed name tells; what was said counts first."""
        if self.name is not None or not told:
            return self
        return Stage(told.get(STAGE), self.parameters, told)


@contextmanager
def not_too_deep(path: Path) -> Iterator[None]:
    """Raise TemplateError for code that is nested deeper than parsers and Python's stack bear."""
    try:
        yield
    except (RecursionError, MemoryError):
        raise TemplateError(f"{path}: nested too deeply to be read") from None


def byte_span(data: bytes, text: str, start: int, end: int) -> tuple[int, int]:
    """Turn character offsets of a decoded file into byte offsets."""
    first = len(BOM) if data.startswith(BOM) else 0
    begin = first + len(text[:start].encode())
    return begin, begin + len(text[start:end].encode())


def same_but(
    before: Iterable[DeclaredFunction],
    after: Iterable[DeclaredFunction],
    index: int,
    memory_mb: int,
) -> str | None:
    """Say what else an edit of one function (by its place in the list) changed; None if nothing."""
    old, new = list(before), list(after)
    if [each.key for each in old] != [each.key for each in new]:
        return "the edit would change which functions there are"
    if new[index].memory != memory_mb:
        return f"the file would not give {old[index].key} {memory_mb} MB after the edit"
    for number, (one, other) in enumerate(zip(old, new, strict=True)):
        if number != index and one.memory != other.memory:
            return f"the edit would change the memory of {one.key} too"
    return None
