"""GitHub and GitHub Enterprise, through PyGithub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.errors import ForgeError
from tuner.forge.comments import NewLine, new_side
from tuner.forge.protocol import Comment, Remark
from tuner.forge.retrying_client import WAIT_S, Refusal, RetryingClient
from tuner.model.optional_import import optional_import

if TYPE_CHECKING:
    from collections.abc import Callable

    from github import GithubException
    from github.IssueComment import IssueComment
    from github.PullRequestComment import PullRequestComment

    from tuner.forge.protocol import Suggestion, Target


ACTIONS_AUTHOR: Final = "github-actions[bot]"
"""The author of a workflow's GITHUB_TOKEN, which may not ask for its own name."""
_TIMEOUT_S: Final = 20
_REDIRECTS: Final = range(300, 400)


class GithubForge(RetryingClient):
    """The comments of one pull request, and those on its lines; see `Forge`.

    Nothing is sent yet. Raises InputError without PyGithub.
    """

    forge = "GitHub"
    library = "github"
    api_hint = "GitHub Enterprise Server's ends in /api/v3"
    wrong_token = "the token is wrong or has expired"  # noqa: S105 - words
    needed_rights = "the permission pull-requests: write"
    block: Final = "suggestion"

    def __init__(
        self, target: Target, sleep: Callable[[float], None], now_s: Callable[[], float]
    ) -> None:
        super().__init__(target, sleep)
        with optional_import("a comment on GitHub needs PyGithub", "github", extra="github"):
            import github  # noqa: PLC0415 - heavy, and an extra
            from github.Consts import DEFAULT_BASE_URL  # noqa: PLC0415 - as above
            from urllib3 import Retry  # noqa: PLC0415 - comes with it
        self._now_s = now_s
        self._client = github.Github(
            auth=github.Auth.Token(target.token),
            base_url=(target.api_url or DEFAULT_BASE_URL).rstrip("/"),
            timeout=_TIMEOUT_S,
            # No retry (waited for here, within a bound and with the caller's sleep), and an error
            # for each redirect, whose body PyGithub would take for the answer.
            retry=Retry(0, read=False, status_forcelist=_REDIRECTS, allowed_methods=None),
            per_page=100,
            lazy=True,  # only the requested fields of repository and comment are read
            seconds_between_requests=None,
            seconds_between_writes=None,
        )
        repository = self._client.get_repo(target.repository)
        self._issue = repository.get_issue(target.number)
        self._pull = repository.get_pull(target.number)
        self._author = target.author
        self._head = ""
        self._files: dict[str, dict[int, NewLine]] | None = None

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

    def own_comments(self) -> list[Comment]:
        """All comments by this token's author, oldest first, over all pages."""
        author = self._who()
        found = self.ask(
            lambda: [
                _comment(each)
                for each in self._issue.get_comments()
                if each.user is not None and each.user.login == author
            ]
        )
        return sorted(found, key=lambda comment: comment.comment_id)

    def create(self, body: str) -> Comment:
        """Post a comment."""
        posted = self.ask(lambda: self._issue.create_comment(body), changes=True)
        return self.ask(lambda: _comment(posted))

    def update(self, comment: Comment, body: str) -> Comment:
        """Replace a comment's text."""
        found = self._issue.get_comment(comment.comment_id)
        self.ask(lambda: found.edit(body), changes=True)
        return self.ask(lambda: _comment(found))

    def delete(self, comment: Comment) -> None:
        """Remove a comment."""
        self.ask(self._issue.get_comment(comment.comment_id).delete, changes=True)

    def shows(self, suggestion: Suggestion) -> bool:
        """Whether the diff shows the line as it is here. A file that's too large has no patch."""
        if self._files is None:
            self._head = self.ask(lambda: self._pull.head.sha)  # read before the files
            self._files = self.ask(
                lambda: {
                    each.filename: new_side(each.patch or "") for each in self._pull.get_files()
                }
            )
        found = self._files.get(suggestion.path, {}).get(suggestion.line)
        return found is not None and found.text == suggestion.now

    def own_remarks(self) -> list[Remark]:
        """All review comments by this token's author, oldest first, over all pages."""
        author = self._who()

        def listed() -> list[Remark]:
            found = [_as_listed(each) for each in self._pull.get_review_comments()]
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

        return self.ask(listed)

    def remark(self, suggestion: Suggestion, body: str) -> None:
        """Post a review comment on the head commit that the diff was read from."""
        self.ask(
            lambda: self._pull.create_review_comment(
                body, self._head, suggestion.path, line=suggestion.line, side="RIGHT"
            ),
            changes=True,
        )

    def update_remark(self, remark: Remark, body: str) -> None:
        """Replace a review comment's text."""
        found = self._pull.get_review_comment(int(remark.remark_id))
        self.ask(lambda: found.edit(body), changes=True)

    def delete_remark(self, remark: Remark) -> None:
        """Remove a review comment."""
        self.ask(self._pull.get_review_comment(int(remark.remark_id)).delete, changes=True)

    def _who(self) -> str:
        """The token's name; for an app's token, which may not ask, GitHub Actions'.

        Raises ForgeError.
        """
        if self._author is None:
            try:
                self._author = self.ask(lambda: self._client.get_user().login)
            except ForgeError as error:
                if error.status != 403:
                    raise
                self._author = ACTIONS_AUTHOR
        return self._author


def _comment(found: IssueComment) -> Comment:
    return Comment(found.id, found.body or "", found.html_url)


def _wait_s(error: GithubException, now_s: float) -> float | None:
    """Seconds until a request may be sent again; None if it isn't about the rate."""
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


def _as_listed(comment: PullRequestComment) -> dict[str, Any]:
    """The data from the list. PyGithub would fetch each one again for a missing field."""
    from github.GithubObject import CompletableGithubObject  # noqa: PLC0415 - heavy, and an extra

    found: dict[str, Any] = super(CompletableGithubObject, comment).raw_data
    return found
