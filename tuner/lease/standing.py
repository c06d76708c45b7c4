"""How $LATEST stands against what it was before the sweep."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.model.function import mask_account

if TYPE_CHECKING:
    from collections.abc import Container

    from tuner.model.function import FunctionConfig


@dataclass(frozen=True, slots=True)
class Standing:
    """What differs, and whose doing it is."""

    name: str
    memory_mb: int
    original_mb: int
    is_our_memory: bool
    """Whether this sweep may have set the memory that stands now."""
    others_changes: tuple[str, ...]
    """Names of the fields beside memory that differ: a sweep never touches those."""

    @property
    def is_as_before(self) -> bool:
        """Whether every field is as it was."""
        return self.memory_mb == self.original_mb and not self.others_changes

    @property
    def is_ours(self) -> bool:
        """Whether a memory that this sweep set stands, so that it is set back.

        Whatever else differs (a deployment) is somebody else's and stays.
        """
        return self.memory_mb != self.original_mb and self.is_our_memory

    def describe_foreign(self) -> str:
        """One sentence on what somebody else did and what was left alone."""
        what = ", ".join(self.others_changes or ("memory_mb",))
        return (
            f"{self.name}: somebody else changed {what} of $LATEST during the sweep, and nothing "
            f"of theirs was touched; its memory stands at {self.memory_mb} MB"
        )


def standing(
    original: FunctionConfig, now: FunctionConfig, our_memories_mb: Container[int]
) -> Standing:
    """Compare $LATEST as read `now` with what it was, every field but RevisionId."""
    return Standing(
        name=original.name,
        memory_mb=now.memory_mb,
        original_mb=original.memory_mb,
        is_our_memory=now.memory_mb in our_memories_mb,
        others_changes=tuple(name for name in differences(original, now) if name != "memory_mb"),
    )


def differences(first: FunctionConfig, second: FunctionConfig) -> tuple[str, ...]:
    """Names of the fields and settings that differ, RevisionId (and account ids) aside."""
    one, other = _comparable(first), _comparable(second)
    return tuple(
        sorted(name for name in {*one, *other} if one.get(name, ...) != other.get(name, ...))
    )


def _comparable(function: FunctionConfig) -> dict[str, object]:
    values: dict[str, object] = {
        field.name: getattr(function, field.name) for field in dataclasses.fields(function)
    }
    # What the log has follows from the settings.
    del values["revision_id"], values["settings"], values["log_has_reports"]
    values["arn"] = mask_account(function.arn)
    return {**values, **dict(function.settings)}
