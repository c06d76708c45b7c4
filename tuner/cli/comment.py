"""`tuner comment`: the answer, on the pull request."""

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tuner.cli import options
from tuner.cli.config import today
from tuner.cli.continuous_integration import pull_request_target, token_variable, write_summary
from tuner.cli.flags import shown
from tuner.cli.groups import GoalOptions, TrafficOptions, WhereOptions, spread
from tuner.cli.reading import ReadOptions
from tuner.cli.saved import Sweeps, analyse
from tuner.cli.screen import say, show_text
from tuner.cli.staleness import Live, seeing
from tuner.cli.values import parameters_of
from tuner.errors import ForgeReadOnlyError, SavingGateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.api.comment import CommentText
    from tuner.errors import TunerError
    from tuner.forge.protocol import Target
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep


EPILOG = """\
tuner comment resize-images --dry-run

tuner comment sweep.jsonl --key sizes --fail-if-saving-over 20%

tuner comment resize-images --live --fail-if-saving-over 20%

tuner comment a.jsonl b.jsonl --repository octo/shop --number 7 --token-env BOT_TOKEN"""

COMMON = (
    *("sweeps", "key", "dry_run", "allow_local", "fail_if_saving_over", "forge", "repository"),
    *("number", "token_env", "template", "rate", "goal"),
)
"""What the short help shows."""

_pull_request = partial(typer.Option, rich_help_panel="Pull request")


@dataclass(frozen=True, slots=True)
class PullRequestOptions:
    """Where the comment goes; the job's environment fills in what isn't given."""

    forge: Annotated[
        Literal["github", "gitlab"] | None,
        _pull_request(
            help="Where the pull or merge request is (default: gitlab in GitLab CI, else github)."
        ),
    ] = None
    repository: Annotated[
        str | None,
        _pull_request(
            metavar="OWNER/NAME", help="Repository (default: GITHUB_REPOSITORY or CI_PROJECT_PATH)."
        ),
    ] = None
    number: Annotated[
        int | None,
        _pull_request(
            min=1,
            help="Its number (default: from GITHUB_REF, GITHUB_EVENT_PATH or "
            "CI_MERGE_REQUEST_IID).",
        ),
    ] = None
    api_url: Annotated[
        str | None,
        _pull_request(
            help="API of your own server (default: GITHUB_API_URL, CI_API_V4_URL or the "
            "public one)."
        ),
    ] = None
    token_env: Annotated[
        str | None,
        _pull_request(
            metavar="VARIABLE",
            help="Variable that holds the token (default: GITHUB_TOKEN or GITLAB_TOKEN).",
        ),
    ] = None
    author: Annotated[
        str | None,
        _pull_request(
            metavar="LOGIN",
            help="Whose comments to update with an app's token: my-app[bot] (default: "
            "the token's user, or github-actions[bot]).",
        ),
    ] = None

    def target(self) -> "Target":
        """Return the pull or merge request; its token may be empty. Raises InputError."""
        return pull_request_target(**asdict(self))


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """What the pull request builds, and the templates it may change."""

    code: Annotated[
        list[str] | None,
        _pull_request(
            metavar="ZIP|FOLDER|IMAGE",
            help="This change's build, repeatable. If another was measured, the comment says so "
            "first (default: if tune --code wasn't used).",
        ),
    ] = None
    template: Annotated[
        list[Path] | None,
        _pull_request(
            metavar="FILE|FOLDER",
            exists=True,
            help="File or folder of infrastructure code to suggest the size in, repeatable "
            "(default: this repository).",
        ),
    ] = None
    stage: Annotated[
        str | None, _pull_request(metavar="NAME", help="Stage whose memory to suggest.")
    ] = None
    parameter: options.TemplateParameters = None

    def compose(
        self, answers: "Sequence[tuple[Sweep, Recommendation]]", *, key: str | None
    ) -> "CommentText":
        """Return the comment. Raises InputError and SweepFileError."""
        from tuner.api.applying import working_repository
        from tuner.api.comment import compose_comment, template_change
        from tuner.report.comment import NoTemplateLine
        from tuner.session.inputs import digest_of

        found = self.template or [working_repository()]
        given, named = parameters_of(self.parameter), bool(self.template)
        changes = [
            template_change(answer, found, named=named, stage=self.stage, parameters=given)
            for _, answer in answers
        ]
        return compose_comment(
            [(sweep, shown(answer)) for sweep, answer in answers],
            key=key,
            digests=[digest_of(each) for each in self.code or ()],
            # A template's own line is quoted verbatim.
            changes=[shown(each) if isinstance(each, NoTemplateLine) else each for each in changes],
        )


@spread
def comment(
    sweeps: Sweeps,
    *,
    key: Annotated[
        str | None, typer.Option(help="Which comment to update (default: the functions' names).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it; send nothing.")] = False,
    allow_local: Annotated[
        bool, typer.Option("--allow-local", help="Also post what was measured on a local endpoint.")
    ] = False,
    require_comment: Annotated[
        bool, typer.Option("--require-comment", help="Fail if it can't be posted.")
    ] = False,
    fail_if_saving_over: Annotated[
        float | None,
        typer.Option(
            **options.SHARE,
            help="After posting, exit with 10 if a resize saves more than this, such as 20% (by "
            "the low end of its interval).",
        ),
    ] = None,
    pull_request: PullRequestOptions,
    change: ChangeOptions,
    traffic: TrafficOptions,
    goal: GoalOptions,
    min_memory: options.MinMemory = None,
    max_memory: options.MaxMemory = None,
    live: Live = False,
    read: ReadOptions,
    where: WhereOptions,
) -> int:
    """Post the answer of saved sweeps as one comment on a pull or merge request, or update it.

    Each key has one comment. It's updated in place, left alone if nothing changed, and never
    replaced by an older sweep's answer. If the token can't comment (a fork's), the answer goes to
    the job's summary instead (on GitLab: to stdout). With --live or --logs it says if the function
    has changed since its sweep.
    """
    from tuner import session
    from tuner.api.staleness import with_drift

    terms = traffic.terms()
    analyses = analyse(sweeps, goal, min_memory, max_memory)
    see = seeing(read, where, [each.sweep for each in analyses], live=live)
    answers = [
        (each.sweep, with_drift(each.sweep, session.recommend(each, terms, today=today()), see))
        for each in analyses
    ]
    text = change.compose(answers, key=key)
    if dry_run:
        show_text(text.text)
    else:
        why_not: TunerError | None
        why_not = UsageError("it was measured locally (--allow-local posts it anyway)")
        if allow_local or all(sweep.environment != "local" for sweep, _ in answers):
            why_not = _post(text, pull_request)
        if why_not is not None:
            _instead(text, why_not, require_comment=require_comment)
    _gate(fail_if_saving_over, [answer for _, answer in answers])
    return 0


def _post(text: "CommentText", pull_request: PullRequestOptions) -> "TunerError | None":
    """Post it; return why it wasn't posted: no token (a UsageError), or no permission."""
    import time

    from tuner.api.comment import post_comment
    from tuner.forge import open_forge

    target = pull_request.target()
    if not target.token:
        variable = token_variable(target.kind, pull_request.token_env)
        return UsageError(f"{variable} has no token")
    try:
        posted = post_comment(text, open_forge(target, sleep=time.sleep, now_s=time.time))
    except ForgeReadOnlyError as error:
        return error
    words = {
        "posted": "posted",
        "updated": "updated",
        "unchanged": "unchanged",
        "newer_there": "left alone: it shows a later sweep",
    }
    done = posted.delivery
    say(target.without_token(f"comment {text.key} {words[done.action]}: {done.url}"))
    if posted.why_not_suggested:
        say(f"not suggested on the template's line, {posted.why_not_suggested}")
    return None


def _instead(text: "CommentText", why_not: "TunerError", *, require_comment: bool) -> None:
    """Show the answer somewhere else, and say why.

    Raises an error of `why_not`'s type if the comment is required, InputError if the summary can't
    be written.
    """
    where = "in the job's summary"
    if not write_summary(text.text):
        where = "on stdout"
        show_text(text.text)
    line = f"not posted, {why_not}; the answer is {where}"
    if require_comment:
        raise type(why_not)(line)
    say(line)


def _gate(limit_ratio: float | None, answers: "Sequence[Recommendation]") -> None:
    """Raise SavingGateError if a resize saves more than the limit."""
    if limit_ratio is None:
        return
    from tuner.api.comment import savings_over
    from tuner.report import numbers

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
