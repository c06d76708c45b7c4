"""A user's TOML file, read table by table: values by type, and nothing that nobody asked for."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

from tuner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


def read_toml(file: Path, read: Callable[[TomlTable], T]) -> T:
    """What `read` makes of the file's table. Raises InputError with the place of what is wrong."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror}") from None
    except RecursionError:
        raise InputError(f"{file} isn't TOML: it's nested too deeply") from None
    except ValueError as error:  # of its syntax, its encoding, or a number of thousands of digits
        raise InputError(f"{file} isn't TOML: {error}") from None
    try:
        return read(TomlTable(document, ""))
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


class TomlTable:
    """A table of the file: takes values by type, and refuses what nobody asked for."""

    def __init__(self, values: object, place: str) -> None:
        if not isinstance(values, dict):
            raise InputError(f"{place or 'it'} isn't a table")
        self._values: dict[str, Any] = dict(values)
        self._place = place

    @property
    def names(self) -> tuple[str, ...]:
        """Of its entries."""
        return tuple(self._values)

    def table(self, name: str) -> TomlTable:
        """A table in it; empty where there is none."""
        return TomlTable(self._values.pop(name, {}), self._named(name))

    def tables(self, name: str) -> tuple[TomlTable, ...]:
        """A list of tables."""
        found = self._values.pop(name, [])
        if not isinstance(found, list):
            raise InputError(f"{self._named(name)} isn't a list of tables: write [[{name}]]")
        return tuple(TomlTable(each, self._named(name)) for each in found)

    def text(self, name: str) -> str | None:
        """A text; None where there is none."""
        found = self._values.pop(name, None)
        if found is not None and not (isinstance(found, str) and found):
            raise InputError(f"{self._named(name)} isn't text")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, or one."""
        found = self._values.pop(name, [])
        listed = [found] if isinstance(found, str) else found
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise InputError(f"{self._named(name)} isn't a list of texts")
        return tuple(listed)

    def number(self, name: str, *, least: float = 0.0, most: float = 1e9) -> float | None:
        """A number; None where there is none."""
        found = self._values.pop(name, None)
        return None if found is None else self._number(found, name, least, most)

    def numbers(self, name: str, *, most: float) -> tuple[float, ...]:
        """A list of numbers from 0, or one."""
        found = self._values.pop(name, [])
        listed = found if isinstance(found, list) else [found]
        return tuple(self._number(each, name, 0.0, most) for each in listed)

    def count(self, name: str, *, most: float) -> int | None:
        """A whole number from 1; None where there is none."""
        found = self.number(name, least=1.0, most=most)
        return None if found is None else self._whole(found, name)

    def counts(self, name: str, *, most: float) -> tuple[int, ...]:
        """A list of whole numbers from 0, or one."""
        return tuple(self._whole(each, name) for each in self.numbers(name, most=most))

    def holds_table(self, name: str) -> bool:
        """Whether an entry is a table."""
        return isinstance(self._values.get(name), dict)

    def _number(self, found: object, name: str, least: float, most: float) -> float:
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise InputError(f"{self._named(name)} isn't a number")
        if not least <= found <= most:
            raise InputError(f"{self._named(name)} is {found}: {least:g} to {most:g}")
        return float(found)

    def _whole(self, found: float, name: str) -> int:
        if not found.is_integer():
            raise InputError(f"{self._named(name)} is {found:g}: it must be a whole number")
        return int(found)

    def flag(self, name: str) -> bool:
        """True or false; false where there is none."""
        found = self._values.pop(name, False)
        if not isinstance(found, bool):
            raise InputError(f"{self._named(name)} isn't true or false")
        return found

    def end(self) -> None:
        """Raise InputError if anything is left."""
        for name in self._values:
            raise InputError(f"{self._named(name)} isn't known here: check its spelling")

    def _named(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name
