"""Comments on lines of a GitHub pull request: a review of one comment each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.forge.diff import NewLine, new_side
from tuner.forge.protocol import Remark

if TYPE_CHECKING:
    from collections.abc import Callable

    from github.PullRequest import PullRequest
    from github.PullRequestComment import PullRequestComment

    from tuner.forge.github_asking import Asking
    from tuner.forge.protocol import Suggestion


class GithubReview:
    """See `Review`."""

    block: Final = "suggestion"

    def __init__(self, pull: PullRequest, who: Callable[[], str], asking: Asking) -> None:
        self._pull = pull
        self._who = who
        self._asking = asking
        self._head = ""
        self._files: dict[str, dict[int, NewLine]] | None = None

    def shows(self, suggestion: Suggestion) -> bool:
        """Whether the diff shows the line as it is here. A file too large has no patch there."""
        if self._files is None:
            self._head = self._asking.ask(lambda: self._pull.head.sha)  # before the files
            self._files = self._asking.ask(
                lambda: {
                    each.filename: new_side(each.patch or "") for each in self._pull.get_files()
                }
            )
        found = self._files.get(suggestion.path, {}).get(suggestion.line)
        return found is not None and found.text == suggestion.now

    def own_remarks(self) -> list[Remark]:
        """All review comments by this token's author, oldest first, over all pages."""
        author = self._who()
        found = self._asking.ask(
            lambda: [_as_listed(each) for each in self._pull.get_review_comments()]
        )
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
        self._asking.ask(
            lambda: self._pull.create_review_comment(
                body, self._head, suggestion.path, line=suggestion.line, side="RIGHT"
            ),
            changes=True,
        )

    def update_remark(self, remark: Remark, body: str) -> None:
        """Replace a review comment's text."""
        found = self._one(remark)
        self._asking.ask(lambda: found.edit(body), changes=True)

    def delete_remark(self, remark: Remark) -> None:
        """Remove a review comment."""
        self._asking.ask(self._one(remark).delete, changes=True)

    def _one(self, remark: Remark) -> PullRequestComment:
        return self._pull.get_review_comment(int(remark.remark_id))


def _as_listed(comment: PullRequestComment) -> dict[str, Any]:
    """What the list says of it. PyGithub would ask for each one again for a field it has not."""
    from github.GithubObject import CompletableGithubObject  # noqa: PLC0415 - heavy, and an extra

    found: dict[str, Any] = super(CompletableGithubObject, comment).raw_data
    return found
