"""Writes recommended memory where functions are declared: plan, look at it, write it."""

from __future__ import annotations

import gc
import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tuner.errors import InputError, NotInTemplateError, TemplateError
from tuner.iac.dialects import find_units
from tuner.iac.edit import Edit, Wanted, diff, edit_memory, find_declaration, read_declarations
from tuner.iac.setting import Refusal, Sources, Stage
from tuner.model.lambda_limits import MAX_MEMORY_MB, MIN_MEMORY_MB
from tuner.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tuner.iac.dialects import Unit
    from tuner.model.recommendation import Recommendation
    from tuner.model.request import Target


State = Literal["same", "to_apply", "to_deploy", "changed_outside", "unknown"]


@dataclass(frozen=True, slots=True)
class Drift:
    """A function's memory in the three places, in MB; None where it isn't known."""

    function: str
    path: Path | None
    line: int | None
    code_mb: int | None
    deployed_mb: int | None
    recommended_mb: int

    @property
    def state(self) -> State:
        """What is to be done, if anything."""
        if self.code_mb is None or self.deployed_mb is None:
            return "unknown"
        if self.code_mb == self.deployed_mb:
            return "same" if self.code_mb == self.recommended_mb else "to_apply"
        return "to_deploy" if self.code_mb == self.recommended_mb else "changed_outside"

    @property
    def meaning(self) -> str:
        """The state in words."""
        return {
            "same": "nothing to do",
            "to_apply": "apply it and deploy",
            "to_deploy": "the code is ahead: deploy it",
            "changed_outside": "the code is not what is deployed, so the next deployment changes "
            "it: deploy the code first, or correct it",
            "unknown": "",
        }[self.state]

    def to_json(self) -> dict[str, Any]:
        """As an entry of `drift` in `tuner apply --json`."""
        path = None if self.path is None else str(self.path)
        return {**asdict(self), "path": path, "state": self.state}


@dataclass(frozen=True, slots=True)
class RefusedEdit:
    """A function whose memory isn't changed, and why."""

    function: str
    path: Path | None
    line: int | None
    reason: str
    is_missing: bool = False
    """Whether nothing declares it."""


@dataclass(frozen=True, slots=True)
class EditPlan:
    """What would be written; nothing is yet."""

    edits: tuple[Edit, ...]
    refused: tuple[RefusedEdit, ...]
    before: Mapping[Path, bytes]
    after: Mapping[Path, bytes]
    drift: tuple[Drift, ...] = ()
    """Code, deployment and recommendation, for each function."""

    @property
    def diff(self) -> str:
        """The change as a unified diff; empty if there is none."""
        return diff(self.before, self.after)

    def write(self) -> bool:
        """Write each file in full or not at all; return whether there was one.

        Raises InputError if a file changed in the meantime or can't be written.
        """
        for path, data in self.before.items():
            if Sources().data(path) != data:
                raise InputError(f"{path} changed in the meantime; nothing was written: run again")
        for path, data in self.after.items():
            try:
                write_whole(path, data)
            except OSError as error:
                raise InputError(f"{path} can't be written: {error.strerror}") from None
        return bool(self.after)


def wanted_by(answer: Recommendation) -> Wanted | RefusedEdit:
    """What an answer asks for; refused if it recommends nothing."""
    name, memory_mb = answer.function.name, answer.choice.memory_mb
    if memory_mb is None:
        return RefusedEdit(
            name, None, None, "the sweep is inconclusive, so there is nothing to apply: tune again"
        )
    return Wanted(name, memory_mb, answer.current.memory_mb)


def holds_workflow(path: Path) -> bool:
    """Whether a file is an answer of `tuner workflow`, by its name: sweeps end in `.jsonl`."""
    return path.suffix.lower() == ".json" and path.is_file()


def wanted_by_workflow(path: Path) -> list[Wanted]:
    """What a workflow's answer asks for: the functions whose size changes. Raises InputError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["kind"] != "workflow" or document["schema_version"] != 1:
            raise ValueError
        sizes = [
            Wanted(str(each["name"]), int(each["memory_mb"]), int(each["was_mb"]))
            for each in document["functions"]
        ]
        is_met = (document.get("target") or {}).get("is_met")
        is_busy = any(each["code"] == "workflow_host_busy" for each in document.get("findings", []))
        if not all(MIN_MEMORY_MB <= each.memory_mb <= MAX_MEMORY_MB for each in sizes):
            raise ValueError
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise InputError(
            f"{path} isn't an answer of tuner workflow: write one with `out`"
        ) from None
    if is_met is False:
        raise InputError(
            f"{path} doesn't meet its target, so there is nothing to apply: ask for what can be met"
        )
    if is_busy:
        raise InputError(
            f"{path} rests on sweeps of a busy machine, so there is nothing to apply: tune those "
            "functions again, and size the workflow anew"
        )
    return [each for each in sizes if each.memory_mb != each.was_mb]


def told_of(answers: Sequence[Recommendation]) -> tuple[str, ...]:
    """What an answer asks for besides memory, which isn't written: another architecture."""
    return tuple(
        f"{answer.function.name}: {finding.message}"
        for answer in answers
        for finding in answer.findings
        if finding.code == "switch_architecture"
    )


def plan_edits(
    wanted: Sequence[Wanted | RefusedEdit],
    places: Sequence[Path],
    *,
    stage: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> EditPlan:
    """Find where each function's memory is set and how the files would be with the new one.

    `places` are files and folders. Raises TemplateError for a named file that declares nothing.
    """
    chosen = Stage(stage, dict(parameters or {}))
    with _all_kept():
        return _plan(wanted, find_units(places), chosen)


@contextmanager
def _all_kept() -> Iterator[None]:
    """Look for no garbage while trees grow, of which nothing goes: a third of the time is for that.

    What is read is bounded by the files' size.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _plan(wanted: Sequence[Wanted | RefusedEdit], units: Sequence[Unit], chosen: Stage) -> EditPlan:
    as_they_are = sources = Sources()
    edits, refused, drift = [], [], []
    as_it_is = read_declarations(units, sources, chosen)
    for each in wanted:
        if isinstance(each, RefusedEdit):
            refused.append(each)
            continue
        found = find_declaration(each.function, as_it_is, as_they_are, chosen)
        path, line = (found.path, found.line) if found else (None, None)
        code_mb = found.memory if found and isinstance(found.memory, int) else None
        drift.append(Drift(each.function, path, line, code_mb, each.was_mb, each.memory_mb))
        try:
            changed = bool(sources.changed)
            declared = read_declarations(units, sources, chosen) if changed else as_it_is
            edit, sources = edit_memory(each, declared, sources, chosen)
        except TemplateError as error:
            why = Refusal.within(error)
            missing = isinstance(error, NotInTemplateError)
            refused.append(
                RefusedEdit(each.function, why.path, why.line, why.reason, is_missing=missing)
            )
        else:
            edits.append(edit)
    before = {path: Sources().data(path) for path in sources.changed}
    return EditPlan(tuple(edits), tuple(refused), before, dict(sources.changed), tuple(drift))


def working_repository() -> Path:
    """The root of the repository that the working folder is in; the folder if it's in none."""
    here = Path.cwd()
    root = next((each for each in (here, *here.parents) if (each / ".git").exists()), here)
    return Path() if root == here else root


def to_json(plan: EditPlan, *, written: bool) -> dict[str, Any]:
    """As `tuner apply --json` prints it."""
    return {
        "schema_version": 1,
        "kind": "edit",
        "edits": [
            {**asdict(each), "path": str(each.path), "shared_by": list(each.shared_by)}
            for each in plan.edits
        ],
        "refused": [
            {
                "function": each.function,
                "path": None if each.path is None else str(each.path),
                "line": each.line,
                "reason": each.reason,
            }
            for each in plan.refused
        ],
        "written": written,
        "drift": [each.to_json() for each in plan.drift],
    }


def deployed_memory_mb(function: str, where: Target) -> int:
    """Read what a function has now. Raises AwsError and its subclasses."""
    from tuner.aws import connect

    with connect(function=function, **where.connection) as gateway:
        return gateway.read_function(function).memory_mb
