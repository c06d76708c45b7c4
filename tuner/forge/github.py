"""GitHub and GitHub Enterprise, by PyGithub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.errors import ForgeError
from tuner.forge.comments import NewLine, new_side
from tuner.forge.protocol import Comment, Remark
from tuner.forge.retrying_client import WAIT_S, Refusal, RetryingClient
from tuner.model.optional_import import optional_import

if TYPE_CHECKING:
    from collections.abc import Callable

    from github import Github, GithubException
    from github.Issue import Issue
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest
    from github.PullRequestComment import PullRequestComment

    from tuner.forge.protocol import Suggestion, Target


ACTIONS_AUTHOR: Final = "github-actions[bot]"
"""Who a workflow's GITHUB_TOKEN is; it may not ask for its own name."""
_TIMEOUT_S: Final = 20


def open_github(
    target: Target, *, sleep: Callable[[float], None], now_s: Callable[[], float]
) -> GithubForge:
    """Open a pull request's comments; nothing is sent yet. Raises InputError without PyGithub."""
    with optional_import("a comment on GitHub needs PyGithub", "github", extra="github"):
        import github  # noqa: PLC0415 - heavy, and an extra
        from github.Consts import DEFAULT_BASE_URL  # noqa: PLC0415 - as above
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
    return GithubForge(client, target, GithubClient(target, sleep, now_s))


class GithubForge:
    """The comments of one pull request; see `Forge`."""

    def __init__(self, client: Github, target: Target, sender: GithubClient) -> None:
        self._client = client
        self._target = target
        self._ask = sender.ask
        self._sender = sender
        self._author: str | None = None
        self._issue: Issue | None = None

    def own_comments(self) -> list[Comment]:
        """All comments by this token's author, oldest first, over all pages."""
        author, issue = self._who(), self._pull_request()
        found = self._ask(
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
        return _comment(self._ask(lambda: issue.create_comment(body), changes=True))

    def update(self, comment: Comment, body: str) -> Comment:
        """Replace a comment's text."""
        found = self._one(comment)
        self._ask(lambda: found.edit(body), changes=True)
        return _comment(found)

    def delete(self, comment: Comment) -> None:
        """Remove a comment."""
        self._ask(self._one(comment).delete, changes=True)

    def review(self) -> GithubReview:
        """The review comments."""
        repository = self._client.get_repo(self._target.repository)
        return GithubReview(repository.get_pull(self._target.number), self._who, self._sender)

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
            return self._ask(lambda: self._client.get_user().login)
        except ForgeError as error:
            if error.status == 403:
                return None
            raise


def _comment(found: IssueComment) -> Comment:
    return Comment(found.id, found.body or "", found.html_url)


class GithubClient(RetryingClient):
    """GitHub's refusals, as PyGithub raises them."""

    forge = "GitHub"
    library = "github"
    api_hint = "GitHub Enterprise Server's ends in /api/v3"
    wrong_token = "the token is wrong or has expired"  # noqa: S105 - words
    needed_rights = "the permission pull-requests: write"

    def __init__(
        self, target: Target, sleep: Callable[[float], None], now_s: Callable[[], float]
    ) -> None:
        super().__init__(target, sleep)
        self._now_s = now_s

    def refusal(self, error: Exception) -> Refusal | None:
        """The status, GitHub's message, and how long its rate limits ask to wait."""
        from github import (  # noqa: PLC0415 - heavy, and an extra
            BadAttributeException,
            GithubException,
            IncompletableObject,
        )

        no_api = isinstance(error, (BadAttributeException, IncompletableObject))
        if no_api or not isinstance(error, GithubException):
            return None
        return Refusal(error.status, _message(error), _wait_s(error, self._now_s()))


def _wait_s(error: GithubException, now_s: float) -> float | None:
    """Seconds until a request may be sent again; None where it is no matter of its rate."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if error.status not in {403, 429}:
        return None
    if (after := headers.get("retry-after", "")).isdecimal():
        return float(after)
    if headers.get("x-ratelimit-remaining") == "0":
        reset = headers.get("x-ratelimit-reset", "")
        return max(float(reset) - now_s, 0.0) + 1 if reset.isdecimal() else WAIT_S
    return WAIT_S if error.status == 429 or "rate limit" in _message(error).lower() else None


def _message(error: GithubException) -> str:
    data = error.data
    return str(data.get("message") or "") if isinstance(data, dict) else ""


class GithubReview:
    """See `Review`."""

    block: Final = "suggestion"

    def __init__(self, pull: PullRequest, who: Callable[[], str], sender: GithubClient) -> None:
        self._pull = pull
        self._who = who
        self._ask = sender.ask
        self._sender = sender
        self._head = ""
        self._files: dict[str, dict[int, NewLine]] | None = None

    def shows(self, suggestion: Suggestion) -> bool:
        """Whether the diff shows the line as it is here. A file too large has no patch there."""
        if self._files is None:
            self._head = self._ask(lambda: self._pull.head.sha)  # before the files
            self._files = self._ask(
                lambda: {
                    each.filename: new_side(each.patch or "") for each in self._pull.get_files()
                }
            )
        found = self._files.get(suggestion.path, {}).get(suggestion.line)
        return found is not None and found.text == suggestion.now

    def own_remarks(self) -> list[Remark]:
        """All review comments by this token's author, oldest first, over all pages."""
        author = self._who()
        found = self._ask(lambda: [_as_listed(each) for each in self._pull.get_review_comments()])
        answered = {each.get("in_reply_to_id") for each in found}
        own = [each for each in found if (each.get("user") or {}).get("login") == author]
        return [
            Remark(
                str(each["id"]),
                each.get("body") or "",
                each.get("path") or "",
                each.get("line"),
                each["id"] in answered,
            )
            for each in sorted(own, key=lambda each: int(each["id"]))
        ]

    def remark(self, suggestion: Suggestion, body: str) -> None:
        """Post a review comment on the head that the diff was read of."""
        self._ask(
            lambda: self._pull.create_review_comment(
                body, self._head, suggestion.path, line=suggestion.line, side="RIGHT"
            ),
            changes=True,
        )

    def update_remark(self, remark: Remark, body: str) -> None:
        """Replace a review comment's text."""
        found = self._one(remark)
        self._ask(lambda: found.edit(body), changes=True)

    def delete_remark(self, remark: Remark) -> None:
        """Remove a review comment."""
        self._ask(self._one(remark).delete, changes=True)

    def _one(self, remark: Remark) -> PullRequestComment:
        return self._pull.get_review_comment(int(remark.remark_id))


def _as_listed(comment: PullRequestComment) -> dict[str, Any]:
    """What the list says of it. PyGithub would ask for each one again for a field it has not."""
    from github.GithubObject import CompletableGithubObject  # noqa: PLC0415 - heavy, and an extra

    found: dict[str, Any] = super(CompletableGithubObject, comment).raw_data
    return found
