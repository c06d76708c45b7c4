"""What happens during a sweep, as values for a hook: nothing below the command line prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tuner.model.invocation import Invocation


@dataclass(frozen=True, slots=True)
class WindowOpened:
    """$LATEST is about to change so that these sizes can be published."""

    sizes_mb: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VersionPublished:
    """A size has its version; `is_new` is False if an existing version was reused."""

    memory_mb: int
    version: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class WindowClosed:
    """$LATEST is restored and read back."""


@dataclass(frozen=True, slots=True)
class InvocationFinished:
    """One more invocation is measured and saved."""

    invocation: Invocation
    finished_count: int
    planned_count: int


@dataclass(frozen=True, slots=True)
class ThrottleMet:
    """An invocation was throttled and will be sent again."""

    memory_mb: int
    reason: str | None
    wait_s: float


@dataclass(frozen=True, slots=True)
class SizeExcluded:
    """A size at which invocations fail is left out."""

    memory_mb: int
    reason: str


@dataclass(frozen=True, slots=True)
class VersionDeleted:
    """A version that the sweep had published is gone."""

    version: str


@dataclass(frozen=True, slots=True)
class CallFailed:
    """A call that restores the function failed; it may be repeated."""

    reason: str


@dataclass(frozen=True, slots=True)
class CopyMade:
    """A temporary copy of the function is ready; the function itself is only read."""

    name: str


@dataclass(frozen=True, slots=True)
class CopyDeleted:
    """The temporary copy is gone, with everything it had."""

    name: str


@dataclass(frozen=True, slots=True)
class CleanedUp:
    """Nothing of the sweep is left in the account."""

    deleted_count: int


ProgressEvent = (
    WindowOpened
    | VersionPublished
    | WindowClosed
    | InvocationFinished
    | ThrottleMet
    | SizeExcluded
    | VersionDeleted
    | CallFailed
    | CopyMade
    | CopyDeleted
    | CleanedUp
)


class ProgressHook(Protocol):
    """Takes every event, in order, from one thread at a time."""

    def __call__(self, event: ProgressEvent) -> None:
        """Take one event; it must not raise and must return soon."""
