"""Plays GitLab's REST API for one merge request, at the wire."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.forge.fake_github import NUMBER, FakeGithub

PROJECT = "group/sub/shop"
ROOT = f"/api/v4/projects/group%2Fsub%2Fshop/merge_requests/{NUMBER}/notes"
BOT = "project_1_bot"


class FakeGitlab(FakeGithub):
    """The notes of group/sub/shop!7; what it keeps and how it refuses is as its sibling's."""

    def __init__(self) -> None:
        super().__init__()
        self.login = BOT

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
            return self._noted(target) if method == "GET" else (201, self.add(body["body"]), {})
        if match := re.fullmatch(rf"{ROOT}/(\d+)", path):
            return self._one("PATCH" if method == "PUT" else method, int(match[1]), body)
        return 404, {"message": "404 Not found"}, {}

    def _noted(self, target: str) -> tuple[int, Any, dict[str, str]]:
        query = parse_qs(urlsplit(target).query)
        page, per_page = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["20"])[0])
        headers = {"X-Page": str(page), "X-Per-Page": str(per_page)}
        if page * per_page < len(self.comments):
            path = urlsplit(target).path
            following = f"{self.url}{path}?per_page={per_page}&page={page + 1}"
            headers["Link"] = f'<{following}>; rel="next"'
        return 200, self.comments[(page - 1) * per_page : page * per_page], headers
