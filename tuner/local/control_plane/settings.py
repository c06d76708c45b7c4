"""A function's settings: read from requests, kept as a value, written into replies."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from tuner.local.control_plane.api_error import invalid
from tuner.local.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tuner.local.control_plane.layers import Layered
    from tuner.local.control_plane.names import AccountRegion


@dataclass(frozen=True, slots=True)
class Logging:
    """Format, levels and destination of a function's log."""

    log_format: str = "Text"
    application_level: str | None = None
    system_level: str | None = None
    group: str | None = None
    """None: /aws/lambda/NAME."""


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC's settings: kept and given back, without effect on this host."""

    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    ipv6_allowed: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """All of a function's configuration that its owner sets, the code apart."""

    role: str
    handler: str
    """Empty for a container image, as is the runtime."""
    runtime: str
    package_type: Literal["Zip", "Image"] = "Zip"
    image_config: tuple[tuple[str, Any], ...] = ()
    """A container image's Command, EntryPoint and WorkingDirectory, as far as they are set."""
    description: str = ""
    memory_mb: int = 128
    timeout_s: int = 3
    ephemeral_storage_mb: int = 512
    architecture: str = "x86_64"
    environment: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)
    """None: never set, so that replies have no Environment."""
    tracing_mode: str = "PassThrough"
    snap_start: str = "None"
    dead_letter_arn: str | None = None
    kms_key_arn: str | None = None
    vpc: Vpc | None = None
    logging: Logging = Logging()
    layered: Layered | None = None


def create_settings(request: Mapping[str, Any]) -> Settings:
    """Read a (validated) CreateFunction request; raises ApiError where a required member misses."""
    is_image = request.get("PackageType") == "Image"
    if is_image and (request.get("Handler") or request.get("Runtime")):
        raise invalid("Please don't provide Handler or Runtime for a container image.")
    for member in () if is_image else ("Handler", "Runtime"):
        if not request.get(member):
            raise invalid(f"{member} is mandatory for functions created with deployment packages.")
    base = Settings(
        role=request["Role"],
        handler=request.get("Handler") or "",
        runtime=request.get("Runtime") or "",
        package_type="Image" if is_image else "Zip",
    )
    return update_settings(request, base)


def update_settings(request: Mapping[str, Any], base: Settings) -> Settings:
    """Apply the members that a (validated) request has; the others stay as they were."""
    changes: dict[str, Any] = {
        name: request[member]
        for member, name in _PLAIN_MEMBERS.items()
        if request.get(member) is not None
    }
    for member, read in _NESTED_MEMBERS.items():
        if request.get(member) is not None:
            changes |= read(request[member], base)
    return replace(base, **changes)


_PLAIN_MEMBERS: Final = {
    "Role": "role",
    "Handler": "handler",
    "Runtime": "runtime",
    "Description": "description",
    "MemorySize": "memory_mb",
    "Timeout": "timeout_s",
}


def _environment(value: Mapping[str, Any], _: Settings) -> dict[str, Any]:
    variables = value.get("Variables") or {}
    return {"environment": tuple(sorted(variables.items())) or None}


def _logging(value: Mapping[str, Any], base: Settings) -> dict[str, Any]:
    """Levels exist for JSON logs only, where both default to INFO."""
    log_format = value.get("LogFormat") or base.logging.log_format
    level = "INFO" if log_format == "JSON" else None
    if level is None and (value.get("ApplicationLogLevel") or value.get("SystemLogLevel")):
        raise invalid("Log levels can be set for functions with log format JSON only.")
    return {
        "logging": Logging(
            log_format=log_format,
            application_level=value.get("ApplicationLogLevel") or level,
            system_level=value.get("SystemLogLevel") or level,
            group=value.get("LogGroup") or base.logging.group,
        )
    }


def _vpc(value: Mapping[str, Any], _: Settings) -> dict[str, Any]:
    subnet_ids = tuple(value.get("SubnetIds") or ())
    security_group_ids = tuple(value.get("SecurityGroupIds") or ())
    if not subnet_ids and not security_group_ids:
        return {"vpc": None}
    ipv6_allowed = bool(value.get("Ipv6AllowedForDualStack"))
    return {"vpc": Vpc(subnet_ids, security_group_ids, ipv6_allowed)}


def _image_config(value: Mapping[str, Any], base: Settings) -> dict[str, Any]:
    if base.package_type != "Image":
        raise invalid("ImageConfig is not supported for functions packaged as Zip.")
    return {"image_config": tuple(sorted((name, given) for name, given in value.items() if given))}


_NESTED_MEMBERS: Final[dict[str, Callable[[Any, Settings], dict[str, Any]]]] = {
    "Environment": _environment,
    "LoggingConfig": _logging,
    "VpcConfig": _vpc,
    "EphemeralStorage": lambda value, base: {
        "ephemeral_storage_mb": value.get("Size", base.ephemeral_storage_mb)
    },
    "Architectures": lambda value, _: {"architecture": value[0]},
    "TracingConfig": lambda value, base: {"tracing_mode": value.get("Mode", base.tracing_mode)},
    "SnapStart": lambda value, base: {"snap_start": value.get("ApplyOn", base.snap_start)},
    "DeadLetterConfig": lambda value, _: {"dead_letter_arn": value.get("TargetArn") or None},
    "ImageConfig": _image_config,
    "KMSKeyArn": lambda value, _: {"kms_key_arn": value or None},
}


def log_group(settings: Settings, function_name: str) -> str:
    """Where a function's log goes."""
    return settings.logging.group or f"/aws/lambda/{function_name}"


def make_deployment(
    account: AccountRegion,
    name: str,
    version: str,
    *,
    settings: Settings,
    code_dir: Path,
    shared_environment: tuple[tuple[str, str], ...],
) -> Deployment:
    """Give the executor's view of code and settings; the function's own variables win."""
    return Deployment(
        deployment_id=uuid.uuid4().hex,
        function_name=name,
        version=version,
        region=account.region,
        account_id=account.account_id,
        runtime=settings.runtime,
        handler=settings.handler,
        architecture=settings.architecture,
        memory_mb=settings.memory_mb,
        timeout_s=settings.timeout_s,
        ephemeral_storage_mb=settings.ephemeral_storage_mb,
        code_dir=code_dir,
        opt_dir=settings.layered.opt_dir if settings.layered else None,
        log_group=log_group(settings, name),
        environment=tuple({**dict(shared_environment), **dict(settings.environment or ())}.items()),
        log_format="JSON" if settings.logging.log_format == "JSON" else "Text",
        application_log_level=settings.logging.application_level,
        system_log_level=settings.logging.system_level,
    )


def describe(settings: Settings, function_name: str) -> dict[str, Any]:
    """Give the settings as AWS's FunctionConfiguration has them; what is unset is left out."""
    logging = settings.logging
    shape = {
        "Runtime": settings.runtime or None,
        "Role": settings.role,
        "Handler": settings.handler or None,
        "Description": settings.description,
        "Timeout": settings.timeout_s,
        "MemorySize": settings.memory_mb,
        "TracingConfig": {"Mode": settings.tracing_mode},
        "PackageType": settings.package_type,
        "Architectures": [settings.architecture],
        "EphemeralStorage": {"Size": settings.ephemeral_storage_mb},
        "LoggingConfig": _without_none(
            {
                "LogFormat": logging.log_format,
                "ApplicationLogLevel": logging.application_level,
                "SystemLogLevel": logging.system_level,
                "LogGroup": log_group(settings, function_name),
            }
        ),
        "KMSKeyArn": settings.kms_key_arn,
        "DeadLetterConfig": settings.dead_letter_arn and {"TargetArn": settings.dead_letter_arn},
        "Environment": settings.environment and {"Variables": dict(settings.environment)},
        "VpcConfig": _describe_vpc(settings.vpc),
        "Layers": settings.layered
        and [{"Arn": arn, "CodeSize": size} for arn, size in settings.layered.versions],
        "ImageConfigResponse": (
            {"ImageConfig": dict(settings.image_config)} if settings.image_config else None
        ),
    }
    return _without_none(shape)


def _describe_vpc(vpc: Vpc | None) -> dict[str, Any] | None:
    if vpc is None:
        return None
    return {
        "SubnetIds": list(vpc.subnet_ids),
        "SecurityGroupIds": list(vpc.security_group_ids),
        "VpcId": "vpc-00000000000000000",
        "Ipv6AllowedForDualStack": vpc.ipv6_allowed,
    }


def _without_none(shape: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shape.items() if value is not None}
