"""Who reaches the unqualified function, and so which isolation leaves live traffic alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tuner.errors import UnknownReachError

if TYPE_CHECKING:
    from tuner.model.plan import Isolation


@dataclass(frozen=True, slots=True)
class Reach:
    """What leads to $LATEST without a version or alias being named."""

    ways: tuple[str, ...] = ()
    """In words that fit behind "reached by": "S3", "a function URL"."""
    unknown: tuple[str, ...] = ()
    """What could not be asked, in words."""


def choose_isolation(
    asked: Isolation, reach: Reach, function_name: str
) -> Literal["version", "clone"]:
    """Return what the user asked for; for auto, a clone if anything reaches $LATEST.

    Publishing changes $LATEST for moments, which live traffic would meet. Raises UnknownReachError
    if auto cannot know.
    """
    if asked != "auto":
        return asked
    if reach.ways:
        return "clone"
    if reach.unknown:
        raise UnknownReachError(
            f"whether live traffic reaches $LATEST of {function_name} cannot be known "
            f"({', '.join(reach.unknown)}): give --isolation clone to measure a temporary copy, or "
            "--isolation version if nothing reaches it"
        )
    return "version"
