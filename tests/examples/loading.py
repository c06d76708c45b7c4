"""Loads the examples' handlers as Lambda does: each from its own folder."""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
MODULES: Final = ("app", "rules")


@contextmanager
def loaded(name: str) -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """Give the handler of an example, freshly imported, and forget it afterwards."""
    folder = str(EXAMPLES / name)
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        handler = importlib.import_module("app").handler
        yield lambda event: handler(event, None)
    finally:
        sys.path.remove(folder)
        for module in MODULES:
            sys.modules.pop(module, None)


def payload(name: str) -> dict[str, Any]:
    """Return an example's event."""
    event: dict[str, Any] = json.loads((EXAMPLES / name / "payload.json").read_text())
    return event
