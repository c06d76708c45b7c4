"""Layers: published, found, listed, deleted, and overlaid for a function."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tuner.local.control_plane.api_error import invalid, no_such_resource
from tuner.local.control_plane.names import PARTITION
from tuner.local.control_plane.package import MAX_UNZIPPED_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from tuner.local.control_plane.lambda_api import Answer, Call
    from tuner.local.control_plane.names import AccountRegion
    from tuner.local.control_plane.package import Code, CodeStore, Uploads

MAX_LAYERS: Final = 5
_DETAILS: Final = ("Description", "LicenseInfo", "CompatibleRuntimes", "CompatibleArchitectures")


@dataclass(frozen=True, slots=True)
class LayerVersion:
    """One version of a layer: never changed, and kept for its functions after it's deleted."""

    name: str
    number: int
    arn: str
    code: Code
    created: str
    details: Mapping[str, Any] = field(default_factory=dict)
    """Description, LicenseInfo, CompatibleRuntimes, CompatibleArchitectures as they were given."""


@dataclass(frozen=True, slots=True)
class Layered:
    """A function's layers, and the folder used as /opt."""

    versions: tuple[tuple[str, int], ...]
    """ARNs with the packages' sizes in bytes."""
    opt_dir: Path = field(repr=False)
    unzipped_bytes: int = 0


class LayerStore:
    """Keeps the layers' versions. Thread-safe."""

    def __init__(self, account: AccountRegion, codes: CodeStore) -> None:
        self._account = account
        self._codes = codes
        self._layers: dict[str, dict[int, LayerVersion]] = {}
        self._next: dict[str, int] = {}
        self._lock = threading.Lock()

    def publish(self, name: str, code: Code, **details: Any) -> LayerVersion:
        """Keep a package as the next version of a layer."""
        with self._lock:
            number = self._next[name] = self._next.get(name, 0) + 1
            created = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000+0000}"
            version = LayerVersion(name, number, self.arn(name, number), code, created, details)
            self._layers.setdefault(name, {})[number] = version
            return version

    def arn(self, name: str, number: int | None = None) -> str:
        """Return a layer's ARN, or that of a version; the name may be an ARN already."""
        account = self._account
        start = f"arn:{PARTITION}:lambda:{account.region}:{account.account_id}:layer:"
        return f"{start}{name.removeprefix(start)}" + ("" if number is None else f":{number}")

    def all(self) -> list[list[LayerVersion]]:
        """Return the layers by name, each with its versions, newest first."""
        with self._lock:
            layers = [self._layers[name] for name in sorted(self._layers)]
            return [sorted(versions.values(), key=lambda v: -v.number) for versions in layers]

    def find(self, arn: str) -> LayerVersion | None:
        """Return a version by its ARN."""
        with self._lock:
            found = [each for layer in self._layers.values() for each in layer.values()]
        return next((each for each in found if each.arn == arn), None)

    def delete(self, name: str, number: int) -> None:
        """Delete a version, if it exists."""
        with self._lock:
            versions = self._layers.get(name, {})
            versions.pop(number, None)
            if not versions:
                self._layers.pop(name, None)

    def lay(self, arns: Sequence[str]) -> Layered | None:
        """Overlay a function's layers; None for none.

        Raises ApiError for layers that don't exist, too many, or one with an extension.
        """
        if len(arns) > MAX_LAYERS:
            raise invalid(f"Cannot reference more than {MAX_LAYERS} layers.")
        versions = [self._needed(arn) for arn in arns]
        if not versions:
            return None
        for first, second in itertools.combinations(versions, 2):
            if first.name == second.name:
                raise invalid(
                    "Two different versions of the same layer are not allowed to be referenced in "
                    f"the same function. {first.arn} and {second.arn} are versions of the same "
                    "layer."
                )
        for version in versions:
            _refuse_extensions(version)
        opt_dir = self._codes.lay(tuple(version.code for version in versions))
        return Layered(
            versions=tuple((v.arn, v.code.size_bytes) for v in versions),
            opt_dir=opt_dir,
            unzipped_bytes=sum(version.code.unzipped_bytes for version in versions),
        )

    def _needed(self, arn: str) -> LayerVersion:
        version = self.find(arn)
        region = self._account.region
        if version is None and arn.split(":")[3] not in ("", region):
            raise invalid(
                "Layers are not in the same region as the function. Layers are expected to be in "
                f"region {region}."
            )
        if version is None:
            raise invalid(
                f"Layer version {arn} does not exist. (Layers of an AWS account aren't available "
                "here: publish their files to this endpoint)"
            )
        return version


@dataclass(frozen=True, slots=True)
class LayersApi:
    """Operations on layers. `code_url` returns the address of a kept package."""

    layers: LayerStore
    uploads: Uploads
    code_url: Callable[[Code], str]

    def publish_layer_version(self, call: Call) -> Answer:
        """PublishLayerVersion."""
        body = call.json()
        code = self.uploads.read(body["Content"])
        details = {member: body[member] for member in _DETAILS if body.get(member) is not None}
        return self._whole(self.layers.publish(self._name(call), code, **details))

    def get_layer_version(self, call: Call) -> Answer:
        """GetLayerVersion."""
        return self._found(self.layers.arn(call.path["LayerName"], _number(call)))

    def get_layer_version_by_arn(self, call: Call) -> Answer:
        """GetLayerVersionByArn."""
        return self._found(call.query.get("Arn") or "")

    def list_layer_versions(self, call: Call) -> Answer:
        """ListLayerVersions: newest first."""
        name = self._name(call)
        versions = [each for layer in self.layers.all() for each in layer if each.name == name]
        page, marker = call.page(_compatible(versions, call), lambda each: str(each.number))
        return {"LayerVersions": [_brief(each) for each in page], **marker}

    def list_layers(self, call: Call) -> Answer:
        """ListLayers: each with its newest version."""
        newest = [found[0] for each in self.layers.all() if (found := _compatible(each, call))]
        page, marker = call.page(newest, lambda each: each.name)
        layers = [
            {
                "LayerName": each.name,
                "LayerArn": self.layers.arn(each.name),
                "LatestMatchingVersion": _brief(each),
            }
            for each in page
        ]
        return {"Layers": layers, **marker}

    def delete_layer_version(self, call: Call) -> None:
        """DeleteLayerVersion: functions that use it keep it."""
        self.layers.delete(self._name(call), _number(call))

    def _name(self, call: Call) -> str:
        """Read a layer's name, or its ARN."""
        return call.path["LayerName"].removeprefix(self.layers.arn(""))

    def _found(self, arn: str) -> Answer:
        version = self.layers.find(arn)
        if version is None:
            raise no_such_resource()
        return self._whole(version)

    def _whole(self, version: LayerVersion) -> dict[str, Any]:
        code = version.code
        content = {
            "Location": self.code_url(code),
            "CodeSha256": code.sha256,
            "CodeSize": code.size_bytes,
        }
        return {"Content": content, "LayerArn": self.layers.arn(version.name), **_brief(version)}


def _brief(version: LayerVersion) -> dict[str, Any]:
    return {
        "LayerVersionArn": version.arn,
        "Version": version.number,
        "Description": "",
        "CreatedDate": version.created,
        **version.details,
    }


def _compatible(versions: Iterable[LayerVersion], call: Call) -> list[LayerVersion]:
    """Keep the versions declared for the given runtime and architecture."""
    asked = {
        "CompatibleRuntimes": call.query.get("CompatibleRuntime"),
        "CompatibleArchitectures": call.query.get("CompatibleArchitecture"),
    }
    wanted = {name: value for name, value in asked.items() if value}
    return [
        version
        for version in versions
        if all(value in version.details.get(name, ()) for name, value in wanted.items())
    ]


def _number(call: Call) -> int:
    number = int(call.path["VersionNumber"])
    if number < 1:
        raise invalid("Layer Version Cannot be less than 1")
    return number


def _refuse_extensions(version: LayerVersion) -> None:
    folder = version.code.folder / "extensions"
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    if names:
        raise invalid(
            f"The layer {version.name} brings the extension {names[0]}, and extensions can't be "
            "run by the local Lambda: leave the layer out"
        )


def check_total_size(code: Code, layered: Layered | None) -> None:
    """Refuse a function that is too large together with its layers."""
    total = code.unzipped_bytes + (layered.unzipped_bytes if layered else 0)
    if total > MAX_UNZIPPED_BYTES:
        raise invalid(
            "Function code combined with layers exceeds the maximum allowed size of "
            f"{MAX_UNZIPPED_BYTES} bytes. The actual size is {total} bytes."
        )
