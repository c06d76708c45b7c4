"""A function's settings: read from requests, kept as AWS writes them, passed to the executor."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tuner.local.control_plane.api_error import invalid
from tuner.local.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tuner.local.control_plane.layers import Layered
    from tuner.local.control_plane.names import AccountRegion

_DEFAULTS: Final[Mapping[str, Any]] = {
    "PackageType": "Zip",
    "Description": "",
    "MemorySize": 128,
    "Timeout": 3,
    "EphemeralStorage": {"Size": 512},
    "Architectures": ["x86_64"],
    "TracingConfig": {"Mode": "PassThrough"},
    "SnapStart": {"ApplyOn": "None"},
    "LoggingConfig": {"LogFormat": "Text"},
}
_PLAIN: Final = (
    *("Role", "Handler", "Runtime", "Description"),
    *("MemorySize", "Timeout", "Architectures", "KMSKeyArn"),
)
_WITH_ONE_MEMBER: Final = {
    "EphemeralStorage": "Size",
    "TracingConfig": "Mode",
    "SnapStart": "ApplyOn",
    "DeadLetterConfig": "TargetArn",
    "Environment": "Variables",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything in a function's configuration that its owner sets, except the code."""

    members: Mapping[str, Any] = field(repr=False)
    """As in AWS's FunctionConfiguration; what is unset is left out."""
    layered: Layered | None = None

    def changed(self, members: Mapping[str, Any]) -> Settings:
        """Replace members; an empty text or object unsets everything except a description."""
        merged = {**self.members, **members}
        kept = {name: each for name, each in merged.items() if each or name == "Description"}
        return replace(self, members=kept)


def create_settings(request: Mapping[str, Any]) -> Settings:
    """Read a (validated) CreateFunction request; raises ApiError for a missing member."""
    is_image = request.get("PackageType") == "Image"
    if is_image and (request.get("Handler") or request.get("Runtime")):
        raise invalid("Please don't provide Handler or Runtime for a container image.")
    for member in () if is_image else ("Handler", "Runtime"):
        if not request.get(member):
            raise invalid(f"{member} is mandatory for functions created with deployment packages.")
    base = Settings({**_DEFAULTS, "PackageType": "Image" if is_image else "Zip"})
    return update_settings(request, base)


def update_settings(request: Mapping[str, Any], base: Settings) -> Settings:
    """Apply the members in a (validated) request; the others stay as they are."""
    given = {name: value for name, value in request.items() if value is not None}
    changes: dict[str, Any] = {name: given[name] for name in _PLAIN if name in given}
    for name, inner in _WITH_ONE_MEMBER.items():
        if name in given:
            value = given[name].get(inner)
            if value is not None or name == "Environment":
                # No variables are a setting of their own, unlike an empty ARN.
                changes[name] = {inner: value} if value or value == {} else None
    if "LoggingConfig" in given:
        changes["LoggingConfig"] = _logging(given["LoggingConfig"], base.members["LoggingConfig"])
    if "VpcConfig" in given:
        changes["VpcConfig"] = _vpc(given["VpcConfig"])
    if "ImageConfig" in given:
        if base.members["PackageType"] != "Image":
            raise invalid("ImageConfig is not supported for functions packaged as Zip.")
        changes["ImageConfig"] = {name: each for name, each in given["ImageConfig"].items() if each}
    return base.changed(changes)


def _logging(value: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Levels exist for JSON logs only, where both default to INFO."""
    log_format = value.get("LogFormat") or before["LogFormat"]
    levels = {name: value.get(name) for name in ("ApplicationLogLevel", "SystemLogLevel")}
    if log_format == "JSON":
        levels = {name: level or "INFO" for name, level in levels.items()}
    elif any(levels.values()):
        raise invalid("Log levels can be set for functions with log format JSON only.")
    group = value.get("LogGroup") or before.get("LogGroup")
    merged = {"LogFormat": log_format, **levels, "LogGroup": group}
    return {name: each for name, each in merged.items() if each}


def _vpc(value: Mapping[str, Any]) -> dict[str, Any]:
    """Keep a VPC's settings to return them: they have no effect on this host."""
    subnets, groups = value.get("SubnetIds") or [], value.get("SecurityGroupIds") or []
    return {
        "SubnetIds": subnets,
        "SecurityGroupIds": groups,
        "VpcId": "vpc-00000000000000000" if subnets or groups else "",
        "Ipv6AllowedForDualStack": bool(value.get("Ipv6AllowedForDualStack")),
    }


def _log_group(settings: Settings, function_name: str) -> str:
    """Where a function's log goes."""
    return settings.members["LoggingConfig"].get("LogGroup") or f"/aws/lambda/{function_name}"


def make_deployment(
    account: AccountRegion,
    name: str,
    version: str,
    *,
    settings: Settings,
    code_dir: Path,
    shared_environment: tuple[tuple[str, str], ...],
) -> Deployment:
    """Return the executor's view of code and settings; the function's own variables win."""
    members, logging = settings.members, settings.members["LoggingConfig"]
    variables = members.get("Environment", {}).get("Variables", {})
    return Deployment(
        deployment_id=uuid.uuid4().hex,
        function_name=name,
        version=version,
        region=account.region,
        account_id=account.account_id,
        runtime=members.get("Runtime", ""),
        handler=members.get("Handler", ""),
        architecture=members["Architectures"][0],
        memory_mb=members["MemorySize"],
        timeout_s=members["Timeout"],
        ephemeral_storage_mb=members["EphemeralStorage"]["Size"],
        code_dir=code_dir,
        opt_dir=settings.layered.opt_dir if settings.layered else None,
        log_group=_log_group(settings, name),
        environment=tuple({**dict(shared_environment), **variables}.items()),
        log_format="JSON" if logging["LogFormat"] == "JSON" else "Text",
        application_log_level=logging.get("ApplicationLogLevel"),
        system_log_level=logging.get("SystemLogLevel"),
    )


def describe(settings: Settings, function_name: str) -> dict[str, Any]:
    """Return the settings as in AWS's FunctionConfiguration; what is unset is left out."""
    shape = dict(settings.members)
    shape["LoggingConfig"] = {
        **shape["LoggingConfig"],
        "LogGroup": _log_group(settings, function_name),
    }
    shape["SnapStart"] = {**shape["SnapStart"], "OptimizationStatus": "Off"}
    if image_config := shape.pop("ImageConfig", None):
        shape["ImageConfigResponse"] = {"ImageConfig": image_config}
    if settings.layered:
        versions = settings.layered.versions
        shape["Layers"] = [{"Arn": arn, "CodeSize": size} for arn, size in versions]
    return shape
