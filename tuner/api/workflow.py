"""Sizes for several functions under one target: reads the workflow and its functions' sweeps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tuner import session
from tuner.decision.workflow.answer import answer_workflow
from tuner.decision.workflow.function_times import function_times
from tuner.decision.workflow.history import behavior_of
from tuner.decision.workflow.settings import (
    WorkflowSettings,
    check_behavior,
    check_calls,
    read_settings,
)
from tuner.errors import InputError, SweepFileError
from tuner.iac.asl import read_definition, read_machine
from tuner.iac.asl_template import declared_machines
from tuner.iac.placeholders import Substitutions
from tuner.model.finding import Finding
from tuner.model.goal import Goal
from tuner.model.interval import counted, listed
from tuner.model.workflow import Behavior, Task, Workflow
from tuner.pricing.book import age_findings
from tuner.sweep.file import read_sweep, sweeps_below
from tuner.sweep.store import SweepStore, load_sweep

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tuner.iac.asl_template import DeclaredMachine
    from tuner.model.request import Target
    from tuner.model.sweep import Sweep
    from tuner.model.workflow import WorkflowAnswer

_ARN: Final = "arn:"
_EXECUTIONS: Final = 50


@dataclass(frozen=True, slots=True)
class WorkflowRequest:
    """What is asked for."""

    source: str
    """A state machine's ARN, its definition's file, a template, or a workflow's TOML file."""
    goal: Goal
    where: Target
    behavior: Behavior = field(default_factory=Behavior)
    """What is given of how executions go; it counts more than the file and the history."""
    calls: Mapping[str, str] = field(default_factory=dict)
    substitutions: Mapping[str, str] = field(default_factory=dict)
    template: Path | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of the template."""
    state_machine: str | None = None
    """Which one of a template's."""
    sweeps: Mapping[str, str] = field(default_factory=dict)
    """A function's sweep: a file, or the name of a function or sweep that is kept."""
    folders: tuple[Path, ...] = ()
    """Fleets' folders, and others with sweep files."""
    executions: int | None = None
    """Of the history, to read, if the source is an ARN (None: 50)."""
    min_memory_mb: int | None = None
    max_memory_mb: int | None = None


def tune_workflow(
    request: WorkflowRequest,
    *,
    state_dir: Path,
    today: datetime.date | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> WorkflowAnswer:
    """Find the sizes of a workflow's functions. AWS is read for an ARN only.

    Raises TemplateError, InputError, SweepFileError, PriceError, AwsError and its subclasses.
    """
    workflow, settings = read_workflow(request, tell=tell)
    names = workflow.machine.functions
    if not names:
        started = [
            each.name
            for each in workflow.machine.walk()
            if isinstance(each, Task) and ":states:startExecution" in each.resource
        ]
        inner = f" (give the state machine that {listed(started, 4)} starts)" if started else ""
        raise InputError(
            f"{request.source} calls no function itself, so there is nothing to size{inner}"
        )
    unknown = sorted(request.sweeps.keys() - {*names})
    if unknown:
        raise InputError(
            f"`sweep`: {workflow.name} doesn't call {unknown[0]}, but {listed(names, 8)}"
        )
    sweeps = find_sweeps(
        names, {**settings.sweeps, **request.sweeps}, request.folders, state_dir=state_dir
    )
    # The limits are the whole's: no function has its own.
    goal = Goal(cold_start_share=request.goal.cold_start_share)
    functions, dates = [], []
    for name in names:
        analysis = session.analyse(
            sweeps[name],
            goal,
            min_memory_mb=request.min_memory_mb,
            max_memory_mb=request.max_memory_mb,
        )
        functions.append(function_times(name, analysis))
        if (swept := sweeps[name].function.name) != name:
            tell(f"{name} has the sweep of {swept}")
        dates.append(analysis.question.prices.as_of)
    answer = answer_workflow(workflow, functions, request.goal)
    findings = (*answer.findings, *_doubts(sweeps), *age_findings(min(dates), today))
    return replace(answer, findings=findings, prices_as_of=min(dates))


def _doubts(sweeps: Mapping[str, Sweep]) -> Iterator[Finding]:
    """Findings if sweeps ended early, or on a busy machine: how far off they are isn't known."""
    early = [name for name, sweep in sweeps.items() if sweep.end not in {"complete", "budget"}]
    if early:
        yield Finding(
            "workflow_sweep_incomplete",
            "warning",
            f"the sweep of {listed(early)} ended early, and the answer rests on what it has: go on "
            "with `resume`",
        )
    busy = [
        name
        for name, sweep in sweeps.items()
        if any(each.code == "host_busy" for each in sweep.findings)
    ]
    if busy:
        yield Finding(
            "workflow_host_busy",
            "warning",
            f"the machine was busy while {listed(busy)} was swept, so sizes that need more of it "
            "look slower than they are: don't apply this, but tune again when it's idle",
        )


def read_workflow(
    request: WorkflowRequest, *, tell: Callable[[str], None] = lambda _: None
) -> tuple[Workflow, WorkflowSettings]:
    """The workflow with all that is said and seen of it, and its file's settings."""
    source, settings = request.source, WorkflowSettings()
    if source.endswith(".toml"):
        settings = read_settings(Path(source))
        source = settings.state_machine or str(settings.definition or source)
    workflow = settings.chain
    _check_source(source, request, is_chain=workflow is not None)
    if workflow is None:
        if source.startswith(_ARN):
            workflow = _deployed(source, request, settings, tell)
        else:
            workflow = _written(Path(source), request, settings)
    behavior = workflow.behavior.updated(settings.behavior).updated(request.behavior)
    check_behavior(workflow.machine, behavior)
    check_calls(workflow.machine, {**settings.calls, **request.calls})
    return replace(workflow, name=settings.name or workflow.name, behavior=behavior), settings


def _check_source(source: str, request: WorkflowRequest, *, is_chain: bool) -> None:
    """Raise InputError for what this kind of source has no use for."""
    is_deployed = not is_chain and source.startswith(_ARN)
    if request.executions is not None and not is_deployed:
        raise InputError(
            f"{source} has no history, and `executions` says how much of one to read: give a state "
            "machine's ARN"
        )
    given = {
        "template": request.template,
        "state_machine": request.state_machine,
        "template_parameters": request.parameters,
    }
    if is_chain:
        given["substitution"] = request.substitutions
    unused = [f"`{name}`" for name, value in given.items() if value]
    if unused and (is_chain or is_deployed):
        raise InputError(
            f"{source} says by itself which functions it calls: leave out {listed(unused)}"
        )


def _substitutions(request: WorkflowRequest, settings: WorkflowSettings) -> Substitutions:
    return Substitutions(
        {**settings.substitutions, **request.substitutions}, {**settings.calls, **request.calls}
    )


def _written(path: Path, request: WorkflowRequest, settings: WorkflowSettings) -> Workflow:
    """From a definition's file, or from a template that declares one."""
    given = _substitutions(request, settings)
    if not path.is_file():
        raise InputError(f"there is no file {path}: a definition, template or TOML file is needed")
    template = request.template or settings.template
    if template is None and _is_template(path):
        return _declared(path, request, given)
    if template is not None:
        declared = _declaration(path, template, request)
        machine = read_machine(path, declared.substitutions(given))
        return Workflow(_name_of(path), machine, kind=declared.kind)
    if request.state_machine is not None or request.parameters:
        raise InputError(
            f"{path} is a definition, and `state_machine` and `template_parameters` are of a "
            "template: give that as `template`"
        )
    return Workflow(_name_of(path), read_machine(path, given))


def _declaration(path: Path, template: Path, request: WorkflowRequest) -> DeclaredMachine:
    """The template's state machine that has its definition in the file, or the one named."""
    found = declared_machines(template, request.parameters)
    for each in found:
        is_there = each.file is not None and each.file.resolve() == path.resolve()
        if is_there if request.state_machine is None else each.logical_id == request.state_machine:
            return each
    names = listed([each.logical_id for each in found], 8)
    of_these = f": name one with `state_machine`: {names}" if found else ", and it declares none"
    raise InputError(f"no state machine of {template} has its definition in {path}{of_these}")


def _declared(path: Path, request: WorkflowRequest, given: Substitutions) -> Workflow:
    found = declared_machines(path, request.parameters)
    if not found:
        raise InputError(f"{path} declares no state machine")
    wanted = request.state_machine
    chosen = [each for each in found if wanted in {None, each.logical_id}]
    if len(chosen) != 1:
        names = listed([each.logical_id for each in found], 8) or "none"
        raise InputError(f"which state machine of {path}? name it with `state_machine`: {names}")
    return Workflow(chosen[0].logical_id, chosen[0].machine(given), kind=chosen[0].kind)


def _is_template(path: Path) -> bool:
    root = read_definition(path)
    if not root.is_mapping:
        root.refuse("a state machine's definition, or a template that has one, is needed here")
    return "Resources" in root.values(str(path))


def _name_of(path: Path) -> str:
    return path.name.split(".", maxsplit=1)[0]


def _deployed(
    arn: str, request: WorkflowRequest, settings: WorkflowSettings, tell: Callable[[str], None]
) -> Workflow:
    from tuner.aws.gateway import open_connection
    from tuner.aws.services import Services
    from tuner.aws.state_machines import StateMachines

    where, parts = request.where, arn.split(":")
    if len(parts) not in {7, 8} or (parts[2], parts[5]) != ("states", "stateMachine"):
        raise InputError(
            f"{arn} isn't a state machine's ARN: arn:aws:states:REGION:ACCOUNT:stateMachine:NAME"
        )
    where = replace(where, region=where.region or parts[3] or None)
    opened, _ = open_connection(**where.connection)
    with Services(opened, purpose="workflow") as services:
        machines = StateMachines(services)
        described = machines.describe(arn)
        machine = read_machine(
            Path(described.name), _substitutions(request, settings), text=described.definition
        )
        histories: list[Sequence[Mapping[str, Any]]] = []
        count = _EXECUTIONS if request.executions is None else request.executions
        if described.kind == "standard" and count:
            tell(f"reading up to {counted(count, 'execution')} of {described.name}")
            histories = [*machines.histories(arn, count)]
        elif described.kind != "standard":
            tell(f"{described.name} is an express workflow: Step Functions keeps no history of it")
        behavior = behavior_of(machine, histories)
    return Workflow(described.name, machine, behavior, kind=described.kind)


def find_sweeps(
    names: Sequence[str], given: Mapping[str, str], folders: Sequence[Path], *, state_dir: Path
) -> dict[str, Sweep]:
    """Each function's sweep: the one given for it, else the newest in the folders, else the newest
    that is kept. Raises SweepFileError that names all functions without one.
    """
    kept = SweepStore(state_dir)
    wanted = {*names} - given.keys()
    in_folders = _in_folders(folders, wanted) if wanted and folders else {}
    found, missing = {}, []
    for name in names:
        if name in in_folders:
            found[name] = in_folders[name]
            continue
        if name not in given and not kept.files(name):
            missing.append(name)
            continue
        found[name] = load_sweep(given.get(name, name), state_dir=state_dir)
    if missing:
        raise SweepFileError(
            f"there is no sweep of {listed(missing, 8)}: run tuner tune for each, give "
            f"`sweep={missing[0]}=FILE`, or a `fleet` folder that has them"
        )
    return found


def _in_folders(folders: Sequence[Path], wanted: set[str]) -> dict[str, Sweep]:
    found: dict[str, Sweep] = {}
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"`fleet={folder}` isn't a folder")
        for file in sweeps_below(folder):
            if not _may_be_of(file, wanted):
                continue
            sweep = read_sweep(file)
            name = sweep.function.name
            if name in wanted and (name not in found or found[name].started_at < sweep.started_at):
                found[name] = sweep
    return found


def _may_be_of(file: Path, names: set[str]) -> bool:
    """Whether a sweep's first line names one of the functions: a fleet has thousands of files."""
    with file.open("rb") as lines:
        first = lines.readline()
    return any(f'"{name}"'.encode() in first for name in names)
