"""AWS's FunctionConfiguration as a value without secrets."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from tuner.aws.function_ref import arn_part
from tuner.errors import AwsError
from tuner.model.function import Alias, FunctionConfig, Routing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.model.function import Architecture, PackageType

# Fields with their own place in FunctionConfig.
_MODELLED = frozenset(
    ("FunctionName", "FunctionArn", "Architectures", "PackageType", "Runtime", "MemorySize",
     "Timeout", "EphemeralStorage", "CodeSha256", "Version", "Description", "RevisionId",
     "SnapStart")
)  # fmt: skip
DERIVED = frozenset(
    ("ConfigSha256", "LastModified", "LastUpdateStatus", "LastUpdateStatusReason",
     "LastUpdateStatusReasonCode", "MasterArn", "ResponseMetadata", "RuntimeVersionConfig",
     "State", "StateReason", "StateReasonCode")
)  # fmt: skip
"""What Lambda reports about a configuration rather than what its owner set: these change by
themselves, with every update or with the memory, and can't be set back."""
_DIGEST_CHARACTERS = 12


def function_config(raw: Mapping[str, Any], *, region: str) -> FunctionConfig:
    """Read a FunctionConfiguration as botocore parsed it.

    Defaults are Lambda's own, for servers that leave fields out; the ARN's region wins over the
    gateway's `region`. Raises AwsError if the memory, the timeout or the name is missing: an
    unknown size can't be restored.
    """
    try:
        name, memory_mb, timeout_s = raw["FunctionName"], raw["MemorySize"], raw["Timeout"]
    except KeyError as missing:
        raise AwsError(
            f"the endpoint's answer has no {missing.args[0]}: this isn't a Lambda API that tuner "
            "can use"
        ) from missing
    if memory_mb < 1 or timeout_s < 1:
        raise AwsError(
            f"the endpoint says that {name} has {memory_mb} MB and a timeout of {timeout_s} s: "
            "this isn't a Lambda API that tuner can use"
        )
    arn = raw.get("FunctionArn", "")
    architecture: Architecture = "arm64" if "arm64" in raw.get("Architectures", ()) else "x86_64"
    package_type: PackageType = "Image" if raw.get("PackageType") == "Image" else "Zip"
    return FunctionConfig(
        name=name,
        arn=arn,
        region=arn_part(arn, 3) or region,
        architecture=architecture,
        package_type=package_type,
        runtime=raw.get("Runtime") or None,
        memory_mb=memory_mb,
        timeout_s=timeout_s,
        ephemeral_storage_mb=raw.get("EphemeralStorage", {}).get("Size", 512),
        code_sha256=raw.get("CodeSha256", ""),
        version=raw.get("Version") or "$LATEST",
        description=raw.get("Description", ""),
        revision_id=raw.get("RevisionId") or None,
        snap_start=raw.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions",
        log_has_reports=_has_reports(raw.get("LoggingConfig") or {}),
        settings=_digests(raw, name),
    )


def alias(raw: Mapping[str, Any]) -> Alias:
    """Read an AliasConfiguration: the version it points at first, then the weighted ones."""
    weighted = raw.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return Alias(name=raw["Name"], versions=(raw["FunctionVersion"], *sorted(weighted)))


def routing(raw: Mapping[str, Any]) -> Routing:
    """Read an AliasConfiguration with its shares."""
    weighted = (raw.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    shares = tuple(sorted((str(version), float(share)) for version, share in weighted.items()))
    return Routing(raw["Name"], raw["FunctionVersion"], shares, raw.get("RevisionId") or None)


def _has_reports(logging: Mapping[str, Any]) -> bool:
    """Whether REPORT records are logged: in JSON logs they have the level INFO."""
    return logging.get("LogFormat") != "JSON" or logging.get("SystemLogLevel") != "WARN"


def _digests(raw: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    """Return (field, digest) for every other setting, sorted.

    The environment is one digest over all its variables; every digest is salted with the function's
    name and cut to 48 bits: enough to see a change, useless for looking up a value.
    """
    return tuple(
        (field, _digest(name, field, raw[field]))
        for field in sorted(raw)
        if field not in _MODELLED and field not in DERIVED
    )


def _digest(name: str, field: str, setting: object) -> str:
    text = json.dumps([name, field, setting], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARACTERS]
