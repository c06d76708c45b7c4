"""A suggestion stands once on its line, on both forges, over servers that play their REST APIs."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.forge import fake_gitlab
from tests.forge.changed_file import ChangedFile
from tests.forge.fake_github import NUMBER, REPOSITORY, FakeGithub, Refusal, serving
from tests.forge.fake_gitlab import FakeGitlab
from tuner.errors import ForgeError, ForgeReadOnlyError
from tuner.forge import open_forge
from tuner.forge.comments import Marker, NewLine, new_side, suggest
from tuner.forge.protocol import Suggestion, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PATH = "infra/template.yaml"
BEFORE = "\n".join(f"line {number}" for number in range(1, 31))
AFTER = BEFORE.replace("line 20", "  MemorySize: 3008")


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest) -> Iterator[FakeGithub]:
    with serving(FakeGithub() if request.param == "github" else FakeGitlab()) as played:
        played.files[PATH] = ChangedFile(BEFORE, AFTER)
        yield played


def target(played: FakeGithub) -> Target:
    if isinstance(played, FakeGitlab):
        return Target("gitlab", "secret", fake_gitlab.PROJECT, NUMBER, f"{played.url}/api/v4")
    return Target("github", "secret", REPOSITORY, NUMBER, played.url)


def suggestion(
    after: str = "  MemorySize: 256", *, line: int = 20, now: str = "  MemorySize: 3008"
) -> Suggestion:
    return Suggestion("resize", PATH, line, now, after, "**RESIZE**")


def send(played: FakeGithub, *suggestions: Suggestion, hour: int = 0, key: str = "k") -> set[str]:
    opened = open_forge(target(played), sleep=[].append, now_s=lambda: 1_000.0)
    return suggest(opened, suggestions, key=key, measured=NOON + timedelta(hours=hour))


def bodies(played: FakeGithub) -> list[str]:
    return [each["body"] for each in played.remarks]


def test_a_suggestion_stands_on_its_line(forge: FakeGithub) -> None:
    """In the block that the forge makes a button of, under the verdict."""
    assert send(forge, suggestion()) == {"resize"}
    [remark] = forge.remarks
    assert (remark["path"], remark["line"]) == (PATH, 20)
    block = "suggestion:-0+0" if isinstance(forge, FakeGitlab) else "suggestion"
    assert remark["body"].startswith(f"**RESIZE**\n\n```{block}\n  MemorySize: 256\n```\n\n<!--")


def test_a_line_beside_the_change_takes_one_too(forge: FakeGithub) -> None:
    """A line that the diff shows without changing it is inside it."""
    assert send(forge, suggestion("line 0", line=18, now="line 18"))


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::41])
def test_runs_in_any_order_leave_one(forge: FakeGithub, order: tuple[int, ...]) -> None:
    """Each renews the one that is there; what has not changed is not sent again."""
    for hour in order:
        send(forge, suggestion(f"  MemorySize: {128 + hour}"), hour=hour)
    [body] = bodies(forge)
    assert f"MemorySize: {128 + order[-1]}\n" in body
    forge.requests.clear()
    send(forge, suggestion(f"  MemorySize: {128 + order[-1]}"), hour=order[-1])
    assert set(forge.methods()) == {"GET"}


@pytest.mark.parametrize(
    "elsewhere",
    [
        suggestion(line=3, now="line 3"),
        suggestion(now="  MemorySize: 1024"),
        Suggestion("resize", "other.yaml", 20, "a", "b", "words"),
    ],
)
def test_a_line_that_the_diff_does_not_show_gets_none(
    forge: FakeGithub, elsewhere: Suggestion
) -> None:
    """Outside of the hunks, in another file, or where the checkout reads otherwise."""
    send(forge, suggestion())
    assert send(forge, elsewhere, hour=1) == set()
    assert forge.remarks == []


def test_an_outdated_suggestion_goes_with_its_line(forge: FakeGithub) -> None:
    """The line moves: the suggestion follows; it changes: a new one takes its place."""
    send(forge, suggestion())
    forge.push(PATH, f"new\n{AFTER}")
    assert send(forge, suggestion(line=21), hour=1)
    assert [each["line"] for each in forge.remarks] == [21]
    forge.push(PATH, f"new\n{AFTER}".replace("3008", "2048"))
    assert send(forge, suggestion(line=21, now="  MemorySize: 2048"), hour=2)
    assert [each["line"] for each in forge.remarks] == [21]


def test_what_is_not_suggested_any_more_is_withdrawn(forge: FakeGithub) -> None:
    """It is removed; where somebody answered, words stand in its place, once."""
    send(forge, suggestion())
    send(forge, hour=1)
    assert forge.remarks == []
    send(forge, suggestion(), hour=2)
    forge.reply(forge.remarks[0], "no, the batch job needs it")
    send(forge, hour=3)
    assert bodies(forge)[0].startswith("Withdrawn")
    assert "suggestion\n" not in bodies(forge)[0]
    forge.requests.clear()
    send(forge, hour=4)
    assert set(forge.methods()) == {"GET"}


def test_only_its_own_are_touched(forge: FakeGithub) -> None:
    """Neither another user's look-alike, nor another key's, nor a person's remark."""
    send(forge, suggestion(), key="k other")
    alike = f"mine\n\n{Marker('k resize', NOON, 'suggestion')}"
    forge._remarked({"body": alike, "path": PATH, "line": 20}, "mallory")
    forge._remarked({"body": "hm", "path": PATH, "line": 20}, "project_1_bot")
    before = bodies(forge)
    send(forge, suggestion())
    send(forge, hour=1)
    assert bodies(forge) == before


def test_two_that_posted_at_once_become_one(forge: FakeGithub) -> None:
    """The oldest stays."""
    send(forge, suggestion())
    twin = dict(forge.remarks[0])
    forge._remarked(twin, twin["user"]["login"])
    send(forge, suggestion(), hour=1)
    assert [each["id"] for each in forge.remarks] == [twin["id"]]


def test_a_fence_in_the_line_does_not_end_the_block(forge: FakeGithub) -> None:
    """What follows the block stays outside of it."""
    send(forge, suggestion("  MemorySize: 256 # ```` @all"))
    assert bodies(forge)[0].count("`````") == 2


@pytest.mark.parametrize(
    ("status", "error"), [(403, ForgeReadOnlyError), (404, ForgeReadOnlyError), (422, ForgeError)]
)
def test_a_refusal_is_one_error(forge: FakeGithub, status: int, error: type[ForgeError]) -> None:
    """The comment can then show the change itself."""
    forge.refusals = [Refusal("POST", status, "no")]
    with pytest.raises(error):
        send(forge, suggestion())


def test_a_remark_on_a_later_page_is_found(forge: FakeGithub) -> None:
    """Among 150 remarks of people the own one is renewed."""
    for number in range(120):
        forge._remarked({"body": f"{number}", "path": PATH, "line": 20}, "someone")
    send(forge, suggestion())
    send(forge, suggestion("  MemorySize: 512"), hour=1)
    assert len(forge.remarks) == 121
    assert "MemorySize: 512" in bodies(forge)[-1]


@given(
    st.lists(st.sampled_from(["a", "b", "+", "-- x", "@@ -1 +1 @@", ""]), max_size=12),
    st.lists(st.sampled_from(["a", "b", "+", "-- x", "@@ -1 +1 @@", ""]), max_size=12),
)
def test_a_patch_is_read_as_it_was_made(before: list[str], after: list[str]) -> None:
    """Numbers and texts of the new side are the file's own."""
    file = ChangedFile("\n".join(before), "\n".join(after))
    new = file.after.split("\n")
    wanted = {line: NewLine(new[line - 1], old) for line, old in file.lines.items()}
    assert new_side(file.patch) == wanted
