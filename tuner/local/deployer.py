"""Puts definitions into the store: packs their code and checks them against this host."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import LocalError
from tuner.local.build import handler_stem
from tuner.local.control_plane.api_error import ApiError
from tuner.local.control_plane.layers import check_total_size
from tuner.local.control_plane.names import ACCOUNT_ID, check_new_name
from tuner.local.control_plane.package import package_of, zip_source
from tuner.local.control_plane.settings import create_settings
from tuner.local.control_plane.validation import check, check_function
from tuner.local.template_report import findings_of, left_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.iac import TemplateLayer
    from tuner.local.build import Builder
    from tuner.local.control_plane.function_store import FunctionStore
    from tuner.local.control_plane.layers import Layered, LayerStore
    from tuner.local.control_plane.package import Code, CodeStore
    from tuner.local.deployment import Executor, FunctionDefinition
    from tuner.model.finding import Finding

_ROLE: Final = f"arn:aws:iam::{ACCOUNT_ID}:role/local"
_ECHO: Final = "def handler(event, context):\n    return event\n"


@dataclass(frozen=True, slots=True)
class Deployer:
    """Deploys functions that are ready at once, and reports findings about them."""

    store: FunctionStore
    layers: LayerStore
    codes: CodeStore
    executor: Executor
    builder: Builder | None
    """None: the code is deployed as it is."""
    _published: dict[tuple[str, bool], str] = field(default_factory=dict)
    _broken: dict[tuple[str, bool], str] = field(default_factory=dict)

    def deploy_all(
        self, functions: Sequence[FunctionDefinition], *, leave_out_unfit: bool
    ) -> dict[str, list[Finding]]:
        """Deploy, and return the findings about each function by name.

        What can't run here raises LocalError, or is left out with a finding. Also raises LocalError
        if nothing remains.
        """
        findings: dict[str, list[Finding]] = {}
        unfit: dict[str, str] = {}
        for function in functions:
            try:
                findings[function.name] = self._deploy(function)
            except LocalError as error:
                if not leave_out_unfit:
                    raise
                unfit[str(error)] = str(error.__cause__ or error)
                findings[function.name] = [left_out(str(error))]
                self.store.left_out[function.name] = str(error)
        if unfit and not self.store.names():
            reasons = set(unfit.values())
            if len(unfit) > len(reasons) == 1:
                raise LocalError(f"no function of the template runs here: {reasons.pop()}")
            raise LocalError("; ".join(unfit))
        return findings

    def _deploy(self, function: FunctionDefinition) -> list[Finding]:
        request = _creation(function)
        try:
            check_new_name(function.name)
            check("CreateFunction", request)
            check_function(request, self.executor.limits)
            findings = self.executor.runtime_findings(function.runtime)
            builder = self.builder if self.builder and self.builder.is_for(function) else None
            if builder is None:
                _check_bundled(function)
            built = builder.build(function) if builder else None
            code = self.codes.add(_package(replace(function, code_dir=built or function.code_dir)))
            layered = self.layers.lay([self._publish(layer, builder) for layer in function.layers])
            settings = replace(create_settings(request), layered=layered)
            check_total_size(code, layered)
            _check_bootstrap(function, code, layered)
            aliases = [each for each in function.qualifiers if each != "1"]
            for alias in aliases:
                check("CreateAlias", {"Name": alias, "FunctionVersion": "1"})
            self.store.create(
                function.name,
                settings,
                code,
                tags={},
                publish=bool(function.qualifiers),
                at_once=True,
                aliases=aliases,
            )
        except (ApiError, LocalError) as refused:
            where = f"{function.origin}: " if function.origin else ""
            raise LocalError(f"{where}function {function.name}: {refused}") from refused
        is_built, may_build = built is not None, builder is not None
        return [*findings, *findings_of(function, is_built=is_built, may_build=may_build)]

    def _publish(self, layer: TemplateLayer, builder: Builder | None) -> str:
        """Publish a layer's folder once for all functions that use it; return its ARN.

        Raises LocalError, for each of them, if it can't be built.
        """
        key = (layer.name, builder is not None and layer.build_method is not None)
        if key in self._broken:
            raise LocalError(self._broken[key])
        if key not in self._published:
            try:
                built = builder.build_layer(layer) if builder else None
            except LocalError as error:
                self._broken[key] = str(error)
                raise
            code = self.codes.add(package_of(built or layer.folder))
            self._published[key] = self.layers.publish(layer.name, code).arn
        return self._published[key]


def _package(function: FunctionDefinition) -> bytes:
    if function.code_dir is not None:
        return package_of(function.code_dir)
    if function.inline_code is None:
        return zip_source("handler.py", _ECHO)
    ending = "js" if function.runtime.startswith("nodejs") else "py"
    return zip_source(f"index.{ending}", function.inline_code)


def _check_bootstrap(function: FunctionDefinition, code: Code, layered: Layered | None) -> None:
    """Report right away, with the template's line, what an invocation would fail for."""
    if not function.runtime.startswith("provided"):
        return
    folders = [code.folder, *([layered.opt_dir] if layered else [])]
    if not any(os.access(folder / "bootstrap", os.X_OK) for folder in folders):
        raise LocalError(
            f"{function.runtime} needs an executable file `bootstrap` in {function.code_dir}: "
            "build it first (`build=True` does if BuildMethod is makefile, go or "
            "rust-cargolambda)"
        )


def _check_bundled(function: FunctionDefinition) -> None:
    """Name the cause if the handler still has to be compiled from TypeScript."""
    folder, stem = function.code_dir, handler_stem(function.handler)
    if folder is None or not folder.is_dir() or not function.runtime.startswith("nodejs"):
        return
    is_source = function.build_method == "esbuild" or (folder / f"{stem}.ts").is_file()
    folders = (folder, *(layer.folder for layer in function.layers))
    endings = ("", ".js", ".mjs", ".cjs")
    if is_source and not any((at / f"{stem}{end}").is_file() for at in folders for end in endings):
        raise LocalError(
            f"the handler's file {stem}.js is not in {folder}: esbuild is to make it; "
            + (
                "start with `build=True`"
                if function.build_method == "esbuild"
                else "build it first, or set BuildMethod: esbuild and start with `build=True`"
            )
        )


def _creation(function: FunctionDefinition) -> dict[str, Any]:
    """Write a definition as a CreateFunction request."""
    return {
        "FunctionName": function.name,
        "Code": {},
        "Role": _ROLE,
        "Handler": function.handler,
        "Runtime": function.runtime,
        "Description": function.description,
        "MemorySize": function.memory_mb,
        "Timeout": function.timeout_s,
        "EphemeralStorage": {"Size": function.ephemeral_storage_mb},
        "Architectures": [function.architecture],
        **(
            {"Environment": {"Variables": dict(function.environment)}}
            if function.environment
            else {}
        ),
        "LoggingConfig": dict(function.logging),
    }
