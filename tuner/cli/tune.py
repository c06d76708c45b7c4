"""`tuner tune`: the main job."""

import os
from typing import TYPE_CHECKING

from typer import BadParameter

from tuner.cli import options
from tuner.cli.grouped import spread
from tuner.cli.groups import GoalOptions, TrafficOptions
from tuner.cli.values import parameters_of

if TYPE_CHECKING:
    from tuner.api import TuneOptions

EPILOG = """\
tuner tune resize-images --payload event.json

tuner tune resize-images --payload small.json --payload large.json --goal speed --max-memory 3008

tuner tune queue-worker --payload payloads.toml --vary batch_size=1,5,10

tuner tune cpu-bound --local examples/template.yaml --payload '{"rounds": 5}'

Every invocation really runs the function's code, with the function's own role."""


@spread
def tune(
    function: options.FunctionToTune = None,
    *,
    payload: options.Payloads = None,
    vary: options.Vary = None,
    payload_size: options.PayloadSize = None,
    raw: options.Raw = False,
    memory_sizes: options.MemorySizes = None,
    exhaustive: options.Exhaustive = False,
    min_memory: options.MinMemory = None,
    max_memory: options.MaxMemory = None,
    seed: options.Seed = 0,
    goal: GoalOptions,
    traffic: TrafficOptions,
    max_invocations: options.MaxInvocations = None,
    budget_usd: options.BudgetUsd = None,
    concurrency: options.Concurrency = None,
    leave_concurrency: options.LeaveConcurrency = 0.2,
    isolation: options.IsolationOption = "auto",
    code: options.Code = None,
    once_each: options.OnceEach = False,
    keep_payloads: options.KeepPayloads = False,
    resume: options.Resume = None,
    before: options.Before = None,
    after: options.After = None,
    hooks_each: options.HooksEach = False,
    yes: options.Yes = False,
    allow_side_effects: options.AllowSideEffects = False,
    dry_run: options.DryRun = False,
    local: options.LocalTemplate = None,
    parameter: options.TemplateParameters = None,
    build: options.Build = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    out: options.Out = None,
    json: options.JsonOutput = False,
    detailed_exitcode: options.DetailedExitcode = False,
) -> int:
    """Measure FUNCTION at a few well-chosen memory sizes and say how much it should have.

    Sizes are published as versions of the function, or of a temporary copy where live traffic
    reaches it, for the time of the sweep and invoked with your payloads; the function is as
    before afterwards. The plan is shown with its cost, and asked for, before anything is changed.
    """
    from tuner.cli.sweeping import Manner, sweep_and_answer  # noqa: PLC0415 - not needed for --help

    if function is None and resume is None:
        raise BadParameter("name the FUNCTION to tune, or a sweep to go on with by --resume")
    terms = traffic.terms()
    asked: TuneOptions = {
        "payloads": payload or (),
        "vary": vary,
        "payload_size": payload_size,
        "raw": raw,
        "seed": seed,
        "memory_sizes_mb": memory_sizes or (),
        "min_memory_mb": min_memory,
        "max_memory_mb": max_memory,
        "exhaustive": exhaustive,
        "max_invocations": max_invocations,
        "budget_usd": budget_usd,
        "concurrency": concurrency,
        "leave_concurrency_ratio": leave_concurrency,
        "isolation": isolation,
        "code": code,
        "once_each": once_each,
        "keep_payloads": keep_payloads,
        "resume": resume,
        "before": before,
        "after": after,
        "hooks_each": hooks_each,
        "hook_environment": dict(os.environ),
        "region": region,
        "profile": profile,
        "endpoint_url": endpoint_url,
        "local_template": local,
        "template_parameters": parameters_of(parameter),
        "build": build,
        "out": out,
    }
    manner = Manner(
        yes=yes,
        allow_side_effects=allow_side_effects,
        dry_run=dry_run,
        json=json,
        detailed_exitcode=detailed_exitcode,
    )
    return sweep_and_answer(function, asked, goal=goal.wanted(), manner=manner, terms=terms)
