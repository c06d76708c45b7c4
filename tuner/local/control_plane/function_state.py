"""What the endpoint knows about one function: $LATEST, versions, aliases, tags, permissions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tuner.local.control_plane.names import LATEST

if TYPE_CHECKING:
    from tuner.local.control_plane.package import Code
    from tuner.local.control_plane.settings import Settings
    from tuner.local.deployment import Deployment

Change = Literal["create", "update", "publish"]


@dataclass(frozen=True, slots=True)
class Version:
    """Code and settings at one moment: a state of $LATEST, or a published version.

    `ready_at_s` is when its creation or update is done (on the store's clock). The revision of
    $LATEST changes once more then, as on Lambda; a published version's doesn't.
    """

    number: str
    settings: Settings
    code: Code
    deployment: Deployment
    change: Change
    modified_at_s: float
    """Seconds since 1970."""
    ready_at_s: float
    revision_id: str
    ready_revision_id: str
    published_from: tuple[Settings, str] | None = None
    """Settings and code hash of $LATEST when this was published: deduplication compares them."""

    def is_ready(self, now_s: float) -> bool:
        """Whether its creation or update is done."""
        return now_s >= self.ready_at_s

    def revision_at(self, now_s: float) -> str:
        """Return the RevisionId that is current at a moment."""
        return self.ready_revision_id if self.is_ready(now_s) else self.revision_id


@dataclass(frozen=True, slots=True)
class Alias:
    """An owner's pointer to a version, with traffic shares for others."""

    name: str
    version: str
    description: str
    weights: tuple[tuple[str, float], ...]
    revision_id: str

    def points_at(self, number: str) -> bool:
        """Whether any of its traffic goes to this version."""
        return number == self.version or any(number == other for other, _ in self.weights)


@dataclass(frozen=True, slots=True)
class EventConfig:
    """How asynchronous invocations are retried; None: Lambda's default."""

    retry_count: int | None = None
    max_age_s: int | None = None
    modified_at_s: float = 0.0
    """Seconds since 1970."""


@dataclass(slots=True)
class Policy:
    """A resource policy's statements by their ids."""

    statements: dict[str, dict[str, Any]] = field(default_factory=dict)
    revision_id: str = ""


@dataclass(slots=True)
class Function:
    """One function. Changed only under its store's lock."""

    name: str
    latest: Version
    running: Version | None = None
    """What unqualified invocations still run while an update of `latest` is in progress."""
    versions: dict[int, Version] = field(default_factory=dict)
    next_number: int = 1
    aliases: dict[str, Alias] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    """By qualifier; "" is the function's own."""
    reserved_concurrency: int | None = None
    recursive_loop: Literal["Allow", "Terminate"] = "Terminate"
    event_configs: dict[str, EventConfig] = field(default_factory=dict)
    """By version or alias."""
    urls: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Addresses for HTTP clients, as AWS describes them; what was never given is None. By alias; ""
    is the function's own."""

    def find_version(self, qualifier: str | None) -> Version | None:
        """Return the version that a qualifier names; for an alias, its main version."""
        if qualifier in (None, LATEST):
            return self.latest
        alias = self.aliases.get(qualifier or "")
        number = alias.version if alias else qualifier or ""
        if number == LATEST:
            return self.latest
        return self.versions.get(int(number)) if number.isdigit() else None

    def all_versions(self) -> list[Version]:
        """$LATEST first, then versions in order."""
        return [self.latest, *(self.versions[number] for number in sorted(self.versions))]

    def aliases_of(self, number: str) -> list[str]:
        """Names of the aliases that send traffic to a version."""
        return sorted(alias.name for alias in self.aliases.values() if alias.points_at(number))
