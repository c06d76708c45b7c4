"""A token that a forge sends back in a header is shown nowhere."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

import pytest

from tests.forge.fake_github import FakeGithub, Refusal, serving
from tests.forge.fake_gitlab import FakeGitlab
from tests.forge.test_github import send as send_to_github
from tests.forge.test_gitlab import send as send_to_gitlab
from tuner.errors import ForgeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.forge.comments import Delivery

FORGES = ("github", "gitlab")
FORMS = ("secret", "c2VjcmV0")
STATUSES = (301, 302, 307, 401, 403, 404, 422, 429, 503)
HEADERS = {
    "WWW-Authenticate": 'Basic realm="{}"',
    "Proxy-Authenticate": 'Bearer realm="{}"',
    "Location": "{url}/login?token={}",
    "Link": '<{url}/next?page=2&private_token={}>; rel="next"',
    "Retry-After": "{}",
    "X-RateLimit-Reset": "{}",
    "X-RateLimit-Remaining": "{}",
    "Set-Cookie": "token={}",
    "Content-Type": "text/html; charset={}",
    "X-Request-Id": "{}",
}
ELSEWHERE = {
    "Location of another server": ("Location", "http://127.0.0.1:1/login?token={}"),
    "Location of another scheme": ("Location", "https://127.0.0.1:1/login?token={}"),
    "Location that is none": ("Location", "http://{}:{}/"),
}
CASES = {**{name: (name, form) for name, form in HEADERS.items()}, **ELSEWHERE}


def played(forge: str) -> tuple[FakeGithub | FakeGitlab, Callable[..., Delivery]]:
    if forge == "github":
        return FakeGithub(), send_to_github
    return FakeGitlab(), send_to_gitlab


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize("case", CASES)
def test_a_token_in_a_header_is_not_shown(
    forge: str,
    case: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
) -> None:
    """With any status, as it is or encoded: in no message, traceback or log, on no stream."""
    server, send = played(forge)
    name, value = CASES[case]
    said, failed = list[str](), set[int]()
    with serving(server), caplog.at_level(logging.WARNING):
        for method in ("GET", "POST"):
            for status in STATUSES:
                for form in FORMS:
                    header = {name: value.format(*[form] * 2, url=server.url)}
                    server.refusals = [Refusal(method, status, "no", header)]
                    try:
                        said.append(repr(send(server)))
                    except ForgeError as error:
                        said += traceback.format_exception(error)
                        failed.add(status)
        server.faults.clear()  # where it led to with a Location is none of its API
    assert {status for status in STATUSES if status >= 400} <= failed
    said += [record.getMessage() for record in caplog.records]
    said += [str(warning.message) for warning in recwarn]
    said += capfd.readouterr()
    for line in said:
        assert "secr" not in line
        assert "c2Vj" not in line
