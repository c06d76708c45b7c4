"""What is sent to GitHub is what GitHub describes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import ValidationError

from tests.forge.changed_file import ChangedFile
from tests.forge.fake_github import NUMBER, REPOSITORY, serving
from tests.forge.openapi import needed_description
from tuner.forge import open_forge
from tuner.forge.comments import deliver, suggest
from tuner.forge.protocol import Suggestion, Target

if TYPE_CHECKING:
    from tests.forge.openapi import Description

REPOS = f"/repos/{REPOSITORY}"
COMMENTS = f"{REPOS}/issues/{NUMBER}/comments"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OPERATIONS = {
    "users/get-authenticated",
    "issues/list-comments",
    "issues/create-comment",
    "issues/update-comment",
    "issues/delete-comment",
    "pulls/get",
    "pulls/list-files",
    "pulls/list-review-comments",
    "pulls/create-review-comment",
    "pulls/update-review-comment",
    "pulls/delete-review-comment",
}
"""All that `tuner comment` asks of GitHub."""


@pytest.fixture(scope="module")
def github() -> Description:
    return needed_description()


def test_every_operation_is_described(github: Description) -> None:
    """Post, renew and remove comments and suggestions: each request fits its operation's schema.

    The server that plays GitHub holds every request of every other test against it, too.
    """
    with serving() as played:
        played.files["t.yaml"] = ChangedFile("a\nb", "a\nc")
        forge = open_forge(
            Target("github", "secret", REPOSITORY, NUMBER, played.url),
            sleep=[].append,
            now_s=lambda: 0.0,
        )
        for hour in range(2):
            played.comments += [dict(each, id=9_999) for each in played.comments]
            wanted = Suggestion("f", "t.yaml", 2, "c", f"d{hour}", "words")
            time = NOON + timedelta(hours=hour)
            deliver(forge, f"text {hour}", key="k", measured=time)
            suggest(forge, [wanted], key="k", measured=time)
        suggest(forge, [], key="k", measured=NOON)
    seen = {github.operation_of(method, target) for method, target, _ in played.requests}
    assert seen == OPERATIONS


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", f"{REPOS}/comment/7", None),
        ("PUT", COMMENTS, None),
        ("GET", f"{COMMENTS}?pages=2", None),
        ("GET", f"{COMMENTS}?page=two", None),
        ("GET", f"{REPOS}/pulls/seven", None),
        ("POST", COMMENTS, None),
        ("POST", COMMENTS, {}),
        ("POST", COMMENTS, {"body": 7}),
        ("POST", COMMENTS, {"body": "x", "bodies": "y"}),
        ("POST", f"{REPOS}/pulls/7/comments", {"body": "x", "path": "p", "side": "UP"}),
        ("DELETE", f"{REPOS}/issues/comments/1", {"body": "x"}),
    ],
)
def test_what_is_not_described_is_found(
    github: Description, method: str, target: str, body: Any
) -> None:
    """A wrong path, method, query or body fails: the check can fail."""
    with pytest.raises((AssertionError, ValidationError)):
        github.check(method, target, body)
