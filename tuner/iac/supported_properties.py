"""Which parts of a SAM template are used, which have no effect here, and which are refused.

A part is refused if running the function without it would run something else; it's skipped with a
note if the function, invoked on its own, does the same without it. Names and meanings are those of
the AWS SAM specification and the CloudFormation template reference.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tuner.iac.template import IgnoredPart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.iac.document import TemplateNode

TRANSFORM: Final = "AWS::Serverless-2016-10-31"
TRANSFORMS: Final = frozenset(
    {
        TRANSFORM,
        "AWS::CodeDeployBlueGreen",
        "AWS::LanguageExtensions",
        "AWS::SecretsManager-2020-07-23",
        "AWS::SecretsManager-2024-09-16",
    }
)
"""Those that are applied here (as far as their functions are known), or change no function."""
LOOP: Final = "Fn::ForEach::"
FUNCTION: Final = "AWS::Serverless::Function"
PLAIN_FUNCTION: Final = "AWS::Lambda::Function"

_DEPLOYED: Final = "it matters only when the function is deployed"
_TRIGGER: Final = "nothing but an invocation starts the function here"
_ACCESS: Final = "a local function has no role"
_FAILED_EVENT: Final = "failed events are not passed on here"
_ENCRYPTION: Final = "nothing is encrypted at rest here"
_IMAGE: Final = "images can't be run here: give CodeUri, Handler and Runtime"
_INSTANCES: Final = "managed instances can't be emulated here"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names allowed in one kind of mapping; ignored and refused ones with the reason."""

    used: frozenset[str]
    ignored: Mapping[str, str]
    refused: Mapping[str, str] = field(default_factory=dict)

    def unknown(self, name: str) -> str:
        """Say that a name isn't among them, and which is closest."""
        known = sorted([*self.used, *self.ignored, *self.refused])
        if name.startswith(LOOP):
            return (
                f"{name[:100]} generates entries in a loop, which isn't supported here: write them "
                "out"
            )
        close = difflib.get_close_matches(name[:100], known, n=1)
        hint = f": did you mean {close[0]}?" if close else ""
        return f"{name} is not supported{hint}"


SECTIONS: Final = Vocabulary(
    used=frozenset(
        {"AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Mappings",
         "Parameters", "Resources", "Transform"}
    ),
    ignored=dict.fromkeys(("Metadata", "Outputs", "Rules", "Hooks"), _DEPLOYED),
)  # fmt: skip

ATTRIBUTES: Final = Vocabulary(
    used=frozenset({"Type", "Properties", "Condition", "Metadata", "IgnoreGlobals"}),
    ignored={
        **dict.fromkeys(
            ("DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy",
             "CreationPolicy"),
            _DEPLOYED,
        ),
        "Connectors": _ACCESS,
        "Description": "it means nothing to Lambda",
    },
)  # fmt: skip
"""Others have no effect either, unless they look like one that is used."""

PROPERTIES: Final = Vocabulary(
    used=frozenset(
        {"Architectures", "AutoPublishAlias", "CodeUri", "Description", "Environment",
         "EphemeralStorage", "FunctionName", "Handler", "InlineCode", "Layers", "LoggingConfig",
         "MemorySize", "PackageType", "Runtime", "Timeout"}
    ),
    ignored={
        **dict.fromkeys(
            ("AssumeRolePolicyDocument", "PermissionsBoundary", "Policies", "Role", "RolePath"),
            _ACCESS,
        ),
        **dict.fromkeys(
            ("AutoPublishAliasAllProperties", "AutoPublishCodeSha256", "CodeSigningConfigArn",
             "DeploymentPreference", "PropagateTags", "PublishToLatestPublished", "RecursiveLoop",
             "RuntimeManagementConfig", "Tags", "VersionDeletionPolicy", "VersionDescription"),
            _DEPLOYED,
        ),
        **dict.fromkeys(("DeadLetterQueue", "EventInvokeConfig"), _FAILED_EVENT),
        **dict.fromkeys(("Events", "FunctionUrlConfig"), _TRIGGER),
        **dict.fromkeys(("KmsKeyArn", "SourceKMSKeyArn"), _ENCRYPTION),
        "ProvisionedConcurrencyConfig": "environments start on demand here",
        "ReservedConcurrentExecutions": "a sweep bounds its own concurrency",
        "SnapStart": "cold starts are plain inits here, not restores",
        "Tracing": "nothing is traced here",
        "VpcConfig": "the function uses this host's network",
    },
    refused={
        **dict.fromkeys(("CapacityProviderConfig", "FunctionScalingConfig"), _INSTANCES),
        "DurableConfig": "durable executions can't be emulated here",
        "FileSystemConfigs": "the file system would be missing; leave it out to run without it",
        **dict.fromkeys(("ImageConfig", "ImageUri"), _IMAGE),
        "TenancyConfig": "tenants' environments can't be kept apart here",
    },
)  # fmt: skip

_BY_BOTH: Final = (
    "CodeSigningConfigArn", "KmsKeyArn", "PublishToLatestPublished", "RecursiveLoop",
    "ReservedConcurrentExecutions", "Role", "RuntimeManagementConfig", "SnapStart", "Tags",
    "VpcConfig",
)  # fmt: skip
PLAIN_PROPERTIES: Final = Vocabulary(
    used=(PROPERTIES.used - {"AutoPublishAlias", "CodeUri", "InlineCode"}) | {"Code"},
    ignored={
        **{name: PROPERTIES.ignored[name] for name in _BY_BOTH},
        "DeadLetterConfig": _FAILED_EVENT,
        "TracingConfig": PROPERTIES.ignored["Tracing"],
    },
    refused={name: why for name, why in PROPERTIES.refused.items() if name != "ImageUri"},
)

_LAYER: Final = dict.fromkeys(
    ("CompatibleArchitectures", "CompatibleRuntimes", "Description", "LicenseInfo"), _DEPLOYED
)
LAYERS: Final = {
    "AWS::Serverless::LayerVersion": Vocabulary(
        used=frozenset({"ContentUri", "LayerName"}),
        ignored={**_LAYER, "PublishLambdaLayer": _DEPLOYED, "RetentionPolicy": _DEPLOYED},
    ),
    "AWS::Lambda::LayerVersion": Vocabulary(
        used=frozenset({"Content", "LayerName"}), ignored=_LAYER
    ),
}
"""Layers by type, with their properties."""

FUNCTIONS: Final = {FUNCTION: PROPERTIES, PLAIN_FUNCTION: PLAIN_PROPERTIES}
"""Functions by type, with their properties."""


class Notes:
    """Checks what is written against what is supported, and notes what is skipped."""

    def __init__(self) -> None:
        self.ignored: list[IgnoredPart] = []

    def add(self, node: TemplateNode, name: str, whose: str, why: str) -> None:
        """Note a part that has no effect here."""
        self.ignored.append(IgnoredPart(name, whose, why, node.line))

    def used(
        self,
        entries: Mapping[str, tuple[TemplateNode, TemplateNode]],
        known: Vocabulary,
        whose: str,
    ) -> dict[str, TemplateNode]:
        """Return the values that are used; note the others, or refuse them (TemplateError)."""
        used: dict[str, TemplateNode] = {}
        for name, (key, value) in entries.items():
            if name in known.used:
                used[name] = value
            elif name in known.ignored:
                self.add(key, name, whose, known.ignored[name])
            elif name in known.refused:
                key.refuse(f"{name}{whose} is not supported: {known.refused[name]}")
            else:
                key.refuse(known.unknown(name))
        return used

    def attributes(
        self, attributes: Mapping[str, tuple[TemplateNode, TemplateNode]], whose: str
    ) -> dict[str, TemplateNode]:
        """Return a resource's attributes; an unknown one has no effect here."""
        known, rest = ATTRIBUTES, {}
        for name, (key, value) in attributes.items():
            if name in {*known.used, *known.ignored} or difflib.get_close_matches(
                name[:100], known.used, n=1
            ):
                rest[name] = (key, value)
            else:
                self.add(key, name, whose, "nothing here knows it")
        return self.used(rest, known, whose)
