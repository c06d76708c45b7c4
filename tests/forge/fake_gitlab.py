"""Plays GitLab's REST API for one merge request, at the wire."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.forge.fake_github import NUMBER, FakeGithub

PROJECT = "group/sub/shop"
MERGE_REQUEST = f"/api/v4/projects/group%2Fsub%2Fshop/merge_requests/{NUMBER}"
ROOT = f"{MERGE_REQUEST}/notes"
BOT = "project_1_bot"


class FakeGitlab(FakeGithub):
    """The notes of group/sub/shop!7; what it keeps and how it refuses is as its sibling's."""

    def __init__(self) -> None:
        super().__init__()
        self.login = BOT

    def hold(self, method: str, target: str, body: Any) -> None:
        """GitHub's description says nothing of GitLab."""

    def add(self, body: str, login: str = BOT) -> dict[str, Any]:
        note = super().add(body, login)
        note["author"] = {"id": 1, "username": login}
        return note

    def by(self, login: str = BOT) -> list[str]:
        return super().by(login)

    def _routed(self, method: str, target: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        path = urlsplit(target).path
        if path == "/api/v4/user":
            return 200, {"username": self.login, "id": 1}, {}
        if path == ROOT:
            notes = [*self.comments, *self.remarks]  # a discussion's notes are the merge request's
            return (
                self._noted(target, notes) if method == "GET" else (201, self.add(body["body"]), {})
            )
        if match := re.fullmatch(rf"{ROOT}/(\d+)", path):
            return self._one(_as_github(method), int(match[1]), body, self.comments)
        return self._reviewed(method, target, body)

    @property
    def refs(self) -> dict[str, str]:
        return {"base_sha": "b" * 40, "start_sha": "c" * 40, "head_sha": self.head}

    def push(self, path: str, after: str) -> None:
        """A further commit: a position moves on with its line, or stays at the earlier head."""
        super().push(path, after)
        for remark in self.remarks:
            if remark["position"]["new_path"] == path and remark["line"] is not None:
                remark["position"].update(new_line=remark["line"], head_sha=self.head)

    def _reviewed(self, method: str, target: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        path = urlsplit(target).path
        if path == MERGE_REQUEST:
            return 200, {"iid": NUMBER, "diff_refs": self.refs}, {}
        if path == f"{MERGE_REQUEST}/diffs":
            files = [
                {"old_path": name, "new_path": name, "diff": file.patch}
                for name, file in self.files.items()
            ]
            return self._noted(target, files)
        if path == f"{MERGE_REQUEST}/discussions":
            if method == "GET":
                return self._noted(target, self._discussions())
            return self._discussed(body)
        if match := re.fullmatch(rf"{MERGE_REQUEST}/discussions/d(\d+)/notes/(\d+)", path):
            return self._one(_as_github(method), int(match[2]), body, self.remarks)
        return 404, {"message": "404 Not found"}, {}

    def _discussions(self) -> list[dict[str, Any]]:
        found = []
        for remark in self.remarks:
            if "in_reply_to_id" not in remark:
                replies = [
                    each for each in self.remarks if each.get("in_reply_to_id") == remark["id"]
                ]
                found.append({"id": f"d{remark['id']}", "notes": [remark, *replies]})
        return found + [
            {"id": f"d{note['id']}", "individual_note": True, "notes": [note]}
            for note in self.comments
        ]

    def _discussed(self, body: Any) -> tuple[int, Any, dict[str, str]]:
        position = dict(body["position"])
        file = self.files.get(position["new_path"])
        lines = file.lines if file else {}
        stands = position["new_line"] in lines and (
            lines[position["new_line"]] == position.get("old_line")
        )
        if not stands or {name: position[name] for name in self.refs} != self.refs:
            return 400, {"message": "400 Bad request - Note {:line_code=>[must be valid]}"}, {}
        known = {"body": body["body"], "path": position["new_path"], "line": position["new_line"]}
        note = self._remarked(known, self.login or BOT)
        return 201, {"id": f"d{note['id']}", "notes": [note]}, {}

    def _remarked(self, body: Any, login: str) -> dict[str, Any]:
        note = super()._remarked(body, login)
        note["author"] = {"id": 1, "username": login}
        note["position"] = {**self.refs, "new_path": body["path"], "new_line": body["line"]}
        return note

    def _noted(self, target: str, listed: list[Any]) -> tuple[int, Any, dict[str, str]]:
        query = parse_qs(urlsplit(target).query)
        page, per_page = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["20"])[0])
        headers = {"X-Page": str(page), "X-Per-Page": str(per_page)}
        if page * per_page < len(listed):
            path = urlsplit(target).path
            following = f"{self.url}{path}?per_page={per_page}&page={page + 1}"
            headers["Link"] = f'<{following}>; rel="next"'
        return 200, listed[(page - 1) * per_page : page * per_page], headers


def _as_github(method: str) -> str:
    return "PATCH" if method == "PUT" else method
