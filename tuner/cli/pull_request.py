"""The options of `tuner comment` about the pull request and what it changes.

Annotations are evaluated by typer, so nothing here is postponed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tuner.cli import options
from tuner.cli.values import parameters_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.api.comment import CommentText
    from tuner.forge.protocol import Target
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep

PULL_REQUEST = "Pull request"


@dataclass(frozen=True, slots=True)
class PullRequestOptions:
    """Where the comment goes; what is not given comes from the job's environment."""

    forge: Annotated[
        Literal["github", "gitlab"] | None,
        typer.Option(
            help="Where the pull or merge request is (else by GITLAB_CI, else github).",
            rich_help_panel=PULL_REQUEST,
        ),
    ] = None
    repository: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME",
            help="Repository (else GITHUB_REPOSITORY or CI_PROJECT_PATH).",
            rich_help_panel=PULL_REQUEST,
        ),
    ] = None
    number: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Its number (else from GITHUB_REF, GITHUB_EVENT_PATH or CI_MERGE_REQUEST_IID).",
            rich_help_panel=PULL_REQUEST,
        ),
    ] = None
    api_url: Annotated[
        str | None,
        typer.Option(
            help="API of a server of your own (else GITHUB_API_URL or CI_API_V4_URL, else the "
            "public one).",
            rich_help_panel=PULL_REQUEST,
        ),
    ] = None
    token_env: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE",
            help="Variable that holds the token (else GITHUB_TOKEN or GITLAB_TOKEN).",
            rich_help_panel=PULL_REQUEST,
        ),
    ] = None
    author: Annotated[
        str | None,
        typer.Option(
            metavar="LOGIN",
            help="Whose comments are its own, where an app's token is used: my-app[bot] (else the "
            "token's user, or github-actions[bot]).",
            rich_help_panel=PULL_REQUEST,
        ),
    ] = None

    def target(self) -> "Target":
        """Return the pull or merge request; its token may be empty. Raises InputError."""
        from tuner.cli.continuous_integration import (  # noqa: PLC0415 - not needed for --help
            pull_request_target,
        )

        return pull_request_target(
            forge=self.forge,
            repository=self.repository,
            number=self.number,
            api_url=self.api_url,
            author=self.author,
            token_env=self.token_env,
        )


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """What the pull request builds, and the templates that it may change."""

    code: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ZIP|FOLDER|IMAGE",
            help="This change's build, repeatable: the comment says first where another was "
            "measured (without it: where tune --code was not used).",
            show_default=False,
            rich_help_panel=PULL_REQUEST,
        ),
    ] = None
    template: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="CloudFormation or SAM template, repeatable: the size is suggested on its line "
            "(else template.yaml, .yml or .json, where one is here).",
            show_default=False,
            rich_help_panel=PULL_REQUEST,
        ),
    ] = None
    parameter: options.TemplateParameters = None

    def compose(
        self, answers: "Sequence[tuple[Sweep, Recommendation]]", *, key: str | None
    ) -> "CommentText":
        """Return the comment. Raises InputError and SweepFileError."""
        from tuner.api.comment import compose_comment  # noqa: PLC0415 - as above
        from tuner.api.template_changes import (  # noqa: PLC0415 - as above
            template_change,
            usual_templates,
        )
        from tuner.session.inputs import digest_of  # noqa: PLC0415 - not needed for --help

        found = self.template or usual_templates(Path())
        given, named = parameters_of(self.parameter), bool(self.template)
        return compose_comment(
            answers,
            key=key,
            digests=[digest_of(each) for each in self.code or ()],
            changes=[
                template_change(answer, found, named=named, parameters=given)
                for _, answer in answers
            ],
        )
