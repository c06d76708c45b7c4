"""`tuner tune`: the main job."""

from typer import BadParameter

from tuner.cli import options
from tuner.cli.groups import GoalOptions, MannerOptions, TargetOptions, TrafficOptions, spread
from tuner.cli.tune_options import (
    BudgetOptions,
    FunctionToTune,
    MeasureOptions,
    OutputOptions,
    SafetyOptions,
)
from tuner.local import refuse_other_systems
from tuner.model.request import TuneRequest

EPILOG = """\
tuner tune resize-images --payload event.json

tuner tune resize-images --payload a.json --payload b.json --goal speed

tuner tune queue-worker --payload payloads.toml --vary batch_size=1,5,10

tuner tune cpu-bound --local demo --payload '{"rounds": 5}'

Every invocation really runs the function's code, with the function's own role."""
COMMON = (
    *("function", "payload", "code", "resume", "goal", "time_weight", "max_duration"),
    *("max_cost_per_million", "percentile", "rate", "max_invocations", "budget_usd", "isolation"),
    *("yes", "dry_run", "out", "local", "build", "region", "profile", "json"),
)
"""The options in the short help."""


@spread
def tune(
    function: FunctionToTune = None,
    *,
    measure: MeasureOptions,
    goal: GoalOptions,
    traffic: TrafficOptions,
    budget: BudgetOptions,
    safety: SafetyOptions,
    manner: MannerOptions,
    allow_side_effects: options.AllowSideEffects = False,
    output: OutputOptions,
    explain: options.Explain = False,
    target: TargetOptions,
) -> int:
    """Measure FUNCTION at a few well-chosen memory sizes and say how much it should have.

    It publishes each size as a version of the function, or of a temporary copy if live traffic
    reaches the function, invokes it with your payloads, and leaves the function as it was. You
    see the plan and its cost, and confirm it, before anything changes.
    """
    if target.local is not None:
        refuse_other_systems()  # before the next imports, which those systems lack
    from tuner.cli.sweeping import sweep_and_answer

    if function is None and measure.resume is None:
        raise BadParameter("name the FUNCTION to tune, or the sweep to go on with: --resume SWEEP")
    terms = traffic.terms()
    request = TuneRequest(
        function, measure.part(), budget.part(), safety.part(), target.part(), output.part()
    )
    return sweep_and_answer(
        request,
        goal=goal.wanted,
        manner=manner,
        allow_side_effects=allow_side_effects,
        explain=explain,
        terms=terms,
    )
