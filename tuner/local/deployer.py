"""Puts definitions into the store: packs their code, checks them against this host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.errors import LocalError
from tuner.local.control_plane.error import ApiError
from tuner.local.control_plane.names import ACCOUNT_ID, check_new_name
from tuner.local.control_plane.package import zip_folder, zip_source
from tuner.local.control_plane.settings import create_settings
from tuner.local.control_plane.validation import check_function
from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.local.control_plane.package import CodeStore
    from tuner.local.control_plane.store import FunctionStore
    from tuner.local.definition import FunctionDefinition
    from tuner.local.deployment import Executor

_ROLE: Final = f"arn:aws:iam::{ACCOUNT_ID}:role/local"
_ECHO: Final = "def handler(event, context):\n    return event\n"


class Deployer:
    """Deploys functions that are ready at once, and tells what there is to know of them."""

    def __init__(self, store: FunctionStore, codes: CodeStore, executor: Executor) -> None:
        self._store = store
        self._codes = codes
        self._executor = executor

    def deploy_all(
        self, functions: Sequence[FunctionDefinition], *, leave_out_unfit: bool
    ) -> list[Finding]:
        """Deploy; what cannot be shown here raises LocalError, or is left out with a finding.

        Raises LocalError, too, if nothing remains.
        """
        findings: list[Finding] = []
        unfit: list[str] = []
        for function in functions:
            try:
                findings += self._deploy(function)
            except LocalError as error:
                if not leave_out_unfit:
                    raise
                unfit.append(str(error))
                self._store.leave_out(function.name, str(error))
        if unfit and not self._store.names():
            raise LocalError("; ".join(unfit))
        left_out = [Finding("function_left_out", "warning", f"left out: {each}") for each in unfit]
        return [*left_out, *findings]

    def _deploy(self, function: FunctionDefinition) -> list[Finding]:
        request = _creation(function)
        limits = self._executor.limits
        try:
            check_new_name(function.name)
            check_function(request, limits.max_memory_mb, limits.core_count)
            findings = [*self._executor.runtime_findings(function.runtime)]
            folder = function.code_dir
            package = zip_folder(folder) if folder else zip_source("handler.py", _ECHO)
            code = self._codes.add(package)
            settings = create_settings(request)
            self._store.create(function.name, settings, code, tags={}, at_once=True)
        except (ApiError, LocalError) as refused:
            where = f"{function.origin}: " if function.origin else ""
            raise LocalError(f"{where}function {function.name}: {refused}") from refused
        if function.has_requirements:
            findings.append(_requirements(function))
        return findings


def _creation(function: FunctionDefinition) -> dict[str, Any]:
    """Write a definition as the request that CreateFunction would take."""
    return {
        "Role": _ROLE,
        "Handler": function.handler,
        "Runtime": function.runtime,
        "Description": function.description,
        "MemorySize": function.memory_mb,
        "Timeout": function.timeout_s,
        "EphemeralStorage": {"Size": function.ephemeral_storage_mb},
        "Architectures": [function.architecture],
        "Environment": {"Variables": dict(function.environment)},
    }


def _requirements(function: FunctionDefinition) -> Finding:
    message = (
        f"{function.name}: the packages of its requirements.txt are not installed here; where it "
        f"needs them, run pip install -r requirements.txt -t {function.code_dir}"
    )
    return Finding("requirements_not_installed", "warning", message)
