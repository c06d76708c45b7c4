"""GitLab, its own and self-hosted ones, by python-gitlab: a comment is a merge request's note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from urllib.parse import quote

from tuner.errors import ForgeError, ForgeReadOnlyError, InputError
from tuner.forge.gitlab_review import GitlabReview
from tuner.forge.patience import Patience
from tuner.forge.protocol import OTHER_SHAPE, Comment

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitlab import Gitlab
    from gitlab.exceptions import GitlabError
    from requests import Response

    from tuner.forge.protocol import Target

T = TypeVar("T")

# https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/: limits count by the
# minute; a Retry-After comes with most refusals.
_WAIT_S: Final = 60.0
_TIMEOUT_S: Final = 20
_API: Final = "/api/v4"
_NO_API: Final = f"what answers is not GitLab's API: check --api-url (it ends in {_API})"


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
    session = requests.Session()
    forge = GitlabForge(
        gitlab.Gitlab(
            target.api_url.removesuffix("/").removesuffix(_API) if target.api_url else None,
            private_token=target.token,
            timeout=_TIMEOUT_S,
            per_page=100,
            keep_base_url=True,  # a further page is asked of the same server, with its token
            session=session,
        ),
        target,
        Patience(sleep),
    )
    session.hooks["response"].append(forge.note_headers)
    return forge


class Asking(Protocol):
    """Returns what `send` returns; raises ForgeError, ForgeReadOnlyError for what changes."""

    def __call__(self, send: Callable[[], T], *, changes: bool = False) -> T:
        """Send, and wait for rate limits."""


class GitlabForge:
    """The notes of one merge request; see `Forge`."""

    def __init__(self, client: Gitlab, target: Target, patience: Patience) -> None:
        self._client = client
        self._patience = patience
        self._author = target.author
        self._retry_after = ""
        project = quote(target.repository, safe="")
        self._merge_request = f"/projects/{project}/merge_requests/{target.number}"
        self._notes = f"{self._merge_request}/notes"
        self._page = f"{client.url.removesuffix(_API)}/{target.repository}/-/merge_requests"
        self._page += f"/{target.number}"

    def note_headers(self, response: Response, *_: object, **__: object) -> None:
        """Keep what python-gitlab's errors do not tell."""
        self._retry_after = response.headers.get("Retry-After", "")

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
        return GitlabReview(self._client, self._merge_request, self._who, self._ask)

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

    def _ask(self, send: Callable[[], T], *, changes: bool = False) -> T:
        """Return what `send` returns; a request that was refused for its rate is sent again."""
        from gitlab.exceptions import (  # noqa: PLC0415 - heavy, and an extra
            GitlabError,
            GitlabParsingError,
        )

        while True:
            try:
                return send()
            except GitlabParsingError as error:
                raise ForgeError(_NO_API) from error
            except GitlabError as error:
                if error.response_code != 429:
                    raise _told(error, changes=changes) from error
                wait_s = float(self._retry_after) if self._retry_after.isdigit() else _WAIT_S
                self._patience.wait(wait_s, forge="GitLab", status=429)
            except OSError as error:  # of requests: its errors are OSErrors
                raise ForgeError(
                    f"GitLab does not answer ({type(error).__name__}): check the network and "
                    "--api-url"
                ) from error
            except OTHER_SHAPE as error:
                raise ForgeError(_NO_API) from error


def _told(error: GitlabError, *, changes: bool) -> ForgeError:
    status = error.response_code
    said = f"GitLab said {status} ({str(error.error_message)[:200] or 'without a reason'})"
    if status == 401:
        return ForgeError(
            f"{said}: the token is wrong, has expired or is a job's own, which may not comment",
            status=401,
        )
    if changes and status in {403, 404}:
        return ForgeReadOnlyError(
            f"the token may not comment: {said}; it needs the scope api and the role Reporter",
            status=status,
        )
    if status == 404:
        return ForgeError(
            f"{said}: check --repository and --number, and that the token may read them",
            status=404,
        )
    return ForgeError(said, status=status)
