"""One comment a key on GitHub, over a server that plays its REST API."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.forge.fake_github import (
    BOT,
    MAX_BODY_CHARS,
    NUMBER,
    REPOSITORY,
    FakeGithub,
    Refusal,
    serving,
)
from tuner.errors import ForgeError, ForgeReadOnlyError
from tuner.forge import open_forge
from tuner.forge.comments import Delivery, Marker, deliver
from tuner.forge.protocol import Target
from tuner.forge.retrying_client import MAX_WAIT_S
from tuner.report.comment import MAX_CHARS

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECONDARY = "You have exceeded a secondary rate limit."


@pytest.fixture
def github() -> Iterator[FakeGithub]:
    with serving() as server:
        yield server


def send(
    github: FakeGithub,
    text: str = "the answer",
    *,
    key: str = "resize",
    hour: int = 0,
    waits: list[float] | None = None,
) -> Delivery:
    target = Target("github", "secret", REPOSITORY, NUMBER, github.url)
    forge = open_forge(
        target, sleep=[].append if waits is None else waits.append, now_s=lambda: 1_000.0
    )
    return deliver(forge, text, key=key, measured=NOON + timedelta(hours=hour))


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::13])
def test_five_runs_in_any_order_leave_the_newest_once(
    github: FakeGithub, order: tuple[int, ...]
) -> None:
    """However runs end, there is one comment, and it shows the latest sweep."""
    for hour in order:
        send(github, f"sweep {hour}", hour=hour)
    [body] = github.by()
    assert body.startswith("sweep 4\n")


def test_nothing_is_sent_where_nothing_changed(github: FakeGithub) -> None:
    """A second run only reads, though the forge has rewritten the line breaks."""
    send(github, "one\ntwo")
    github.comments[0]["body"] = github.comments[0]["body"].replace("\n", "\r\n")
    github.requests.clear()
    assert send(github, "one\ntwo").action == "unchanged"
    assert set(github.methods()) == {"GET"}


def test_a_comment_on_the_third_page_is_found(github: FakeGithub) -> None:
    """Among 250 comments the one to renew is the 240th."""
    for number in range(239):
        github.add(f"talk {number}", "someone")
    own = github.add(f"old\n\n{Marker('resize', NOON)}")
    for number in range(10):
        github.add(f"more {number}", "someone")
    assert send(github, "new", hour=1).action == "updated"
    assert len(github.comments) == 250
    assert own["body"].startswith("new\n")


def test_the_marker_of_somebody_else_is_left_alone(github: FakeGithub) -> None:
    """A look-alike by another user is neither changed nor taken for ours."""
    alike = f"buy this\n\n{Marker('resize', NOON + timedelta(days=999))}"
    github.add(alike, "mallory")
    assert send(github).action == "posted"
    assert github.by("mallory") == [alike]
    assert len(github.by()) == 1


def test_a_quoted_marker_is_no_marker(github: FakeGithub) -> None:
    """Only the last line counts."""
    github.add(f"> {Marker('resize', NOON)}\n\nas I said")
    assert send(github).action == "posted"


def test_a_key_that_begins_like_another_is_another(github: FakeGithub) -> None:
    """`resize` and `resize-images` have a comment each."""
    send(github, "long", key="resize-images")
    send(github, "short", key="resize")
    assert [body.partition("\n")[0] for body in github.by()] == ["long", "short"]


def test_two_that_posted_at_once_become_one(github: FakeGithub) -> None:
    """The oldest comment stays, with the newest text."""
    first = github.add(f"newest\n\n{Marker('resize', NOON + timedelta(hours=9))}")
    first["body"] = f"old\n\n{Marker('resize', NOON)}"
    github.add(f"newest\n\n{Marker('resize', NOON + timedelta(hours=9))}")
    assert send(github, "between", hour=5).action == "newer_there"
    [left] = github.comments
    assert left["id"] == first["id"]
    assert left["body"].startswith("newest\n")


def test_a_token_with_a_user_finds_that_users_comments(github: FakeGithub) -> None:
    """A personal token's comments are its user's, not the Actions bot's."""
    github.login = "octocat"
    send(github, "one")
    send(github, "two", hour=1)
    assert github.by(BOT) == []
    assert [body.partition("\n")[0] for body in github.by("octocat")] == ["two"]


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_token_that_may_only_read_is_told_apart(
    github: FakeGithub, method: str, status: int
) -> None:
    """Refused writing is an error of its own that names the permission."""
    if method == "PATCH":
        send(github, "old")
    github.refusals = [Refusal(method, status, "Resource not accessible by integration")]
    with pytest.raises(ForgeReadOnlyError, match="pull-requests: write"):
        send(github, "new", hour=1)


def test_a_pull_request_that_is_not_there_is_named(github: FakeGithub) -> None:
    """A 404 on reading is about the address, not about the right to write."""
    github.refusals = [Refusal("GET", 404, "Not Found", path="/issues/7")]
    with pytest.raises(ForgeError, match="`number`") as caught:
        send(github)
    assert not isinstance(caught.value, ForgeReadOnlyError)


def test_the_longest_comment_is_taken(github: FakeGithub) -> None:
    """A text at the budget, with a long key, is within GitHub's limit; one over is one line."""
    assert send(github, "x" * MAX_CHARS, key="k" * 1000).action == "posted"
    with pytest.raises(ForgeError, match="422"):
        send(github, "x" * MAX_BODY_CHARS, key="other")


@pytest.mark.parametrize(("status", "words"), [(401, "token is wrong"), (422, "422"), (502, "502")])
def test_other_refusals_are_one_line(github: FakeGithub, status: int, words: str) -> None:
    """Status and reason are said, the token is not, and a post is not sent twice."""
    github.refusals = [Refusal("POST", status, "no")]
    with pytest.raises(ForgeError, match=words) as caught:
        send(github)
    assert "secret" not in str(caught.value)
    assert github.methods().count("POST") == 1


@pytest.mark.parametrize(
    ("refusal", "wait_s"),
    [
        (Refusal("POST", 403, SECONDARY, {"Retry-After": "7"}, times=2), 7),
        (Refusal("POST", 403, SECONDARY, {"Retry-After": "0"}, times=2), 1),  # or without end
        (Refusal("POST", 403, SECONDARY, {"Retry-After": "²"}, times=1), 60),
        (Refusal("POST", 403, SECONDARY, times=1), 60),
        (Refusal("POST", 429, "Too many requests", {"Retry-After": "3"}, times=1), 3),
        (
            Refusal(
                "GET",
                403,
                "API rate limit exceeded for installation.",
                {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1030"},
                times=1,
            ),
            31,
        ),
    ],
)
def test_a_rate_limit_is_waited_for(github: FakeGithub, refusal: Refusal, wait_s: float) -> None:
    """As long as GitHub asks, then the request is sent again."""
    times, waits = refusal.times, list[float]()
    github.refusals = [refusal]
    assert send(github, waits=waits).action == "posted"
    assert waits == [wait_s] * times


def test_rate_limits_are_waited_for_within_a_bound(github: FakeGithub) -> None:
    """A limit that lasts ends the run with one line."""
    github.refusals = [Refusal("POST", 403, SECONDARY, {"Retry-After": "50"})]
    waits: list[float] = []
    with pytest.raises(ForgeError, match="rate limit"):
        send(github, waits=waits)
    assert 0 < sum(waits) <= MAX_WAIT_S


def test_a_server_that_is_gone_is_one_line() -> None:
    """No traceback of an HTTP library."""
    with serving() as github:
        pass
    with pytest.raises(ForgeError, match="does not answer"):
        send(github)


@given(key=st.text(min_size=1), seconds=st.integers(0, 10**9))
def test_a_marker_is_read_back(key: str, seconds: int) -> None:
    """Any key survives, in one line that nothing in the key can end."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return
    marker = Marker(key, NOON + timedelta(seconds=seconds))
    line = str(marker)
    assert "\n" not in line
    assert line.count("-->") == 1
    assert Marker.of(f"anything\n{line}\r\n") == marker


def test_a_token_that_is_quoted_back_is_not_shown(github: FakeGithub) -> None:
    """Neither as it is, nor encoded, nor in part where the reason is cut."""
    for said in ("bad token secret", "basic c2VjcmV0", f"{'x' * 196}secret"):
        github.refusals = [Refusal("POST", 422, said)]
        with pytest.raises(ForgeError, match="422") as caught:
            send(github)
        assert "secr" not in str(caught.value)
        assert "c2Vj" not in str(caught.value)
