"""Plays GitHub's REST API for one pull request, at the wire."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from jsonschema import ValidationError

from tests.forge.openapi import description

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.forge.changed_file import ChangedFile

MAX_BODY_CHARS = 65_536
REPOSITORY = "octo/shop"
NUMBER = 7
BOT = "github-actions[bot]"


@dataclass
class Refusal:
    """Answers the next requests of a method, as often as `times`."""

    method: str
    status: int
    message: str
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1_000
    path: str = ""


class FakeGithub:
    """The comments of octo/shop#7, and every request that came."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.refusals: list[Refusal] = []
        self.login: str | None = None
        """None: the token is an app's, which has no user."""
        self.faults: list[str] = []
        """Requests that GitHub does not describe."""
        self.url = ""
        self.files: dict[str, ChangedFile] = {}
        self.remarks: list[dict[str, Any]] = []
        """Review comments."""
        self.head = "a" * 40
        self._last_id = 1000

    def add(self, body: str, login: str = BOT) -> dict[str, Any]:
        self._last_id += 1
        comment = {
            "id": self._last_id,
            "body": body,
            "user": {"login": login, "id": 1, "type": "Bot"},
            "url": f"{self.url}/repos/{REPOSITORY}/issues/comments/{self._last_id}",
            "html_url": f"https://github.test/{REPOSITORY}/pull/{NUMBER}#c{self._last_id}",
        }
        self.comments.append(comment)
        return comment

    def push(self, path: str, after: str) -> None:
        """A further commit: remarks move with their lines or are outdated."""
        for remark in self.remarks:
            if remark["path"] == path:
                remark["line"] = self.files[path].moved(remark["line"], after)
        self.files[path].after = after
        self.head = f"{int(self.head, 16) + 1:040x}"

    def reply(self, remark: dict[str, Any], body: str) -> dict[str, Any]:
        answer = self._remarked({**remark, "body": body}, "someone")
        answer["in_reply_to_id"] = remark["id"]
        return answer

    def by(self, login: str = BOT) -> list[str]:
        return [each["body"] for each in self.comments if each["user"]["login"] == login]

    def methods(self) -> list[str]:
        return [method for method, _, _ in self.requests]

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        self.requests.append((method, target, body))
        self.hold(method, target, body)
        path = urlsplit(target).path
        for refusal in self.refusals:
            if refusal.method == method and refusal.times and refusal.path in path:
                refusal.times -= 1
                return refusal.status, {"message": refusal.message}, refusal.headers
        return self._routed(method, target, body)

    def hold(self, method: str, target: str, body: Any) -> None:
        """Hold a request against GitHub's own description, where that is installed."""
        found = description()
        try:
            if found is not None:
                found.check(method, target, body)
        except (AssertionError, ValidationError) as error:
            self.faults.append(f"{method} {target}: {error}")

    def _routed(self, method: str, target: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        path, base = urlsplit(target).path, f"/repos/{REPOSITORY}/issues"
        if path == "/user" and self.login is None:
            return 403, {"message": "Resource not accessible by integration"}, {}
        if path == "/user":
            return 200, {"login": self.login, "id": 1}, {}
        if path == f"{base}/{NUMBER}/comments":
            return self._paged(target, self.comments) if method == "GET" else self._posted(body)
        if match := re.fullmatch(rf"{base}/comments/(\d+)", path):
            return self._one(method, int(match[1]), body, self.comments)
        return self._reviewed(method, target, body)

    def _reviewed(self, method: str, target: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        path, pulls = urlsplit(target).path, f"/repos/{REPOSITORY}/pulls"
        if match := re.fullmatch(rf"{pulls}/comments/(\d+)", path):
            return self._one(method, int(match[1]), body, self.remarks)
        if path == f"{pulls}/{NUMBER}":
            return 200, {"number": NUMBER, "head": {"sha": self.head}}, {}
        if path == f"{pulls}/{NUMBER}/files":
            files = [{"filename": name, "patch": file.patch} for name, file in self.files.items()]
            return self._paged(target, files)
        if path == f"{pulls}/{NUMBER}/comments":
            return self._paged(target, self.remarks) if method == "GET" else self._remark_on(body)
        return 404, {"message": "Not Found"}, {}

    def _remark_on(self, body: Any) -> tuple[int, Any, dict[str, str]]:
        file = self.files.get(body["path"])
        if file is None or body["line"] not in file.lines or body["side"] != "RIGHT":
            return 422, {"message": "line must be part of the diff"}, {}
        if body["commit_id"] != self.head:
            return 422, {"message": "commit_id is not part of the pull request"}, {}
        return 201, self._remarked(body, self.login or BOT), {}

    def _remarked(self, body: Any, login: str) -> dict[str, Any]:
        self._last_id += 1
        remark = {
            "id": self._last_id,
            "body": body["body"],
            "path": body["path"],
            "line": body["line"],
            "user": {"login": login, "id": 1, "type": "Bot"},
            "url": f"{self.url}/repos/{REPOSITORY}/pulls/comments/{self._last_id}",
        }
        self.remarks.append(remark)
        return remark

    def _paged(self, target: str, listed: list[Any]) -> tuple[int, Any, dict[str, str]]:
        query = parse_qs(urlsplit(target).query)
        page, per_page = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["30"])[0])
        shown = listed[(page - 1) * per_page : page * per_page]
        headers = {}
        if page * per_page < len(listed):
            path = urlsplit(target).path
            following = f"{self.url}{path}?per_page={per_page}&page={page + 1}"
            headers["Link"] = f'<{following}>; rel="next"'
        return 200, shown, headers

    def _posted(self, body: Any) -> tuple[int, Any, dict[str, str]]:
        if len(body["body"]) > MAX_BODY_CHARS:
            return 422, {"message": "Validation Failed: body is too long"}, {}
        return 201, self.add(body["body"], self.login or BOT), {}

    def _one(
        self, method: str, number: int, body: Any, kept: list[dict[str, Any]]
    ) -> tuple[int, Any, dict[str, str]]:
        [found] = [each for each in kept if each["id"] == number]
        if method == "DELETE":
            kept.remove(found)
            return 204, None, {}
        if method == "PATCH":
            found["body"] = body["body"]
        return 200, found, {}


@contextmanager
def serving(github: FakeGithub | None = None) -> Iterator[FakeGithub]:
    """A server on a free port of loopback for as long as the block lasts."""
    github = github or FakeGithub()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet: two would wait for an acknowledgement

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            with lock:
                status, answer, headers = github.answer(
                    self.command, self.path, json.loads(raw) if raw else None
                )
            out = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815 - the server's names

        def log_message(self, *_: object) -> None:
            """Tell nobody."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    github.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert not github.faults, github.faults
