"""GitLab, its own and self-hosted ones, by python-gitlab: a comment is a merge request's note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from tuner.errors import InputError
from tuner.forge.gitlab_asking import Asking
from tuner.forge.gitlab_review import GitlabReview
from tuner.forge.patience import Patience
from tuner.forge.protocol import Comment

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitlab import Gitlab

    from tuner.forge.protocol import Target

_TIMEOUT_S: Final = 20
_API: Final = "/api/v4"


def open_gitlab(target: Target, *, sleep: Callable[[float], None]) -> GitlabForge:
    """Open a merge request's notes; nothing is sent yet.

    Raises InputError without python-gitlab.
    """
    try:
        import gitlab  # noqa: PLC0415 - heavy, and an extra
        import requests  # noqa: PLC0415 - comes with it
    except ModuleNotFoundError as error:
        if error.name not in {"gitlab", "requests"}:
            raise
        raise InputError(
            "a comment on GitLab needs python-gitlab, which is not installed: "
            "pip install 'lambda-tuner[gitlab]'"
        ) from None
    asking = Asking(target, Patience(sleep))
    session = requests.Session()
    session.hooks["response"].append(asking.note_headers)
    return GitlabForge(
        gitlab.Gitlab(
            target.api_url.removesuffix("/").removesuffix(_API) if target.api_url else None,
            private_token=target.token,
            timeout=_TIMEOUT_S,
            per_page=100,
            keep_base_url=True,  # a further page is asked of the same server, with its token
            session=session,
        ),
        target,
        asking,
    )


class GitlabForge:
    """The notes of one merge request; see `Forge`."""

    def __init__(self, client: Gitlab, target: Target, asking: Asking) -> None:
        self._client = client
        self._asking = asking
        self._ask = asking.ask
        self._author = target.author
        project = quote(target.repository, safe="")
        self._merge_request = f"/projects/{project}/merge_requests/{target.number}"
        self._notes = f"{self._merge_request}/notes"
        self._page = f"{client.url.removesuffix(_API)}/{target.repository}/-/merge_requests"
        self._page += f"/{target.number}"

    def own_comments(self) -> list[Comment]:
        """All notes by this token's author, oldest first, over all pages."""
        author = self._who()
        own = self._ask(
            lambda: [
                self._comment(note)
                for note in self._client.http_list(
                    self._notes, get_all=True, per_page=100, obey_rate_limit=False
                )
                if note["author"]["username"] == author
            ]
        )
        return sorted(own, key=lambda comment: comment.comment_id)

    def create(self, body: str) -> Comment:
        """Post a note."""
        return self._comment(
            self._ask(
                lambda: self._client.http_post(
                    self._notes, post_data={"body": body}, obey_rate_limit=False
                ),
                changes=True,
            )
        )

    def update(self, comment: Comment, body: str) -> Comment:
        """Replace a note's text."""
        path = f"{self._notes}/{comment.comment_id}"
        return self._comment(
            self._ask(
                lambda: self._client.http_put(
                    path, post_data={"body": body}, obey_rate_limit=False
                ),
                changes=True,
            )
        )

    def delete(self, comment: Comment) -> None:
        """Remove a note."""
        path = f"{self._notes}/{comment.comment_id}"
        self._ask(lambda: self._client.http_delete(path, obey_rate_limit=False), changes=True)

    def review(self) -> GitlabReview:
        """The discussions on lines."""
        return GitlabReview(self._client, self._merge_request, self._who, self._asking)

    def _who(self) -> str:
        """The token's name. Raises ForgeError."""
        if self._author is None:
            self._author = self._ask(self._asked_name)
        return self._author

    def _asked_name(self) -> str:
        user: Any = self._client.http_get("/user", obey_rate_limit=False)
        return str(user["username"])

    def _comment(self, note: Any) -> Comment:
        return Comment(note["id"], note["body"], f"{self._page}#note_{note['id']}")
