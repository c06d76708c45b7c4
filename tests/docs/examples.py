"""Shows a docstring's examples as code in the Python reference."""

from __future__ import annotations

import re
from typing import Any, Final

import griffe

_EXAMPLE: Final = re.compile(r"^>>> .*(?:\n(?!\n).+)*", re.MULTILINE)


class Examples(griffe.Extension):
    """Fences what begins with a prompt."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """As an object is read (an event of griffe)."""
        if obj.docstring:
            obj.docstring.value = _EXAMPLE.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)
