"""GitHub and GitHub Enterprise, by PyGithub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.errors import ForgeError, InputError
from tuner.forge.github_asking import Asking
from tuner.forge.github_review import GithubReview
from tuner.forge.patience import Patience
from tuner.forge.protocol import Comment

if TYPE_CHECKING:
    from collections.abc import Callable

    from github import Github
    from github.Issue import Issue
    from github.IssueComment import IssueComment

    from tuner.forge.protocol import Target

ACTIONS_AUTHOR: Final = "github-actions[bot]"
"""Who a workflow's GITHUB_TOKEN is; it may not ask for its own name."""
_TIMEOUT_S: Final = 20


def open_github(
    target: Target, *, sleep: Callable[[float], None], now_s: Callable[[], float]
) -> GithubForge:
    """Open a pull request's comments; nothing is sent yet. Raises InputError without PyGithub."""
    try:
        import github  # noqa: PLC0415 - heavy, and an extra
        from github.Consts import DEFAULT_BASE_URL  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        if error.name != "github":
            raise
        raise InputError(
            "a comment on GitHub needs PyGithub, which is not installed: "
            "pip install 'lambda-tuner[github]'"
        ) from None
    client = github.Github(
        auth=github.Auth.Token(target.token),
        base_url=(target.api_url or DEFAULT_BASE_URL).rstrip("/"),
        timeout=_TIMEOUT_S,
        retry=None,  # waited for here, within a bound and with the caller's sleep
        per_page=100,
        lazy=True,  # nothing is read of repository and comment but what is asked for
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    return GithubForge(client, target, Asking(target, Patience(sleep), now_s))


class GithubForge:
    """The comments of one pull request; see `Forge`."""

    def __init__(self, client: Github, target: Target, asking: Asking) -> None:
        self._client = client
        self._target = target
        self._asking = asking
        self._author: str | None = None
        self._issue: Issue | None = None

    def own_comments(self) -> list[Comment]:
        """All comments by this token's author, oldest first, over all pages."""
        author, issue = self._who(), self._pull_request()
        found = self._asking.ask(
            lambda: [
                _comment(each)
                for each in issue.get_comments()
                if each.user is not None and each.user.login == author
            ]
        )
        return sorted(found, key=lambda comment: comment.comment_id)

    def create(self, body: str) -> Comment:
        """Post a comment."""
        issue = self._pull_request()
        return _comment(self._asking.ask(lambda: issue.create_comment(body), changes=True))

    def update(self, comment: Comment, body: str) -> Comment:
        """Replace a comment's text."""
        found = self._one(comment)
        self._asking.ask(lambda: found.edit(body), changes=True)
        return _comment(found)

    def delete(self, comment: Comment) -> None:
        """Remove a comment."""
        self._asking.ask(self._one(comment).delete, changes=True)

    def review(self) -> GithubReview:
        """The review comments."""
        repository = self._client.get_repo(self._target.repository)
        return GithubReview(repository.get_pull(self._target.number), self._who, self._asking)

    def _one(self, comment: Comment) -> IssueComment:
        return self._pull_request().get_comment(comment.comment_id)

    def _pull_request(self) -> Issue:
        if self._issue is None:
            repository = self._client.get_repo(self._target.repository)
            self._issue = repository.get_issue(self._target.number)
        return self._issue

    def _who(self) -> str:
        """The token's name. Raises ForgeError."""
        if self._author is None:
            self._author = self._target.author or self._asked_name() or ACTIONS_AUTHOR
        return self._author

    def _asked_name(self) -> str | None:
        """The name as GitHub gives it; None where the token belongs to an app."""
        try:
            return self._asking.ask(lambda: self._client.get_user().login)
        except ForgeError as error:
            if error.status == 403:
                return None
            raise


def _comment(found: IssueComment) -> Comment:
    return Comment(found.id, found.body or "", found.html_url)
