"""A Lambda function as the tuner reads it: settings, versions, aliases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Architecture = Literal["x86_64", "arm64"]
PackageType = Literal["Zip", "Image"]


@dataclass(frozen=True, slots=True)
class FunctionConfig:
    """The configuration of one function (or version) at one moment.

    `settings` holds every other field of the configuration as (name, digest): enough to see that
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
    """Whether the log says what an invocation took: JSON at SystemLogLevel WARN does not."""
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Alias:
    """An owner's pointer, with every version that it routes to (weighted ones too)."""

    name: str
    versions: tuple[str, ...]


def mask_account(arn: str) -> str:
    """Return an ARN without its account id: zeros stand in its place."""
    parts = arn.split(":")
    if len(parts) > 4 and parts[4]:
        parts[4] = "0" * 12
    return ":".join(parts)
