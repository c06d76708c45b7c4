"""Comments on lines of a GitLab merge request: discussions on a position of its diff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.forge.diff import NewLine, new_side
from tuner.forge.protocol import Remark

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitlab import Gitlab

    from tuner.forge.gitlab_asking import Asking
    from tuner.forge.protocol import Suggestion


class GitlabReview:
    """See `Review`."""

    block: Final = "suggestion:-0+0"

    def __init__(
        self, client: Gitlab, merge_request: str, who: Callable[[], str], asking: Asking
    ) -> None:
        self._client = client
        self._path = merge_request
        self._who = who
        self._ask = asking.ask
        self._refs: dict[str, Any] | None = None
        self._files: dict[str, tuple[str, dict[int, NewLine]]] | None = None

    def shows(self, suggestion: Suggestion) -> bool:
        """Whether the diff shows the line as it is here. A file too large has no diff there."""
        if self._files is None:
            self._commits()  # before the files
            self._files = {
                each["new_path"]: (each["old_path"], new_side(each.get("diff") or ""))
                for each in self._listed("diffs")
            }
        found = self._line(suggestion)
        return found is not None and found.text == suggestion.now

    def own_remarks(self) -> list[Remark]:
        """All discussions on lines by this token's author, oldest first, over all pages.

        One whose position is of an earlier head has no line: its change has gone on.
        """
        author, head = self._who(), self._commits()["head_sha"]
        found = []
        for discussion in self._listed("discussions"):
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

    def remark(self, suggestion: Suggestion, body: str) -> None:
        """Open a discussion on the head that the diff was read of."""
        line = self._line(suggestion)
        position = {
            **self._commits(),
            "position_type": "text",
            "old_path": (self._files or {})[suggestion.path][0],
            "new_path": suggestion.path,
            "new_line": suggestion.line,
        }
        if line is not None and line.old_line is not None:
            position["old_line"] = line.old_line  # a line that did not change needs both
        self._ask(
            lambda: self._client.http_post(
                f"{self._path}/discussions",
                post_data={"body": body, "position": position},
                obey_rate_limit=False,
            ),
            changes=True,
        )

    def update_remark(self, remark: Remark, body: str) -> None:
        """Replace a discussion's first note."""
        path = f"{self._path}/discussions/{remark.remark_id}"
        self._ask(
            lambda: self._client.http_put(path, post_data={"body": body}, obey_rate_limit=False),
            changes=True,
        )

    def delete_remark(self, remark: Remark) -> None:
        """Remove a discussion's first note, and the discussion with it."""
        path = f"{self._path}/discussions/{remark.remark_id}"
        self._ask(lambda: self._client.http_delete(path, obey_rate_limit=False), changes=True)

    def _commits(self) -> dict[str, Any]:
        """The commits that a position names."""
        if self._refs is None:
            found: Any = self._ask(lambda: self._client.http_get(self._path, obey_rate_limit=False))
            refs = found.get("diff_refs") or {}
            self._refs = {name: refs.get(name) for name in ("base_sha", "start_sha", "head_sha")}
        return self._refs

    def _line(self, suggestion: Suggestion) -> NewLine | None:
        _, lines = (self._files or {}).get(suggestion.path, ("", {}))
        return lines.get(suggestion.line)

    def _listed(self, what: str) -> list[Any]:
        return self._ask(
            lambda: list(
                self._client.http_list(
                    f"{self._path}/{what}", get_all=True, per_page=100, obey_rate_limit=False
                )
            )
        )
