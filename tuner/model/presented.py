"""What answers have besides their fields: HTML in a notebook, and the object of `--json`.

`tuner.report` writes both, but this package may not import it. So `tuner/__init__.py` says once how
to load the module that does (`present_with`), and it's loaded when an answer is first shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

_loaders: list[Callable[[], Any]] = []


def present_with(load: Callable[[], Any]) -> None:
    """Set how to load the module whose `as_dict` and `as_html` take every kind of answer."""
    _loaders[:] = [load]


class Presented:
    """A value that a notebook shows, and that machines can read."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The object that `--json` prints: plain dicts, lists, numbers, strings and None."""
        return cast("dict[str, Any]", _loaders[0]().as_dict(self))

    def to_json(self) -> str:
        """The same as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def _repr_html_(self) -> str | None:
        """What a notebook shows; None leaves it with the repr."""
        return cast("str | None", _loaders[0]().as_html(self))
