"""GitLab, public and self-hosted, through python-gitlab: a comment is a merge request's note, a
suggestion a discussion at a position in its diff.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar
from urllib.parse import quote

from tuner.forge.comments import NewLine, new_side
from tuner.forge.protocol import Comment, Remark
from tuner.forge.retrying_client import WAIT_S, Refusal, RetryingClient
from tuner.model.optional_import import optional_import

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response

    from tuner.forge.protocol import Suggestion, Target

T = TypeVar("T")

_TIMEOUT_S: Final = 20
_API: Final = "/api/v4"


class GitlabForge(RetryingClient):
    """The notes of one merge request, and the discussions on its lines; see `Forge`.

    Nothing is sent yet. Raises InputError without python-gitlab.
    """

    forge = "GitLab"
    library = "gitlab"
    api_hint = "it ends in /api/v4"
    wrong_token = "the token is wrong, has expired or is a job token, which can't comment"  # noqa: S105 - words
    needed_rights = "the scope api and the role Reporter"
    block: Final = "suggestion:-0+0"

    def __init__(self, target: Target, sleep: Callable[[float], None]) -> None:
        super().__init__(target, sleep)
        need = "a comment on GitLab needs python-gitlab"
        with optional_import(need, "gitlab", "requests", extra="gitlab"):
            import gitlab  # noqa: PLC0415 - heavy, and an extra
            import requests  # noqa: PLC0415 - comes with it
        self._retry_after = ""
        session = requests.Session()
        session.max_redirects = 0  # an error for each, because the token's header would go along
        session.hooks["response"].append(self._note_headers)
        self._api = gitlab.Gitlab(
            target.api_url.removesuffix("/").removesuffix(_API) if target.api_url else None,
            private_token=target.token,
            timeout=_TIMEOUT_S,
            per_page=100,
            keep_base_url=True,  # the next page comes from the same server, with its token
            session=session,
        )
        project, number = quote(target.repository, safe=""), target.number
        self._path = f"/projects/{project}/merge_requests/{number}"
        self._notes, self._discussions = f"{self._path}/notes", f"{self._path}/discussions"
        web = self._api.url.removesuffix(_API)
        self._page = f"{web}/{target.repository}/-/merge_requests/{number}"
        self._author = target.author
        self._refs: dict[str, Any] | None = None
        self._files: dict[str, tuple[str, dict[int, NewLine]]] | None = None

    def refusal(self, error: Exception) -> Refusal | None:
        """The status, GitLab's message, and how long its rate limits ask to wait."""
        from gitlab.exceptions import (  # noqa: PLC0415 - heavy, and an extra
            GitlabError,
            GitlabParsingError,
        )

        if isinstance(error, GitlabParsingError) or not isinstance(error, GitlabError):
            return None
        status, wait_s = error.response_code, None
        if status == 429:
            wait_s = float(self._retry_after) if self._retry_after.isdecimal() else WAIT_S
        return Refusal(status, str(error.error_message), wait_s)

    def own_comments(self) -> list[Comment]:
        """All notes by this token's author, oldest first, over all pages."""
        author = self._who()
        own = self._listed(
            self._notes,
            lambda notes: [self._comment(n) for n in notes if n["author"]["username"] == author],
        )
        return sorted(own, key=lambda comment: comment.comment_id)

    def create(self, body: str) -> Comment:
        """Post a note."""
        note = self._change("post", self._notes, {"body": body})
        return self.ask(lambda: self._comment(note))

    def update(self, comment: Comment, body: str) -> Comment:
        """Replace a note's text."""
        note = self._change("put", f"{self._notes}/{comment.comment_id}", {"body": body})
        return self.ask(lambda: self._comment(note))

    def delete(self, comment: Comment) -> None:
        """Remove a note."""
        self._change("delete", f"{self._notes}/{comment.comment_id}")

    def shows(self, suggestion: Suggestion) -> bool:
        """Whether the diff shows the line as it is here. A file that's too large has no diff."""
        if self._files is None:
            self._commits()  # read before the files
            self._files = self._listed(
                f"{self._path}/diffs",
                lambda diffs: {
                    each["new_path"]: (each["old_path"], new_side(each.get("diff") or ""))
                    for each in diffs
                },
            )
        found = self._line(suggestion)
        return found is not None and found.text == suggestion.now

    def own_remarks(self) -> list[Remark]:
        """All discussions on lines by this token's author, oldest first, over all pages.

        One positioned on an earlier head has no line: its change has moved on.
        """
        author, head = self._who(), self._commits()["head_sha"]

        def own(discussions: list[Any]) -> list[Remark]:
            found = []
            for discussion in discussions:
                first, *replies = discussion["notes"]
                position = first.get("position")
                if first["author"]["username"] == author and position:
                    found.append(
                        Remark(
                            f"{discussion['id']}/notes/{first['id']}",
                            first["body"],
                            position.get("new_path") or "",
                            position.get("new_line") if position.get("head_sha") == head else None,
                            any(not each.get("system") for each in replies),
                        )
                    )
            return sorted(found, key=lambda remark: int(remark.remark_id.rpartition("/")[2]))

        return self._listed(self._discussions, own)

    def remark(self, suggestion: Suggestion, body: str) -> None:
        """Open a discussion on the head commit that the diff was read from."""
        line = self._line(suggestion)
        position = {
            **self._commits(),
            "position_type": "text",
            "old_path": (self._files or {})[suggestion.path][0],
            "new_path": suggestion.path,
            "new_line": suggestion.line,
        }
        if line is not None and line.old_line is not None:
            position["old_line"] = line.old_line  # an unchanged line needs both
        self._change("post", self._discussions, {"body": body, "position": position})

    def update_remark(self, remark: Remark, body: str) -> None:
        """Replace a discussion's first note."""
        self._change("put", f"{self._discussions}/{remark.remark_id}", {"body": body})

    def delete_remark(self, remark: Remark) -> None:
        """Remove a discussion's first note, and with it the discussion."""
        self._change("delete", f"{self._discussions}/{remark.remark_id}")

    def _who(self) -> str:
        """The token's name. Raises ForgeError."""
        if self._author is None:
            self._author = self._got("/user", lambda user: str(user["username"]))
        return self._author

    def _comment(self, note: Any) -> Comment:
        return Comment(note["id"], note["body"], f"{self._page}#note_{note['id']}")

    def _commits(self) -> dict[str, Any]:
        """The commits that a position refers to."""
        if self._refs is None:
            refs = self._got(self._path, lambda request: dict(request.get("diff_refs") or {}))
            self._refs = {name: refs.get(name) for name in ("base_sha", "start_sha", "head_sha")}
        return self._refs

    def _line(self, suggestion: Suggestion) -> NewLine | None:
        _, lines = (self._files or {}).get(suggestion.path, ("", {}))
        return lines.get(suggestion.line)

    def _got(self, path: str, read: Callable[[Any], T]) -> T:
        return self.ask(lambda: read(self._api.http_get(path, obey_rate_limit=False)))

    def _listed(self, path: str, read: Callable[[list[Any]], T]) -> T:
        """What `read` makes of a whole list, over all pages."""
        options: dict[str, Any] = {"get_all": True, "per_page": 100, "obey_rate_limit": False}
        return self.ask(lambda: read(list(self._api.http_list(path, **options))))

    def _change(self, verb: Literal["post", "put", "delete"], path: str, data: Any = None) -> Any:
        """Create, change or remove something."""
        send = getattr(self._api, f"http_{verb}")
        given = {} if data is None else {"post_data": data}
        return self.ask(lambda: send(path, obey_rate_limit=False, **given), changes=True)

    def _note_headers(self, response: Response, *_: object, **__: object) -> None:
        """Keep what python-gitlab's errors leave out."""
        self._retry_after = response.headers.get("Retry-After", "")
