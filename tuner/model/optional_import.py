"""Imports of what an extra brings: where it is missing, one line says how to install it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tuner.errors import InputError, TunerError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def optional_import(
    need: str, *modules: str, extra: str, error: type[TunerError] = InputError
) -> Iterator[None]:
    """Have imports of these modules say `need` ("figures need matplotlib") where one is missing.

    A module that is missing inside of them is another fault, and raised as it is.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in modules:
            raise
        raise error(
            f"{need}, which is not installed: pip install 'lambda-tuner[{extra}]'"
        ) from None
