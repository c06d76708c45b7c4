"""The narrow view of Lambda's control plane that a lease needs; the gateway implements it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.model.function import Alias, Build, FunctionConfig


class FunctionControl(Protocol):
    """Reads and changes one function at a time. Every method raises `AwsError` and its kin.

    `function` is a name or an unqualified ARN.
    """

    def read_function(self, function: str, qualifier: str | None = None) -> FunctionConfig:
        """Read $LATEST, or the version or alias `qualifier`."""

    def list_versions(self, function: str) -> tuple[FunctionConfig, ...]:
        """Every published version (without $LATEST), over all pages."""

    def list_aliases(self, function: str) -> tuple[Alias, ...]:
        """Every alias, over all pages."""

    def update_memory(
        self, function: str, memory_mb: int, revision_id: str | None
    ) -> FunctionConfig:
        """Set the memory of $LATEST and wait until the update is done.

        Only if `revision_id` is still current (None: the endpoint knows none); else ConflictError.
        Raises MemoryCapError where the account allows less. Returns the configuration read back.
        """

    def publish_version(
        self, function: str, description: str, code_sha256: str, revision_id: str | None
    ) -> FunctionConfig:
        """Publish $LATEST (or get the last version, if nothing differs) and wait until active.

        Returns the version's configuration as read back, whose memory the caller must check.
        """

    def delete_version(self, function: str, version: str) -> None:
        """Delete one published version; a version that is gone already is no error."""

    def create_copy(
        self,
        function: str,
        copy: str,
        description: str,
        tags: Mapping[str, str],
        build: Build | None = None,
    ) -> FunctionConfig:
        """Make the function `copy` with code and settings of `function`; wait until active.

        `build` takes the place of its code. Triggers, aliases, concurrency and policies are not
        copied. A copy with this description
        that is there already (an answer was lost) is taken. Returns its configuration.
        """

    def delete_copy(self, copy: str, description: str) -> None:
        """Delete a copy, if its Description is this one; one that is gone already is no error.

        Raises ConflictError for a function that is no such copy.
        """

    def list_copies(self, function: str) -> tuple[tuple[str, str], ...]:
        """(name, Description) of every copy of `function` that a sweep made, over all pages."""

    def read_tags(self, arn: str) -> Mapping[str, str]:
        """The tags of the function (not of a version) with this ARN."""

    def set_tag(self, arn: str, key: str, value: str) -> None:
        """Set one tag of a function."""

    def remove_tag(self, arn: str, key: str) -> None:
        """Remove one tag of a function; one that is gone already is no error."""

    def delete_logs_of_copy(self, copy: str) -> None:
        """Delete a copy's log group; one that is gone already is no error."""
