"""Which objects of an archive are read for a window, and the statements that make their table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlglot

from tuner.errors import UsageError
from tuner.model.observation import Window
from tuner.observe.archive_table import S3Location, S3Object, table_of

WINDOW = Window(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 29, 12, tzinfo=UTC))
LOGS = S3Location("logs", "all/")


def parts(*keys: str) -> tuple[str, ...]:
    return table_of(LOGS, [S3Object(key, 10) for key in keys], WINDOW).parts


def test_days_of_firehose_are_read_in_the_window_and_a_day_after() -> None:
    """A folder is named after when it was delivered, which is some minutes later."""
    days = [(11, 19), (11, 20), (11, 29), (11, 30), (12, 1)]
    found = parts(*(f"all/{m}/x/2026/{m:02}/{d:02}/07/a.gz" for m, d in days))
    assert found == ("all/11/x/2026/11/20/", "all/11/x/2026/11/29/", "all/11/x/2026/11/30/")
    assert parts("all/2026/11/20/07/a.gz", "all/2026/11/20/08/b.gz") == ("all/2026/11/20/",)


@pytest.mark.parametrize(
    "named", ["year={:%Y}/month={:%m}/day={:%d}/", "y={:%Y}/{:%m}/d={:%d}/", "dt={:%Y-%m-%d}/"]
)
def test_days_named_as_hive_does_are_days(named: str) -> None:
    """Firehose's prefixes are often written so: no other day is read, and hours are no parts."""
    days = [datetime(2026, 11, day, tzinfo=UTC) for day in (10, 20, 29)]
    folders = [f"all/x/{named.format(day, day, day)}" for day in days]
    keys = [f"{folder}hour={hour:02}/a.gz" for folder in folders for hour in range(24)]
    assert parts(*keys) == tuple(folders[1:])


def test_a_task_is_read_if_one_of_its_streams_may_reach_into_the_window() -> None:
    """An environment goes on over midnight."""
    old = "all/aws/lambda/a/t1/2026-11-18-[$LATEST]0a/000000.gz"
    near = "all/aws/lambda/a/t2/2026-11-19-name[12]0a/000000.gz"
    new = "all/aws/lambda/a/t3/2026-11-30-[12]0a/000000.gz"
    assert parts(old, near, new) == ("all/aws/lambda/a/t2/",)
    assert parts(old, near.replace("t2", "t1")) == ("all/aws/lambda/a/t1/",)


def test_no_part_lies_within_another() -> None:
    """Athena would read what's in both twice; what lies beside is counted, empty objects aren't."""
    objects = [
        S3Object("all/aws-logs-write-test", 27), S3Object("all/", 0),
        S3Object("all/t/2026-11-21-[1]0a/000000.gz", 100), S3Object("all/dump/x.log", 50),
    ]  # fmt: skip
    table = table_of(LOGS, objects, WINDOW)
    assert table.parts == ("all/dump/", "all/t/")
    assert (table.size_bytes, table.object_count) == (150, 2)
    assert (table.left_out_count, table.unpacked_count) == (1, 1)


def test_a_day_that_is_none_is_a_name() -> None:
    """A folder may be called anything."""
    assert parts("all/2026/13/45/a.gz") == ("all/2026/13/45/",)


def test_the_statements_are_in_athenas_grammar_and_add_every_part() -> None:
    """A hundred parts a statement; the name is the same for the same parts alone."""
    table = table_of(LOGS, [S3Object(f"all/f{n:03}/a.gz", 1) for n in range(250)], WINDOW)
    added = [*table.add_parts()]
    assert [each.count("PARTITION (") for each in added] == [100, 100, 50]
    for number, folder in enumerate(table.parts):
        where = f"PARTITION (part = '{number}') LOCATION 's3://logs/{folder}'"
        assert sum(each.count(where) for each in added) == 1
    for statement in (table.create(), table.drop()):
        [parsed] = sqlglot.parse(statement, dialect="athena", error_level=sqlglot.ErrorLevel.RAISE)
        assert not isinstance(parsed, sqlglot.exp.Command), "it was only passed through"
    assert "LOCATION 's3://logs/all/'" in table.create()
    assert table_of(LOGS, [S3Object("all/f/a.gz", 1)], WINDOW).name != table.name


@pytest.mark.parametrize("url", ["logs", "s3://", "s3://x", "s3://Logs/a", "s3://logs/a'b",
                                 "s3://logs/a//b", "http://logs/a"])  # fmt: skip
def test_what_is_no_place_is_refused(url: str) -> None:
    """Nothing of it comes into a statement."""
    with pytest.raises(UsageError, match="`athena` is no place in S3"):
        S3Location.of(url, "athena")


def test_a_place_is_a_folder() -> None:
    """With or without a slash behind it; a bucket alone is all of it."""
    assert S3Location.of("s3://logs/a/b", "x") == S3Location.of("s3://logs/a/b/", "x")
    assert S3Location.of("s3://logs/a/b", "x").prefix == "a/b/"
    assert S3Location.of("s3://logs", "x").url() == "s3://logs/"
