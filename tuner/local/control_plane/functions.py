"""Create, read, list, change, publish and delete functions, in the words of Lambda's API."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import LocalError
from tuner.local.control_plane import settings as function_settings
from tuner.local.control_plane.api_error import invalid
from tuner.local.control_plane.layers import check_total_size
from tuner.local.control_plane.names import LATEST, check_new_name
from tuner.local.control_plane.package import image_code
from tuner.local.control_plane.validation import check_function, check_tags
from tuner.local.deployment import runtime_version_arn
from tuner.local.http.message import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tuner.local.control_plane.function_state import Function, Version
    from tuner.local.control_plane.function_store import FunctionStore
    from tuner.local.control_plane.lambda_api import Answer, Call
    from tuner.local.control_plane.layers import LayerStore
    from tuner.local.control_plane.package import Code, Uploads
    from tuner.local.control_plane.settings import Settings
    from tuner.local.deployment import Executor


@dataclass(frozen=True, slots=True)
class FunctionsApi:
    """Operations on functions and versions. `code_url` returns the address of a kept package."""

    store: FunctionStore
    uploads: Uploads
    layers: LayerStore
    executor: Executor
    code_url: Callable[[Code], str]

    def create_function(self, call: Call) -> Answer:
        """CreateFunction."""
        body = call.json()
        reference = self.store.account.resolve(body["FunctionName"])
        check_new_name(reference.name)
        self._check(body)
        tags = body.get("Tags") or {}
        check_tags(tags, {})
        settings = function_settings.create_settings(body)
        code = self._read_code(body["Code"])
        settings = self._layers_of(body)(settings, code)
        function, version = self.store.create(
            reference.name, settings, code, tags=tags, publish=bool(body.get("Publish"))
        )
        return self._configuration(function, version)

    def get_function(self, call: Call) -> Answer:
        """GetFunction."""
        reference = call.reference
        with self.store.open(reference) as function:
            version = self.store.find(function, reference)
            reply: dict[str, Any] = {
                "Configuration": self._configuration(function, version, reference.qualifier),
                "Code": self._location_of(version.code),
            }
            if function.tags:
                reply["Tags"] = dict(function.tags)
            if (reserved := function.reserved_concurrency) is not None:
                reply["Concurrency"] = {"ReservedConcurrentExecutions": reserved}
        return reply

    def get_function_configuration(self, call: Call) -> Answer:
        """GetFunctionConfiguration."""
        reference = call.reference
        with self.store.open(reference) as function:
            version = self.store.find(function, reference)
            return self._configuration(function, version, reference.qualifier)

    def list_functions(self, call: Call) -> Answer:
        """ListFunctions: $LATEST of each, or every version too with FunctionVersion=ALL."""
        every_version = call.query.get("FunctionVersion") == "ALL"
        listed = [
            (function, version)
            for function, versions in self.store.all()
            for version in (versions if every_version else versions[:1])
        ]
        page, marker = call.page(listed, lambda pair: f"{pair[0].name}:{pair[1].number}")
        functions = [
            self._listed(function, version, qualified=every_version) for function, version in page
        ]
        return {"Functions": functions, **marker}

    def list_versions_by_function(self, call: Call) -> Answer:
        """ListVersionsByFunction: $LATEST first, then versions in order."""
        with self.store.open(call.reference) as function:
            page, marker = call.page(function.all_versions(), lambda each: each.number)
            versions = [self._listed(function, version) for version in page]
        return {"Versions": versions, **marker}

    def update_function_configuration(self, call: Call) -> Answer:
        """UpdateFunctionConfiguration: omitted members stay as they are."""
        name, body = _unqualified(call), call.json()
        self._check(body)
        put_layers = self._layers_of(body)
        function, version = self.store.update(
            name,
            revision_id=body.get("RevisionId"),
            settings=lambda base, code: put_layers(
                function_settings.update_settings(body, base), code
            ),
        )
        return self._configuration(function, version)

    def update_function_code(self, call: Call) -> Answer:
        """UpdateFunctionCode, with DryRun and Publish."""
        name, body = _unqualified(call), call.json()
        self._check(body)
        with self.store.open(name) as function:  # before anything about its code
            package_type = function.latest.settings.members["PackageType"]
        if (package_type == "Image") != bool(body.get("ImageUri")):
            please = "Please provide" if package_type == "Image" else "Please don't provide"
            raise invalid(
                f"{please} ImageUri when updating a function with packageType {package_type}."
            )
        code = self._read_code(body)
        put_layers = self._layers_of({})
        function, version = self.store.update(
            name,
            revision_id=body.get("RevisionId"),
            settings=lambda base, code: put_layers(
                function_settings.update_settings(
                    {"Architectures": body.get("Architectures")}, base
                ),
                code,
            ),
            code=code,
            publish=bool(body.get("Publish")),
            dry_run=bool(body.get("DryRun")),
        )
        return self._configuration(function, version)

    def publish_version(self, call: Call) -> Answer:
        """PublishVersion."""
        name, body = _unqualified(call), call.json()
        if body.get("PublishTo"):
            raise invalid("PublishTo is not supported by the local Lambda: leave it out")
        function, version = self.store.publish(
            name,
            description=body.get("Description"),
            code_sha256=body.get("CodeSha256"),
            revision_id=body.get("RevisionId"),
        )
        return self._configuration(function, version, version.number)

    def delete_function(self, call: Call) -> Response:
        """DeleteFunction: the whole function, or the version of the Qualifier."""
        self.store.delete(call.reference)
        return Response(204)

    def _check(self, body: Mapping[str, Any]) -> None:
        check_function(body, self.executor.limits)
        if body.get("Runtime"):
            try:
                self.executor.runtime_findings(body["Runtime"])
            except LocalError as error:
                raise invalid(str(error)) from None

    def _layers_of(self, body: Mapping[str, Any]) -> Callable[[Settings, Code], Settings]:
        """Lay a request's layers; return the change to the settings, and check the total size."""
        given = body.get("Layers")
        layered = None if given is None else self.layers.lay(given)

        def put(settings: Settings, code: Code) -> Settings:
            if given is not None:
                settings = replace(settings, layered=layered)
            check_total_size(code, settings.layered)
            return settings

        return put

    def _read_code(self, source: Mapping[str, Any]) -> Code:
        """Take a package; an image is kept by name only, if nothing runs."""
        uri = source.get("ImageUri")
        if uri and self.executor.limits.cpu_control == "none":
            return image_code(str(uri))
        return self.uploads.read(source)

    def _location_of(self, code: Code) -> dict[str, str]:
        if code.image_uri is None:
            return {"RepositoryType": "S3", "Location": self.code_url(code)}
        name = code.image_uri.partition("@")[0]
        repository = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
        return {
            "RepositoryType": "ECR",
            "ImageUri": code.image_uri,
            "ResolvedImageUri": f"{repository}@sha256:{code.sha256}",
        }

    def _listed(
        self, function: Function, version: Version, *, qualified: bool = True
    ) -> dict[str, Any]:
        """Describe a version in a list, which leaves out states and runtime versions."""
        shape = self._configuration(function, version, version.number if qualified else None)
        return {key: value for key, value in shape.items() if not key.startswith(_UNLISTED)}

    def _configuration(
        self, function: Function, version: Version, qualifier: str | None = None
    ) -> dict[str, Any]:
        """Return a FunctionConfiguration; the ARN of $LATEST is qualified on request only."""
        now_s = self.store.now_s()
        account = self.store.account
        if qualifier is None and version.number != LATEST:
            qualifier = version.number
        modified = datetime.fromtimestamp(version.modified_at_s, UTC)
        runtime = {
            "RuntimeVersionConfig": {"RuntimeVersionArn": runtime_version_arn(account.region)}
        }
        return {
            "FunctionName": function.name,
            "FunctionArn": account.arn(function.name, qualifier),
            **function_settings.describe(version.settings, function.name),
            "CodeSize": version.code.size_bytes,
            "CodeSha256": version.code.sha256,
            "LastModified": f"{modified:%Y-%m-%dT%H:%M:%S}.{modified.microsecond // 1000:03d}+0000",
            "Version": version.number,
            "RevisionId": version.revision_at(now_s),
            **({} if version.code.image_uri else runtime),
            **_state(version, is_ready=version.is_ready(now_s)),
        }


_CREATING: Final = "The function is being created."
_UNLISTED: Final = ("State", "LastUpdateStatus", "RuntimeVersionConfig")
"""How the members begin that lists leave out."""


def _state(version: Version, *, is_ready: bool) -> dict[str, str]:
    if is_ready:
        return {"State": "Active", "LastUpdateStatus": "Successful"}
    if version.change == "update":
        return {
            "State": "Active",
            "LastUpdateStatus": "InProgress",
            "LastUpdateStatusReason": _CREATING,  # AWS's words: it creates one with the change
            "LastUpdateStatusReasonCode": "Creating",
        }
    return {"State": "Pending", "StateReason": _CREATING, "StateReasonCode": "Creating"}


def _unqualified(call: Call) -> str:
    if call.reference.qualifier not in (None, LATEST):
        raise invalid("Current operation does not support versions other than $LATEST.")
    return call.reference.name
