"""Where something else answers than the forge's API: a login page, a proxy, another service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.forge.fake_github import NUMBER, REPOSITORY, FakeGithub, serving
from tuner.errors import ForgeError
from tuner.forge import open_forge
from tuner.forge.comments import deliver, suggest
from tuner.forge.protocol import ForgeName, Suggestion, Target

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAGE = {"Content-Type": "text/html"}


class Elsewhere(FakeGithub):
    """Gives everybody the same answer."""

    def __init__(self, said: Any, headers: dict[str, str]) -> None:
        super().__init__()
        self.said, self.headers = said, headers

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        return 200, self.said, self.headers


@pytest.mark.parametrize("author", [None, "me"])
@pytest.mark.parametrize(
    ("said", "headers"),
    [("<html>", PAGE), ({"hello": 1}, {}), ([1, 2], {}), ("words", {})],
)
@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_another_answer_is_one_clear_line(
    kind: ForgeName, said: Any, headers: dict[str, str], author: str | None
) -> None:
    """Whatever its shape, the option is named that says where the forge is, and nothing is sent."""
    with serving(Elsewhere(said, headers)) as server:
        target = Target(kind, "secret", REPOSITORY, NUMBER, f"{server.url}/api/v4", author)
        forge = open_forge(target, sleep=[].append, now_s=lambda: 0.0)
        with pytest.raises(ForgeError, match="`api_url`"):
            deliver(forge, "the answer", key="resize", measured=NOON)
        wanted = Suggestion("resize", "template.yaml", 1, "a", "b", "**RESIZE**")
        with pytest.raises(ForgeError, match="`api_url`"):
            suggest(forge, [wanted], key="resize", measured=NOON)
        with pytest.raises(ForgeError, match="`api_url`"):
            suggest(forge, [], key="resize", measured=NOON)
