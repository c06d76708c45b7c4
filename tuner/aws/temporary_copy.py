"""A temporary copy of a function: made from what GetFunction returns, deleted with its log group.

CreateFunction takes code and settings only, so no trigger, alias, concurrency or policy comes
along. The dead-letter queue (for asynchronous calls, which a sweep doesn't make) and the log group
(a copy writes to its own) are left out on purpose.
"""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from tuner.aws.configuration import DERIVED
from tuner.aws.connection_errors import Request
from tuner.aws.function_code import FunctionCodeReader
from tuner.errors import AwsError, ConflictError, FunctionNotFoundError, InputError
from tuner.lease.clone import COPY_PREFIX, copy_description
from tuner.lease.function_control import AS_IT_IS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.aws.function_ref import FunctionRef
    from tuner.model.function import Build, FunctionConfig, Throwaway, WantedCopy

_PLAIN: Final = (
    "Architectures", "FileSystemConfigs", "Handler", "KMSKeyArn", "MemorySize", "PackageType",
    "Role", "Runtime", "Timeout",
)  # fmt: skip
# The parts of a setting that a copy takes along, and the parts that are its own or Lambda's.
_PARTS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "Environment": (frozenset({"Variables"}), frozenset({"Error"})),
    "EphemeralStorage": (frozenset({"Size"}), frozenset()),
    "LoggingConfig": (
        frozenset({"LogFormat", "ApplicationLogLevel", "SystemLogLevel"}),
        frozenset({"LogGroup"}),
    ),
    "RuntimeConfig": (frozenset({"RuntimeArn", "RuntimeAlias"}), frozenset()),
    "SnapStart": (frozenset({"ApplyOn"}), frozenset({"OptimizationStatus"})),
    "TracingConfig": (frozenset({"Mode"}), frozenset()),
    "VpcConfig": (
        frozenset({"SubnetIds", "SecurityGroupIds", "Ipv6AllowedForDualStack"}),
        frozenset({"VpcId"}),
    ),
}
_RENAMED: Final = frozenset({"ImageConfigResponse", "Layers"})
# Known to differ: a copy's own, its code (which has a digest to be compared by), what its code was
# signed with, and the queue for asynchronous calls.
_ITS_OWN: Final = DERIVED | {
    "CodeSha256", "CodeSize", "DeadLetterConfig", "Description", "FunctionArn", "FunctionName",
    "RevisionId", "SigningJobArn", "SigningProfileVersionArn", "Version",
}  # fmt: skip


def copied_settings(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return CreateFunction's parameters for a FunctionConfiguration, without name and code.

    Raises AwsError for what can't be copied: a copy that differs would measure something else.
    """
    _refuse_uncopyable(raw)
    nested = {name: _part(raw, name, *fields) for name, (fields, _) in _PARTS.items()}
    renamed = {
        "ImageConfig": (raw.get("ImageConfigResponse") or {}).get("ImageConfig"),
        "Layers": [layer["Arn"] for layer in raw.get("Layers") or ()],
    }
    if not (raw.get("VpcConfig") or {}).get("SubnetIds"):
        del nested["VpcConfig"]
    plain = {name: raw.get(name) for name in _PLAIN}
    return {name: given for name, given in {**plain, **nested, **renamed}.items() if given}


class TemporaryCopies(FunctionCodeReader):
    """The part of the gateway that makes and deletes copies of functions."""

    def create_copy(
        self,
        function: str,
        copy: str,
        description: str,
        tags: Mapping[str, str],
        wanted: WantedCopy = AS_IT_IS,
    ) -> FunctionConfig:
        """See `FunctionControl`."""
        source, made = self.resolve(function), self._copy(copy)
        request = Request("GetFunction", source)
        # With the link to the code, which stays in this module.
        answer = self._control.ask(request, FunctionName=source.target)
        with self._session.translating(request):
            settings = copied_settings(answer["Configuration"])
        build = wanted.build
        code = _code_of(build) if build is not None else self._code(source, answer)
        parameters = {**settings, "Code": code, "Description": description, "Tags": dict(tags)}
        expected = answer["Configuration"]
        if wanted.architecture is not None:
            parameters["Architectures"] = [wanted.architecture]
            expected = {**expected, "Architectures": [wanted.architecture]}
        try:
            request = Request("CreateFunction", made)
            self._control.ask(request, FunctionName=made.target, **parameters)
        except ConflictError:  # the SDK's first try took effect, or it's somebody else's
            self._check_ours(made, description)
        raw = self._control.settled(made)
        others = _differing(expected, raw)
        if others:
            raise ConflictError(
                f"the copy {made.name} differs from {source.name} in {', '.join(others)}: give "
                "`isolation=version`"
            )
        return self._config(raw)

    def read_package(self, function: str) -> tuple[bytes, str] | None:
        """The deployed ZIP package and the name of its handler; None for a container image.

        Raises AwsError.
        """
        source = self.resolve(function)
        answer = self._control.ask(Request("GetFunction", source), FunctionName=source.target)
        code = self._code(source, answer)
        if "ZipFile" not in code:
            return None
        return code["ZipFile"], str(answer["Configuration"].get("Handler", ""))

    def create_throwaway(
        self, spec: Throwaway, description: str, tags: Mapping[str, str]
    ) -> FunctionConfig:
        """See `FunctionControl`; ConflictError if the name is taken."""
        made = self._copy(spec.name)
        try:
            self._control.ask(
                Request("CreateFunction", made),
                FunctionName=made.target,
                Role=spec.role_arn,
                Runtime=spec.runtime,
                Handler=spec.handler,
                Code={"ZipFile": spec.package},
                MemorySize=spec.memory_mb,
                Timeout=spec.timeout_s,
                Description=description,
                Tags=dict(tags),
            )
        except ConflictError:  # as for a copy
            self._check_ours(made, description)
        return self._config(self._control.settled(made))

    def delete_copy(self, copy: str, description: str) -> None:
        """Delete a copy that has this description, if it exists.

        Raises InputError for any other name, ConflictError if it isn't this sweep's.
        """
        made = self._copy(copy)
        with suppress(FunctionNotFoundError):
            self._check_ours(made, description)
            self._control.change(Request("DeleteFunction", made), FunctionName=made.target)

    def list_copies(self, function: str) -> tuple[tuple[str, str], ...]:
        """(name, Description) of every temporary copy of a function, over all pages."""
        owner = self.resolve(function).name
        client: Any = self._control.client
        with self._session.translating(Request("ListFunctions")):
            return tuple(
                (raw["FunctionName"], raw["Description"])
                for page in client.get_paginator("list_functions").paginate()
                for raw in page.get("Functions", ())
                if raw["FunctionName"].startswith(COPY_PREFIX)
                and raw.get("Description")
                == copy_description(raw["FunctionName"].removeprefix(COPY_PREFIX), owner)
            )

    def delete_logs_of_copy(self, copy: str) -> None:
        """Delete the log group that Lambda made for a copy, if it exists."""
        made = self._copy(copy)
        request = Request("DeleteLogGroup", made)
        limits = {"connect_timeout": 5, "read_timeout": 30}
        try:
            with self._control.beside("logs", request, **limits) as client:
                client.delete_log_group(logGroupName=f"/aws/lambda/{made.name}")
        except FunctionNotFoundError:
            return
        except AwsError as error:
            is_missing = "NotImplemented" in str(error) or "UnknownOperation" in str(error)
            if not (self.is_loopback and is_missing):
                raise

    def _copy(self, name: str) -> FunctionRef:
        """Without a qualifier, DeleteFunction deletes a function: only ever a copy."""
        copy = self.resolve(name)
        if not copy.name.startswith(COPY_PREFIX) or copy.qualifier is not None:
            raise InputError(f"{copy.name} is not the name of a temporary copy")
        return copy

    def _check_ours(self, copy: FunctionRef, description: str) -> None:
        if self._control.read(copy).get("Description") != description:
            raise ConflictError(
                f"{copy.name} isn't this sweep's copy by its Description: nothing was done to it"
            )

    def _code(self, function: FunctionRef, answer: Mapping[str, Any]) -> dict[str, Any]:
        stored = answer.get("Code", {})
        if answer["Configuration"].get("PackageType") == "Image":
            uri = stored.get("ResolvedImageUri") or stored.get("ImageUri")
            if not uri:
                raise AwsError(f"Lambda does not say which image {function.name} runs")
            return {"ImageUri": uri}
        package = self.download(function, str(stored.get("Location", "")))
        digest = base64.b64encode(hashlib.sha256(package).digest()).decode()
        if digest != answer["Configuration"].get("CodeSha256"):
            raise ConflictError(
                f"the code of {function.name} changed while it was being fetched: sweep again"
            )
        return {"ZipFile": package}


def _code_of(build: Build) -> dict[str, Any]:
    if build.image_uri is not None:
        return {"ImageUri": build.image_uri}
    return {"ZipFile": build.package}


def _refuse_uncopyable(raw: Mapping[str, Any]) -> None:
    """Raise AwsError for settings that are neither copied nor known to differ."""
    name = raw.get("FunctionName", "the function")
    known = {*_PLAIN, *_PARTS, *_RENAMED, *_ITS_OWN}
    uncopyable = [each for each, given in raw.items() if given and each not in known]
    uncopyable += [
        f"{each}.{field}"
        for each, fields in _PARTS.items()
        for field, given in (raw.get(each) or {}).items()
        if given and field not in fields[0] | fields[1]
    ]
    if uncopyable:
        raise AwsError(
            f"{name} has {', '.join(sorted(uncopyable))}, which can't be copied: give "
            "`isolation=version`"
        )
    if (raw.get("Environment") or {}).get("Error"):
        raise AwsError(
            f"the environment of {name} can't be read (its KMS key?), so it can't be copied: "
            "give `isolation=version`"
        )


def _differing(original: Mapping[str, Any], copy: Mapping[str, Any]) -> list[str]:
    """Name every setting in which a copy differs from its original, sorted.

    Everything that Lambda reports is compared except what is known to differ.
    """
    first, second = _compared(original), _compared(copy)
    return sorted(name for name in {*first, *second} if first.get(name) != second.get(name))


def _compared(raw: Mapping[str, Any]) -> dict[str, Any]:
    compared: dict[str, Any] = {}
    for name, given in raw.items():
        own_parts = _PARTS[name][1] if name in _PARTS else frozenset[str]()
        told = given
        if isinstance(given, dict):
            told = {k: v for k, v in given.items() if v and k not in own_parts}
        if told and name not in _ITS_OWN:
            compared[name] = told
    return compared


def _part(raw: Mapping[str, Any], name: str, *fields: str) -> dict[str, Any]:
    given = raw.get(name) or {}
    return {field: given[field] for field in fields if given.get(field)}
