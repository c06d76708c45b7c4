"""What a template's functions lack, and what exists beside them: a line for each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tuner.errors import LocalError
from tuner.local.node_sdk import missing_sdk
from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tuner.iac import IgnoredPart, Template, TemplateFunction, TemplateResource


def findings_on(template: Template) -> Iterator[Finding]:
    """Report what in a template has no effect here, is left out, or couldn't be created."""
    if template.skipped:
        message = f"left out, since only functions run here: {_counted(template.skipped)}"
        yield Finding("template_resources_left_out", "info", message)
    if template.ignored:
        yield Finding("template_ignored", "info", f"no effect here: {_why(template.ignored)}")
    for why in template.not_made:
        yield Finding("template_resource_not_made", "warning", f"not created here: {why}")


def made(
    resources: Sequence[TemplateResource],
    make: Callable[[TemplateResource], None] | None,
    why_none: str,
) -> Iterator[Finding]:
    """Create resources and report them; `make` is None if nothing can be created.

    `why_none` says why then.
    """
    there: list[str] = []
    for resource in resources:
        what = f"{resource.logical_id} ({resource.type}, line {resource.line})"
        try:
            if make is None:
                raise LocalError(why_none)
            make(resource)
        except LocalError as refused:
            message = f"not created here: {what}: {refused}"
            yield Finding("template_resource_not_made", "warning", message)
            continue
        there.append(resource.type)
    if there:
        message = f"created here for this run, and empty: {_counted(there)}"
        yield Finding("template_resources_made", "info", message)


def left_out(why: str) -> Finding:
    """Say why a function isn't here."""
    return Finding("function_left_out", "warning", f"left out: {why}")


def findings_of(
    function: TemplateFunction, *, is_built: bool, may_build: bool
) -> Iterator[Finding]:
    """Say what a deployed function lacks, and what to do about it.

    `may_build`: a build was asked for; `is_built`: it changed the function's code.
    """
    name = function.name
    for layer in () if may_build else function.layers:
        if layer.build_method:
            message = (
                f"the layer {layer.name} is deployed as it lies in {layer.folder}, without its "
                f"BuildMethod {layer.build_method}: start with `build=True`"
            )
            yield Finding("layer_not_built", "warning", message)
    if function.has_requirements and not is_built:
        is_node = function.runtime.startswith("nodejs")
        file, tool = ("package.json", "npm") if is_node else ("requirements.txt", "pip")
        message = (
            f"{name}: the packages of its {file} are not installed here; start with `build=True` "
            f"to have {tool} do that in a copy of its folder"
        )
        yield Finding("requirements_not_installed", "warning", message)
    if not may_build and (missing := missing_sdk(function)):
        message = (
            f"{name} uses {', '.join(missing)}, which Lambda includes and this machine doesn't: "
            "start with `build=True` to have npm install it in a copy of its folder"
        )
        yield Finding("sdk_not_installed", "warning", message)
    if function.not_here:
        message = (
            f"{name} refers to {', '.join(function.not_here)}, which doesn't exist here: a "
            "call to it fails, and its time isn't measured"
        )
        yield Finding("template_resource_not_here", "warning", message)


def _counted(types: Iterable[str]) -> str:
    counts = Counter(types)
    return ", ".join(kind if n == 1 else f"{n} {kind}" for kind, n in sorted(counts.items()))


def _why(parts: Sequence[IgnoredPart]) -> str:
    """Name the parts by reason; a part that occurs several times, once."""
    by_reason: dict[str, dict[str, None]] = {}
    for part in parts:
        by_reason.setdefault(part.why, {})[part.name] = None
    return "; ".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())
