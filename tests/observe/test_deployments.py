"""Deployments: found in logs, files and tags, and put to the change that they explain."""

from __future__ import annotations

import gzip
import json
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tuner.errors import InputError
from tuner.model.account import TrailEvent
from tuner.model.spend import Deployment
from tuner.observe.deployments import (
    Setting,
    SettingHour,
    cause_of,
    deployments_in_logs,
    git_tags,
    known_by,
    merged,
    read_trail,
    trail_deployments,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.spend import DeploymentSource

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


def hours_of(*rows: tuple[int, str, int, int]) -> list[SettingHour]:
    """(hour, version, memory, lines); the first line of an hour is at seven past."""
    return [
        SettingHour(
            NOON + timedelta(hours=hour),
            Setting(version, memory_mb),
            count,
            NOON + timedelta(hours=hour, minutes=7),
        )
        for hour, version, memory_mb, count in rows
    ]


def deployed(hours: float, source: DeploymentSource, version: str = "1") -> Deployment:
    function = None if source in {"git", "csv"} else "f"
    return Deployment(NOON + timedelta(hours=hours), function, version, source)


def test_a_version_that_takes_over_is_a_deployment() -> None:
    """At its first line, also where both versions share the hours in between; a rollback is one."""
    found = deployments_in_logs(
        "f",
        hours_of((0, "1", 128, 50), (1, "1", 128, 30), (1, "2", 128, 10), (2, "1", 128, 10),
                 (2, "2", 128, 40), (3, "2", 128, 50), (4, "1", 128, 60)),
    )  # fmt: skip
    assert [(each.version, each.at - NOON) for each in found] == [
        ("2", timedelta(hours=1, minutes=7)),
        ("1", timedelta(hours=4, minutes=7)),
    ]
    assert found[0].until == NOON + timedelta(hours=3)
    assert {each.source for each in found} == {"version"}


def test_a_change_of_memory_is_one_too() -> None:
    """Alone it's a change of memory, with another version it's part of that one's deployment."""
    alone, together = deployments_in_logs(
        "f",
        hours_of((0, "$LATEST", 128, 50), (1, "$LATEST", 256, 50), (2, "7", 512, 50)),
    )
    assert (alone.version, alone.source) == ("128 → 256 MB", "memory")
    assert (together.version, together.source) == ("7, 256 → 512 MB", "version")


def test_two_aliases_that_share_the_traffic_are_no_deployment() -> None:
    """One line in ten of another version, in quiet hours too, changes nothing."""
    rows = [(hour, "2" if hour % 10 == 0 else "1", 128, 1) for hour in range(100)]
    assert deployments_in_logs("f", hours_of(*rows)) == ()


def test_the_surest_deployment_within_the_time_is_the_cause() -> None:
    """What the logs tell wins over a tag; what came later, or much earlier, explains nothing."""
    tag, version, late, early = (
        deployed(-2, "git"),
        deployed(0.2, "version"),
        deployed(5, "version"),
        deployed(-9, "git"),
    )
    asked = ("f", NOON - timedelta(hours=1), NOON, NOON + timedelta(hours=2))
    assert cause_of(*asked, [late, tag, version, early]) == version
    assert cause_of(*asked, [late, tag, early]) == tag
    assert cause_of(*asked, [late, early]) is None
    other = Deployment(NOON, "g", "1", "version")
    assert cause_of(*asked, [other]) is None


def test_one_deployment_that_two_sources_tell_of_counts_once() -> None:
    """CloudTrail's event beside the version that it published is no second deployment."""
    both = merged([deployed(0, "cloudtrail", "UpdateFunctionCode"), deployed(0.1, "version", "42")])
    assert [each.source for each in both] == ["version"]
    apart = merged([deployed(0, "cloudtrail"), deployed(3, "version")])
    assert len(apart) == 2


def test_a_version_is_known_by_the_tag_before_it() -> None:
    """The nearest tag within its pipeline's time names it; a tag is never named by another."""
    tags = [deployed(-1, "git", "v1.7"), deployed(-5, "git", "v1.6")]
    assert known_by(deployed(0, "version", "42"), tags).version == "42 (v1.7)"
    assert known_by(tags[0], tags).version == "v1.7"


def test_events_of_cloudtrail_are_matched_by_their_beginning() -> None:
    """AWS's suffix doesn't matter; events that deploy nothing are left out."""
    events = [
        TrailEvent(NOON, "UpdateFunctionConfiguration20150331v2", "f", None, 512),
        TrailEvent(NOON, "PublishVersion20150331", "f", "42", None),
        TrailEvent(NOON, "PutProvisionedConcurrencyConfig", "f", None, None),
    ]
    assert [each.version for each in trail_deployments(events)] == ["512 MB", "42"]


def trail_record(**changes: Any) -> dict[str, Any]:
    return {
        "eventSource": "lambda.amazonaws.com",
        "eventName": "UpdateFunctionCode20150331v2",
        "eventTime": "2026-03-03T12:00:00Z",
        "requestParameters": {
            "functionName": "arn:aws:lambda:eu-west-1:123456789012:function:resize-images"
        },
        "responseElements": None,
        **changes,
    }


def test_files_of_cloudtrail_are_read_in_both_forms(tmp_path: Path) -> None:
    """A delivered file, packed, and what the CLI printed; refused requests changed nothing."""
    delivered = tmp_path / "trail.json.gz"
    records = [trail_record(), trail_record(errorCode="AccessDenied"),
               trail_record(eventSource="s3.amazonaws.com")]  # fmt: skip
    delivered.write_bytes(gzip.compress(json.dumps({"Records": records}).encode()))
    [found] = read_trail(delivered)
    assert (found.function, found.version) == ("resize-images", "UpdateFunctionCode")
    printed = tmp_path / "events.json"
    printed.write_text(json.dumps({"Events": [{"CloudTrailEvent": json.dumps(trail_record())}]}))
    assert read_trail(printed) == (found,)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"Records": [3]}', '{"Events": [{}]}', "\x1f\x8b"]
)
def test_another_file_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    """Whatever it is."""
    path = tmp_path / "other.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="neither a CloudTrail file"):
        read_trail(path)


def test_tags_of_a_repository_are_read(tmp_path: Path) -> None:
    """With the time at which they were made; a folder that is none is told."""
    run = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    when = {"GIT_COMMITTER_DATE": "2026-03-03T12:00:00+0000", "PATH": "/usr/bin:/bin"}
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "a"], ["tag", "v1.7"]):
        subprocess.run([*run, *words], check=True, env=when)
    assert git_tags(tmp_path) == (Deployment(NOON, None, "v1.7", "git"),)
    with pytest.raises(InputError, match="isn't a readable git repository"):
        git_tags(tmp_path / "none")


def test_a_tag_may_be_no_utf_8(tmp_path: Path) -> None:
    """Git takes any bytes: the others are read all the same."""
    run = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    when = {"GIT_COMMITTER_DATE": "2026-03-03T12:00:00+0000", "PATH": "/usr/bin:/bin"}
    tags: tuple[list[str | bytes], ...] = (["tag", b"caf\xe9"], ["tag", "v1.7"])
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "a"], *tags):
        subprocess.run([*run, *words], check=True, env=when)
    assert {each.version for each in git_tags(tmp_path)} == {"caf\N{REPLACEMENT CHARACTER}", "v1.7"}
