"""A redirect is never followed: the token would go along, and what is listed there is another's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.forge.fake_github import FakeGithub, serving
from tests.forge.fake_gitlab import FakeGitlab
from tests.forge.test_github import send as send_to_github
from tests.forge.test_gitlab import send as send_to_gitlab
from tuner.errors import ForgeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.forge.comments import Delivery

STATUSES = (301, 302, 303, 307, 308)
FORGES: dict[str, tuple[type[FakeGithub], Callable[..., Delivery]]] = {
    "GitHub": (FakeGithub, send_to_github),
    "GitLab": (FakeGitlab, send_to_gitlab),
}


class Redirecting(FakeGithub):
    """Redirects one method to wherever it is told to, from the page on that it is told."""

    status = 0
    method = "GET"
    location = ""
    from_page = 1
    answered: Any = None

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        is_list = "comments" in target or "notes" in target
        page = 2 if "&page=2" in target or "?page=2" in target else 1
        if self.status and method == self.method and is_list and page >= self.from_page:
            self.requests.append((method, target, body))
            return self.status, self.answered, {"Location": self.location}
        return super().answer(method, target, body)


def opened(forge: str, status: int, method: str = "GET") -> tuple[Any, Callable[..., Delivery]]:
    kind, send = FORGES[forge]
    server = type("RedirectingForge", (Redirecting, kind), {})()
    server.status, server.method = status, method
    return server, send


@pytest.mark.parametrize("answered", [None, [], {}, {"message": "Moved"}])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("forge", FORGES)
def test_a_list_elsewhere_makes_no_second_comment(
    forge: str, status: int, answered: object
) -> None:
    """Refused in one line that says what to check; whatever the answer's body is."""
    server, send = opened(forge, 0)
    with serving(server), serving() as elsewhere:
        send(server, "old")
        server.status, server.answered = status, answered
        server.location = f"{elsewhere.url}/moved/comments"
        with pytest.raises(
            ForgeError, match=f"{forge} redirected the request, .*check `api_url`"
        ) as caught:
            send(server, "new", hour=1)
        assert "\n" not in str(caught.value)
        assert len(server.by()) == 1
        assert elsewhere.requests == []


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("forge", FORGES)
def test_a_second_page_elsewhere_makes_no_second_comment(forge: str, status: int) -> None:
    """The page on which our comment is leads on to the first one: refused, not asked forever."""
    server, send = opened(forge, 0)
    with serving(server):
        for number in range(100):
            server.add(f"talk {number}", "someone")
        send(server, "old")
        server.status, server.from_page = status, 2
        server.location = f"{server.url}{server.requests[-1][1]}"
        with pytest.raises(ForgeError, match=f"{forge} redirected the request"):
            send(server, "new", hour=1)
        assert len(server.by()) == 1


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("forge", FORGES)
def test_a_comment_that_is_sent_elsewhere_is_not_posted(forge: str, status: int) -> None:
    """Posting is not said to have worked, and nothing is sent to where it leads."""
    server, send = opened(forge, status, "POST")
    with serving(server), serving() as elsewhere:
        server.location = f"{elsewhere.url}/moved/comments"
        with pytest.raises(ForgeError, match=f"{forge} redirected the request"):
            send(server)
        assert server.by() == []
        assert elsewhere.requests == []
