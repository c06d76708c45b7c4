"""A Lambda function as the tuner reads it: settings, versions, aliases; and another build of it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Literal

Architecture = Literal["x86_64", "arm64"]
PackageType = Literal["Zip", "Image"]


@dataclass(frozen=True, slots=True)
class FunctionConfig:
    """The configuration of one function (or version) at one moment.

    `settings` has every other field of the configuration as (name, digest): enough to see that
    nothing changed, and no secret (environment values above all) leaves the gateway.
    """

    name: str
    arn: str
    region: str
    architecture: Architecture
    package_type: PackageType
    runtime: str | None
    memory_mb: int
    timeout_s: int
    ephemeral_storage_mb: int
    code_sha256: str
    version: str = "$LATEST"
    description: str = ""
    revision_id: str | None = None
    snap_start: bool = False
    log_has_reports: bool = True
    """Whether the log says what an invocation took: JSON at SystemLogLevel WARN doesn't."""
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Alias:
    """An owner's pointer, with every version that it routes to (weighted ones too)."""

    name: str
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Routing:
    """Where an alias sends its invocations: all to `version`, except the weighted ones' shares."""

    alias: str
    version: str
    weights: tuple[tuple[str, float], ...] = ()
    """(version, share of the invocations): Lambda allows one."""
    revision_id: str | None = None

    def is_like(self, other: Routing) -> bool:
        """Whether it sends invocations to the same versions in the same shares."""
        return (self.version, self.weights) == (other.version, other.weights)

    def describe(self) -> str:
        """The versions in words: `version 7`, `version 7 and 10% to version 8`."""
        shares = (f" and {weight * 100:g}% to version {other}" for other, weight in self.weights)
        return f"version {self.version}{''.join(shares)}"


def mask_account(arn: str) -> str:
    """Return an ARN with zeros for its account id."""
    parts = arn.split(":")
    if len(parts) > 4 and parts[4]:
        parts[4] = "0" * 12
    return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Throwaway:
    """A function of the tool's own, to be made for a check and deleted."""

    name: str
    role_arn: str
    runtime: str
    handler: str
    package: bytes = field(repr=False)
    memory_mb: int
    timeout_s: int


@dataclass(frozen=True, slots=True)
class LayerCode:
    """A layer of a function: the architectures that it names, and its package, if it was read."""

    arn: str
    architectures: tuple[str, ...] = ()
    package: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FunctionCode:
    """What a function runs: its package (None: an image, or not read) and its layers."""

    package: bytes | None = field(repr=False)
    layers: tuple[LayerCode, ...] = ()


@dataclass(frozen=True, slots=True)
class WantedCopy:
    """How a temporary copy is to differ from its function; None: not at all."""

    build: Build | None = None
    """Its code."""
    architecture: Architecture | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """A ZIP package or the URI of a container image; exactly one of the two."""

    package: bytes | None = field(default=None, repr=False)
    image_uri: str | None = None

    @property
    def code_sha256(self) -> str | None:
        """The package's digest by Lambda; an image's is known once Lambda has read it."""
        if self.package is None:
            return None
        return base64.b64encode(hashlib.sha256(self.package).digest()).decode()
