"""Which parts of a SAM template are used, which have no effect here, and which are refused.

A part is refused if running the function without it would run something else; it is passed over
with a note if the function, invoked on its own, does the same without it. Names and meanings are
those of the AWS SAM specification and the CloudFormation template reference.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TRANSFORM: Final = "AWS::Serverless-2016-10-31"
FUNCTION: Final = "AWS::Serverless::Function"

_DEPLOYED: Final = "it matters only where the function is deployed"
_TRIGGER: Final = "nothing but an invocation starts the function here"
_ACCESS: Final = "a local function has no role"
_RESOLVED: Final = "nothing refers to it here"

USED_SECTIONS: Final = frozenset(
    {"AWSTemplateFormatVersion", "Transform", "Description", "Globals", "Resources"}
)
IGNORED_SECTIONS: Final = {
    "Metadata": _DEPLOYED,
    "Outputs": _DEPLOYED,
    "Rules": _DEPLOYED,
    "Hooks": _DEPLOYED,
    "Parameters": _RESOLVED,
    "Mappings": _RESOLVED,
    "Conditions": _RESOLVED,
}

USED_ATTRIBUTES: Final = frozenset({"Type", "Properties"})
IGNORED_ATTRIBUTES: Final = {
    "Metadata": "the code is run as it lies in CodeUri, without a build",
    "DependsOn": _DEPLOYED,
    "DeletionPolicy": _DEPLOYED,
    "UpdateReplacePolicy": _DEPLOYED,
    "UpdatePolicy": _DEPLOYED,
    "CreationPolicy": _DEPLOYED,
    "Connectors": _ACCESS,
}
REFUSED_ATTRIBUTES: Final = {
    "Condition": "whether the function exists cannot be decided here: leave the condition out",
}

USED_PROPERTIES: Final = frozenset(
    {
        "Architectures",
        "CodeUri",
        "Description",
        "Environment",
        "EphemeralStorage",
        "FunctionName",
        "Handler",
        "MemorySize",
        "PackageType",
        "Runtime",
        "Timeout",
    }
)
IGNORED_PROPERTIES: Final = {
    "AssumeRolePolicyDocument": _ACCESS,
    "AutoPublishAlias": _DEPLOYED,
    "AutoPublishAliasAllProperties": _DEPLOYED,
    "AutoPublishCodeSha256": _DEPLOYED,
    "CodeSigningConfigArn": _DEPLOYED,
    "DeadLetterQueue": "failed events are not passed on here",
    "DeploymentPreference": _DEPLOYED,
    "EventInvokeConfig": "failed events are not passed on here",
    "Events": _TRIGGER,
    "FunctionUrlConfig": _TRIGGER,
    "KmsKeyArn": "nothing is encrypted at rest here",
    "LoggingConfig": "the local log is text",
    "PermissionsBoundary": _ACCESS,
    "Policies": _ACCESS,
    "PropagateTags": _DEPLOYED,
    "ProvisionedConcurrencyConfig": "environments start on demand here",
    "PublishToLatestPublished": _DEPLOYED,
    "RecursiveLoop": _DEPLOYED,
    "ReservedConcurrentExecutions": "a sweep bounds its own concurrency",
    "Role": _ACCESS,
    "RolePath": _ACCESS,
    "RuntimeManagementConfig": _DEPLOYED,
    "SnapStart": "cold starts are plain inits here, not restores",
    "SourceKMSKeyArn": "nothing is encrypted at rest here",
    "Tags": _DEPLOYED,
    "Tracing": "nothing is traced here",
    "VersionDeletionPolicy": _DEPLOYED,
    "VersionDescription": _DEPLOYED,
    "VpcConfig": "the function uses this host's network",
}
REFUSED_PROPERTIES: Final = {
    "CapacityProviderConfig": "managed instances cannot be shown here",
    "DurableConfig": "durable executions cannot be shown here",
    "FileSystemConfigs": "the file system would be missing: leave it out to run without",
    "FunctionScalingConfig": "managed instances cannot be shown here",
    "ImageConfig": "images cannot be run here: give CodeUri, Handler and Runtime",
    "ImageUri": "images cannot be run here: give CodeUri, Handler and Runtime",
    "InlineCode": "put the code into a folder and name it with CodeUri",
    "Layers": "the layers' code would be missing: put it into the folder of CodeUri",
    "TenancyConfig": "tenants' environments cannot be kept apart here",
}

IGNORED_TYPES: Final = {
    "AWS::IAM::": _ACCESS,
    "AWS::Lambda::Alias": _DEPLOYED,
    "AWS::Lambda::EventInvokeConfig": "failed events are not passed on here",
    "AWS::Lambda::EventSourceMapping": _TRIGGER,
    "AWS::Lambda::Permission": _ACCESS,
    "AWS::Lambda::Url": _TRIGGER,
    "AWS::Lambda::Version": _DEPLOYED,
    "AWS::ApiGateway::": _TRIGGER,
    "AWS::ApiGatewayV2::": _TRIGGER,
    "AWS::CloudWatch::": "nothing watches the function here",
    "AWS::CodeDeploy::": _DEPLOYED,
    "AWS::Events::Rule": _TRIGGER,
    "AWS::Logs::": "the endpoint keeps logs of its own",
    "AWS::Scheduler::": _TRIGGER,
    "AWS::Serverless::Api": _TRIGGER,
    "AWS::Serverless::HttpApi": _TRIGGER,
}
"""By type, or by the service that a key ending in `::` begins with."""


def reason_to_ignore_type(resource_type: str) -> str | None:
    """Say why resources of a type have no effect here; None where they could have one."""
    service = resource_type[: resource_type.rfind("::") + 2]
    return IGNORED_TYPES.get(resource_type) or IGNORED_TYPES.get(service)


def unknown(name: str, known: Mapping[str, str] | frozenset[str], *more: Mapping[str, str]) -> str:
    """Say that a name is not known, with the closest known one."""
    candidates = [candidate for names in (known, *more) for candidate in names]
    close = difflib.get_close_matches(name[:100], candidates, n=1)
    return f"{name[:100]} is not supported" + (f": did you mean {close[0]}?" if close else "")
