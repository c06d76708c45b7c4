"""What answers have beside their fields: HTML in a notebook, and the object of `--json`.

How they look is for packages above, which this one may not import: they are named to it once, when
the package is imported (`present_with` in `tuner/__init__.py`), and loaded when first needed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Presenter(Protocol):
    """Knows how every presented value is shown."""

    def as_dict(self, value: Any, /) -> dict[str, Any]:
        """Plain dicts, lists, numbers, strings and None."""

    def as_html(self, value: Any, /) -> str | None:
        """A fragment; None where there is nothing to show."""


_loaders: list[Callable[[], Presenter]] = []


def present_with(load: Callable[[], Presenter]) -> None:
    """Name what presents values; it is loaded when it is first needed."""
    _loaders[:] = [load]


class Presented:
    """A value that a notebook shows, and that machines read."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The object that `--json` prints: plain dicts, lists, numbers, strings and None."""
        return _loaders[0]().as_dict(self)

    def to_json(self) -> str:
        """The same as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def _repr_html_(self) -> str | None:
        """What a notebook shows; None leaves it with the repr."""
        return _loaders[0]().as_html(self)
