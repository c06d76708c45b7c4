"""`tuner workflow`: sizes for several functions under one target."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tuner.cli import exit_status, options, picture, values
from tuner.cli.config import state_dir, today
from tuner.cli.flags import shown
from tuner.cli.groups import WhereOptions, spread
from tuner.cli.screen import say, show, show_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.model.workflow import Behavior, WorkflowAnswer

EPILOG = """\
tuner workflow orders.asl.json --max-duration 2s

tuner workflow orders.asl.json --template template.yaml --max-duration 2s --percentile 99

tuner workflow orders.asl.json --choice "In stock?=Ship:9,Reorder:1" --items "Each line=3,5,12"

tuner workflow arn:aws:states:eu-west-1:123456789012:stateMachine:orders --max-cost-per-million 40

tuner workflow chain.toml --max-duration 2s --out orders.json

tuner apply orders.json"""

COMMON = (
    *("source", "max_duration", "percentile", "max_cost_per_million", "goal", "sweep", "fleet"),
    *("choice", "items", "template", "out_file", "json"),
)
"""What the short help shows."""


@dataclass(frozen=True, slots=True)
class BehaviorOptions:
    """How executions go."""

    choice: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="STATE=NEXT:N,…",
            help="How often a Choice goes to each next state, as weights. Repeatable.",
        ),
    ] = None
    items: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="STATE=N,…",
            help="How many items a Map gets: a number, or several as likely. Repeatable.",
        ),
    ] = None
    error_rate: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="STATE=SHARE",
            help="Share of a state's attempts that fail, and are retried. Repeatable.",
        ),
    ] = None
    state_time: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="STATE=TIME,…", help="How long a wait or another service takes. Repeatable."
        ),
    ] = None
    overhead: Annotated[
        float | None,
        options.measure_option(
            **options.TIME,
            help="What each state transition takes besides (default: as seen in the history).",
        ),
    ] = None

    def behavior(self) -> "Behavior":
        """Return it. Raises BadParameter."""
        from tuner.model.workflow import Behavior

        return Behavior(
            _named(self.choice, "--choice", _weights),
            _named(self.items, "--items", lambda text: tuple(map(_items, text.split(",")))),
            _named(self.error_rate, "--error-rate", lambda text: {"": values.ratio(text)}),
            _named(
                self.state_time,
                "--state-time",
                lambda text: tuple(map(values.duration_ms, text.split(","))),
            ),
            self.overhead,
        )


@dataclass(frozen=True, slots=True)
class DefinitionOptions:
    """What the definition leaves open."""

    template: Annotated[
        Path | None,
        options.measure_option(
            metavar="FILE",
            help="Template whose DefinitionSubstitutions say what ${Name} stand for.",
        ),
    ] = None
    parameter: options.TemplateParameters = None
    state_machine: Annotated[
        str | None,
        options.measure_option(metavar="NAME", help="Which state machine of a template."),
    ] = None
    substitution: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="NAME=FUNCTION", help="What ${NAME} stands for. Repeatable."
        ),
    ] = None
    calls: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="STATE=FUNCTION",
            help="The function that a state calls, if the input names it. Repeatable.",
        ),
    ] = None


@spread
def workflow(
    source: Annotated[
        str,
        typer.Argument(
            metavar="ARN|FILE",
            help="A state machine's ARN, its definition (FILE.asl.json), a template that declares "
            "it, or a TOML file.",
        ),
    ],
    *,
    sweep: Annotated[
        list[str] | None,
        options.measure_option(
            metavar="FUNCTION=SWEEP", help="A function's sweep (default: its newest). Repeatable."
        ),
    ] = None,
    fleet: Annotated[
        list[Path] | None,
        options.measure_option(
            metavar="DIR", help="Folder of a fleet, or of sweep files. Repeatable."
        ),
    ] = None,
    behavior: BehaviorOptions,
    definition: DefinitionOptions,
    executions: Annotated[
        int | None,
        options.measure_option(
            metavar="N",
            min=0,
            max=1000,
            help="With an ARN: executions of the history to read (default: 50).",
        ),
    ] = None,
    goal: options.GoalOption = None,
    time_weight: options.TimeWeight = None,
    max_duration: Annotated[
        float | None,
        options.goal_option(
            **options.TIME,
            help="Longest the whole may take, at --percentile: 500ms or 2s. The cheapest sizes "
            "within it are chosen.",
        ),
    ] = None,
    percentile: Annotated[
        float | None,
        options.goal_option(
            metavar="P", parser=values.percentile, help="Of the whole's duration (default: 95)."
        ),
    ] = None,
    max_cost_per_million: Annotated[
        float | None,
        options.goal_option(
            **options.AMOUNT,
            help="Highest cost of a million executions. The fastest sizes within it are chosen.",
        ),
    ] = None,
    cold_start_share: options.ColdStartShare = None,
    min_memory: options.MinMemory = None,
    max_memory: options.MaxMemory = None,
    where: WhereOptions,
    out_file: Annotated[
        Path | None, options.out_option("Also write a page (.html) or the answer (.json).")
    ] = None,
    json: options.JsonOutput = False,
    detailed_exitcode: Annotated[
        bool,
        options.exit_code_option(
            "Exit with 10 if sizes would change, 12 if no sizes meet the target."
        ),
    ] = False,
) -> int:
    """Size all functions of a workflow for one target of the whole.

    It reads a state machine (or a chain of functions from a TOML file), takes each function's saved
    sweep, and finds the cheapest sizes for a percentile of the end-to-end duration, or the fastest
    for a cost. Nothing is invoked or changed; AWS is read only for an ARN: its definition, and from
    its executions how often branches are taken. Write all sizes with tuner apply FILE.json.
    """
    from tuner.api.workflow import WorkflowRequest, tune_workflow
    from tuner.model.goal import Goal

    if out_file is not None and out_file.suffix.lower() not in {".html", ".json"}:
        raise typer.BadParameter(f"--out {out_file} ends in neither .html nor .json")
    picture.check_out(out_file)
    request = WorkflowRequest(
        source,
        Goal(
            name=goal or "cost",
            time_weight=time_weight,
            max_duration_ms=max_duration,
            percentile=percentile,
            max_cost_usd_per_million=max_cost_per_million,
            cold_start_share=cold_start_share,
        ),
        where.part(),
        behavior.behavior(),
        values.parameters_of(definition.calls, "--calls"),
        values.parameters_of(definition.substitution, "--substitution"),
        definition.template,
        values.parameters_of(definition.parameter),
        definition.state_machine,
        values.parameters_of(sweep, "--sweep"),
        tuple(fleet or ()),
        executions,
        min_memory,
        max_memory,
    )
    answer = tune_workflow(request, state_dir=state_dir(), today=today(), tell=say)
    _show(answer, json=json, out_file=out_file)
    if not detailed_exitcode:
        return 0
    if answer.is_met is False:
        return exit_status.INCONCLUSIVE
    changes = any(each.memory_mb != each.was_mb for each in answer.functions)
    return exit_status.RESIZE if changes else 0


def _show(answer: "WorkflowAnswer", *, json: bool, out_file: Path | None) -> None:
    from tuner.report.page.timings import render_workflow
    from tuner.report.workflow import render, to_json

    answer = shown(answer)
    show(answer, to_json, render, json=json)
    picture.write_too(to_json(answer), out_file, partial(render_workflow, answer))
    if out_file is not None and out_file.suffix.lower() == ".json" and not json:
        show_text(f"Apply: tuner apply {out_file}\n")


def _named(
    given: list[str] | None, option: str, read: "Callable[[str], values.T]"
) -> "dict[str, values.T]":
    """What is given for each name. Raises BadParameter, which names the option."""
    with values.of_option(option):
        return {name: read(text) for name, text in values.parameters_of(given, option).items()}


def _weights(text: str) -> dict[str, float]:
    found = {}
    for part in text.split(","):
        name, colon, weight = part.rpartition(":")
        if not colon or not name.strip():
            raise typer.BadParameter("write --choice STATE=NEXT:WEIGHT,NEXT:WEIGHT")
        found[name.strip()] = values.amount_or_nothing(weight)
    return found


def _items(text: str) -> int:
    if not (text.strip().isascii() and text.strip().isdecimal() and len(text.strip()) <= 8):
        raise typer.BadParameter(f"{text!r} isn't a count of items: write --items STATE=12")
    return int(text)
