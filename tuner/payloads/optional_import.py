"""What the extra `payloads` brings, loaded when a payload needs it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tuner.errors import PayloadError


def import_optional(module: str, need: str) -> Any:
    """Import a module of the extra. Raises PayloadError, which says how to install it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        raise PayloadError(
            f"{need} need {module.partition('.')[0]}, which is not installed: "
            "pip install 'lambda-tuner[payloads]'"
        ) from None
