"""`tuner comment`: the answer, on the pull request."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tuner.cli import options, values
from tuner.cli.goal import goal_of
from tuner.cli.report import Limits, answer_of, kept_names
from tuner.cli.values import parameters_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.api.comment import CommentText
    from tuner.forge.protocol import Target
    from tuner.model.recommendation import Recommendation

EPILOG = """\
tuner comment resize-images --dry-run

tuner comment sweep.jsonl --key sizes --fail-if-saving-over 20%

tuner comment a.jsonl b.jsonl --repository octo/shop --number 7 --token-env BOT_TOKEN"""

_PULL_REQUEST = "Pull request"


def comment(
    sweeps: Annotated[
        list[str],
        typer.Argument(
            metavar="SWEEP...",
            help="Sweep files, or functions' names for their newest sweeps.",
            autocompletion=kept_names,
        ),
    ],
    *,
    key: Annotated[
        str | None,
        typer.Option(help="Which comment to renew (else the functions' names)."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it; send nothing.")] = False,
    allow_local: Annotated[
        bool, typer.Option("--allow-local", help="Post what was measured on a local endpoint too.")
    ] = False,
    require_comment: Annotated[
        bool, typer.Option("--require-comment", help="Fail where it could not be posted.")
    ] = False,
    fail_if_saving_over: Annotated[
        float | None,
        typer.Option(
            parser=values.ratio,
            metavar="SHARE",
            help="Exit 10, once posted, where a resize saves more than this, such as 20% (the low "
            "end of its interval).",
        ),
    ] = None,
    forge: Annotated[
        Literal["github", "gitlab"] | None,
        typer.Option(
            help="Where the pull or merge request is (else by GITLAB_CI, else github).",
            rich_help_panel=_PULL_REQUEST,
        ),
    ] = None,
    repository: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME",
            help="Repository (else GITHUB_REPOSITORY or CI_PROJECT_PATH).",
            rich_help_panel=_PULL_REQUEST,
        ),
    ] = None,
    number: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Its number (else from GITHUB_REF, GITHUB_EVENT_PATH or CI_MERGE_REQUEST_IID).",
            rich_help_panel=_PULL_REQUEST,
        ),
    ] = None,
    api_url: Annotated[
        str | None,
        typer.Option(
            help="API of a server of your own (else GITHUB_API_URL or CI_API_V4_URL, else the "
            "public one).",
            rich_help_panel=_PULL_REQUEST,
        ),
    ] = None,
    token_env: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE",
            help="Variable that holds the token (else GITHUB_TOKEN or GITLAB_TOKEN).",
            rich_help_panel=_PULL_REQUEST,
        ),
    ] = None,
    author: Annotated[
        str | None,
        typer.Option(
            metavar="LOGIN",
            help="Whose comments are its own, where an app's token is used: my-app[bot] (else the "
            "token's user, or github-actions[bot]).",
            rich_help_panel=_PULL_REQUEST,
        ),
    ] = None,
    code: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ZIP|FOLDER|IMAGE",
            help="This change's build, repeatable: the comment says first where another was "
            "measured (without it: where tune --code was not used).",
            show_default=False,
            rich_help_panel=_PULL_REQUEST,
        ),
    ] = None,
    template: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="CloudFormation or SAM template, repeatable: the size is suggested on its line "
            "(else template.yaml, .yml or .json, where one is here).",
            show_default=False,
            rich_help_panel=_PULL_REQUEST,
        ),
    ] = None,
    parameter: options.TemplateParameters = None,
    rate: options.Rate = None,
    per_month: options.PerMonth = None,
    min_saving_usd_per_month: options.MinSavingUsdPerMonth = 50.0,
    min_saving_ratio: options.MinSavingRatio = None,
    goal: options.GoalOption = "cost",
    cost_slack: options.CostSlack = 0.02,
    tolerance: options.Tolerance = 0.01,
    max_duration: options.MaxDuration = None,
    percentile: options.Percentile = None,
    max_cost_per_million: options.MaxCostPerMillion = None,
    cold_start_share: options.ColdStartShare = 0.01,
    min_memory: options.MinMemory = None,
    max_memory: options.MaxMemory = None,
) -> int:
    """Post the answer of saved sweeps as one comment on a pull or merge request, or renew it.

    There is one comment a key. It is renewed in place, left alone where nothing changed, and never
    replaced by what an older sweep says. Where the token may not comment (a fork's), the answer
    goes to the job's summary instead (on GitLab: to stdout).
    """
    from tuner import api  # noqa: PLC0415 - not needed for --help
    from tuner.api.builds import digest_of  # noqa: PLC0415 - as above
    from tuner.api.comment import compose_comment  # noqa: PLC0415 - as above
    from tuner.api.template_changes import (  # noqa: PLC0415 - as above
        template_change,
        usual_templates,
    )
    from tuner.breakeven.question import Terms  # noqa: PLC0415 - as above
    from tuner.cli.clock import today  # noqa: PLC0415 - as above
    from tuner.cli.continuous_integration import (  # noqa: PLC0415 - as above
        pull_request_target,
        token_variable,
    )
    from tuner.cli.screen import show_text  # noqa: PLC0415 - as above
    from tuner.cli.state import state_dir  # noqa: PLC0415 - as above
    from tuner.cli.traffic import traffic_of  # noqa: PLC0415 - as above

    wanted = goal_of(
        goal,
        cost_slack=cost_slack,
        tolerance=tolerance,
        max_duration=max_duration,
        percentile=percentile,
        max_cost_per_million=max_cost_per_million,
        cold_start_share=cold_start_share,
    )
    terms = Terms(
        traffic=traffic_of(rate, per_month),
        min_saving_usd_per_month=min_saving_usd_per_month,
        min_saving_ratio=min_saving_ratio,
    )
    limits: Limits = {
        "min_memory_mb": min_memory,
        "max_memory_mb": max_memory,
        "today": today(),
    }
    loaded = [api.load_sweep(name, state_dir=state_dir()) for name in sweeps]
    answers = [(sweep, answer_of(sweep, wanted, terms, limits)) for sweep in loaded]
    given = parameters_of(parameter)
    found = template or usual_templates(Path())
    text = compose_comment(
        answers,
        key=key,
        digests=[digest_of(each) for each in code or ()],
        changes=[
            template_change(answer, found, named=bool(template), parameters=given)
            for _, answer in answers
        ],
    )
    if dry_run:
        show_text(text.text)
    else:
        why_not: str | None = "it was measured locally (--allow-local posts it all the same)"
        if allow_local or all(sweep.environment != "local" for sweep in loaded):
            target = pull_request_target(
                forge=forge,
                repository=repository,
                number=number,
                api_url=api_url,
                author=author,
                token_env=token_env,
            )
            variable = token_variable(target.kind, token_env)
            why_not = _post(text, target) if target.token else f"{variable} holds no token"
        if why_not:
            _instead(text, why_not, require_comment=require_comment)
    _gate(fail_if_saving_over, [answer for _, answer in answers])
    return 0


def _post(text: "CommentText", target: "Target") -> str | None:
    """Post it; return why not, where the token may not."""
    import time  # noqa: PLC0415 - not needed for --help

    from tuner.api.comment import post_comment  # noqa: PLC0415 - as above
    from tuner.cli.screen import say  # noqa: PLC0415 - as above
    from tuner.errors import ForgeReadOnlyError  # noqa: PLC0415 - as above
    from tuner.forge.opening import open_forge  # noqa: PLC0415 - as above

    try:
        posted = post_comment(text, open_forge(target, sleep=time.sleep, now_s=time.time))
    except ForgeReadOnlyError as error:
        return str(error)
    words = {
        "posted": "posted",
        "updated": "updated",
        "unchanged": "left alone, nothing changed",
        "newer_there": "left alone, it shows a later sweep",
    }
    done = posted.delivery
    say(f"comment {text.key} {words[done.action]}: {done.url}")
    if posted.why_not_suggested:
        say(f"not suggested on the template's line, {posted.why_not_suggested}")
    return None


def _instead(text: "CommentText", why_not: str, *, require_comment: bool) -> None:
    """Give the answer where it can be seen, and say why there. Raises InputError."""
    from tuner.cli.continuous_integration import write_summary  # noqa: PLC0415 - as above
    from tuner.cli.screen import say, show_text  # noqa: PLC0415 - as above
    from tuner.errors import ForgeError  # noqa: PLC0415 - as above

    where = "in the job's summary"
    if not write_summary(text.text):
        where = "on stdout"
        show_text(text.text)
    line = f"not posted, {why_not}; the answer is {where}"
    if require_comment:
        raise ForgeError(line)
    say(line)


def _gate(limit_ratio: float | None, answers: "Sequence[Recommendation]") -> None:
    """Raise SavingGateError where a resize saves more than the limit."""
    if limit_ratio is None:
        return
    from tuner.api.comment import savings_over  # noqa: PLC0415 - not needed for --help
    from tuner.errors import SavingGateError  # noqa: PLC0415 - as above
    from tuner.report import numbers  # noqa: PLC0415 - as above

    over = savings_over(limit_ratio, answers)
    if over:
        names = ", ".join(
            f"{each.function.name} ({numbers.saving(each.choice.saving_ratio)})"
            for each in over
            if each.choice.saving_ratio is not None
        )
        raise SavingGateError(
            f"more than {numbers.percent(limit_ratio)} can be saved: {names}; resize, or raise "
            "--fail-if-saving-over"
        )
