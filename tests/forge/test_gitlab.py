"""One comment a key on GitLab, over a server that plays its REST API."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.forge.fake_github import NUMBER, Refusal, serving
from tests.forge.fake_gitlab import PROJECT, FakeGitlab
from tuner.errors import ForgeError, ForgeReadOnlyError
from tuner.forge import open_forge
from tuner.forge.comments import Delivery, Marker, deliver
from tuner.forge.protocol import Target
from tuner.forge.retrying_client import MAX_WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def gitlab() -> Iterator[FakeGitlab]:
    played = FakeGitlab()
    with serving(played):
        yield played


def send(
    gitlab: FakeGitlab, text: str = "the answer", *, hour: int = 0, waits: list[float] | None = None
) -> Delivery:
    target = Target("gitlab", "secret", PROJECT, NUMBER, f"{gitlab.url}/api/v4")
    sleep = [].append if waits is None else waits.append
    forge = open_forge(target, sleep=sleep, now_s=lambda: 0.0)
    return deliver(forge, text, key="resize", measured=NOON + timedelta(hours=hour))


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::31])
def test_five_runs_in_any_order_leave_the_newest_once(
    gitlab: FakeGitlab, order: tuple[int, ...]
) -> None:
    """However runs end, there is one note, and it shows the latest sweep."""
    for hour in order:
        done = send(gitlab, f"sweep {hour}", hour=hour)
    [body] = gitlab.by()
    assert body.startswith("sweep 4\n")
    assert done.url.startswith(f"{gitlab.url}/{PROJECT}/-/merge_requests/{NUMBER}#note_")


def test_the_own_note_is_found_over_all_pages(gitlab: FakeGitlab) -> None:
    """Among 250, with a look-alike of another user before it; a second run only reads."""
    alike = gitlab.add(f"mine\n\n{Marker('resize', NOON + timedelta(days=9))}", "mallory")["body"]
    for number in range(238):
        gitlab.add(f"talk {number}", "someone")
    own = gitlab.add(f"old\n\n{Marker('resize', NOON)}")
    for number in range(10):
        gitlab.add(f"more {number}", "someone")
    assert send(gitlab, "new", hour=1).action == "updated"
    assert own["body"].startswith("new\n")
    assert gitlab.by("mallory") == [alike]
    gitlab.requests.clear()
    assert send(gitlab, "new", hour=1).action == "unchanged"
    assert set(gitlab.methods()) == {"GET"}


def test_two_that_posted_at_once_become_one(gitlab: FakeGitlab) -> None:
    """The oldest note stays, with the newest text."""
    for hour in (0, 1):
        gitlab.add(f"at {hour}\n\n{Marker('resize', NOON + timedelta(hours=hour))}")
    send(gitlab, "last", hour=2)
    [body] = gitlab.by()
    assert body.startswith("last\n")


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_token_that_may_only_read_is_told_apart(
    gitlab: FakeGitlab, method: str, status: int
) -> None:
    """Refused writing is an error of its own that names the scope."""
    if method == "PUT":
        send(gitlab, "old")
    gitlab.refusals = [Refusal(method, status, "403 Forbidden")]
    with pytest.raises(ForgeReadOnlyError, match="scope api"):
        send(gitlab, "new", hour=1)


@pytest.mark.parametrize(
    ("method", "status", "words"),
    [
        ("GET", 401, "job token"),
        ("GET", 404, "`number`"),
        ("POST", 422, "422"),
        ("POST", 502, "502"),
    ],
)
def test_other_refusals_are_one_line(
    gitlab: FakeGitlab, method: str, status: int, words: str
) -> None:
    """Status and reason are said, the token is not, and a post is not sent twice."""
    gitlab.refusals = [Refusal(method, status, "no")]
    with pytest.raises(ForgeError, match=words) as caught:
        send(gitlab)
    assert not isinstance(caught.value, ForgeReadOnlyError)
    assert "secret" not in str(caught.value)
    assert gitlab.methods().count("POST") <= 1


def test_rate_limits_are_waited_for_within_a_bound(gitlab: FakeGitlab) -> None:
    """As long as GitLab asks, a minute where it does not say, two in all."""
    gitlab.refusals = [
        Refusal("POST", 429, "Retry later", {"Retry-After": "7"}, times=1),
        Refusal("POST", 429, "Retry later", times=1),
    ]
    waits: list[float] = []
    assert send(gitlab, waits=waits).action == "posted"
    assert waits == [7, 60]
    gitlab.refusals = [Refusal("GET", 429, "Retry later", {"Retry-After": "50"})]
    waits.clear()
    with pytest.raises(ForgeError, match="rate limit"):
        send(gitlab, waits=waits)
    assert 0 < sum(waits) <= MAX_WAIT_S


def test_a_server_that_is_gone_is_one_line() -> None:
    """No traceback of an HTTP library."""
    played = FakeGitlab()
    with serving(played):
        pass
    with pytest.raises(ForgeError, match="does not answer"):
        send(played)


def test_a_token_that_is_quoted_back_is_not_shown(gitlab: FakeGitlab) -> None:
    """Neither as it is, nor encoded, nor in part where the reason is cut."""
    for said in ("bad token secret", "basic c2VjcmV0", f"{'x' * 196}secret"):
        gitlab.refusals = [Refusal("POST", 422, said)]
        with pytest.raises(ForgeError, match="422") as caught:
            send(gitlab)
        assert "secr" not in str(caught.value)
        assert "c2Vj" not in str(caught.value)
