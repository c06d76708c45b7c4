"""Side files: what is in them is read, and what can't be is named by its line."""

from __future__ import annotations

import contextlib
import datetime
import gzip
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.errors import InputError
from tuner.observe.side_files import read_deploys, read_revenue, read_tags

if TYPE_CHECKING:
    from pathlib import Path

MARCH_3 = datetime.date(2026, 3, 3)


def test_revenue_adds_up_by_feature_and_day(tmp_path: Path) -> None:
    """Columns in any order, dollar signs, thousands; two lines of one day and feature are a sum."""
    path = tmp_path / "revenue.csv"
    path.write_text(
        'feature,Revenue,day,currency\nsearch,"$1,200.50",2026-03-03,USD\n'
        "search,10,2026-03-03,\nmail,USD 7,2026-03-04,usd\n\n"
    )
    assert read_revenue(path) == {
        "search": {MARCH_3: 1210.5},
        "mail": {datetime.date(2026, 3, 4): 7.0},
    }


def test_a_packed_table_reads_the_same(tmp_path: Path) -> None:
    """Gzip is told by its first bytes, a byte order mark is no part of the first name."""
    path = tmp_path / "revenue.csv"
    path.write_bytes(gzip.compress("\ufeffday,feature,revenue\n2026-03-03,a,1\n".encode()))
    assert read_revenue(path) == {"a": {MARCH_3: 1.0}}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("day,feature,revenue,currency\n2026-03-03,a,5,EUR\n", "line 2: revenue is in EUR"),
        ("day,feature,revenue\n2026-03-03,a,€5\n", "line 2: revenue is in €"),
        ("day,feature,revenue\n2026-03-03,a,5 GBP\n", "line 2: revenue is in GBP"),
        ("day,feature,revenue\n2026-03-03,a,much\n", "line 2: 'much' isn't an amount"),
        ("day,feature,revenue\n3 March,a,5\n", "line 2: '3 March' isn't a day"),
        ("day,feature,revenue\n2026-03-03,,5\n", "line 2 names no feature"),
        ("day,feature,revenue\n2026-03-03,a\n", "line 2 has 2 of 3 columns"),
        ("day,what,revenue\n", "lacks the column feature"),
        ("day,feature,revenue\n", "no line of revenue"),
        ("", "lacks the column day"),
    ],
)
def test_what_is_wrong_with_revenue_is_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    """The file, the line, and what to do."""
    path = tmp_path / "revenue.csv"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_revenue(path)
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    """By the parameter that named it."""
    with pytest.raises(InputError, match="check `revenue`"):
        read_revenue(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"day,feature,revenue\n\xff\xfe,\x00")
    with pytest.raises(InputError, match="isn't a CSV table"):
        read_revenue(tmp_path / "bytes.csv")
    (tmp_path / "torn.csv").write_bytes(gzip.compress(b"day,feature,revenue\n" * 50)[:-12])
    with pytest.raises(InputError):
        read_revenue(tmp_path / "torn.csv")


def test_a_damaged_gzip_file_is_told(tmp_path: Path) -> None:
    """As any other file that is no table."""
    packed = bytearray(gzip.compress(b"day,feature,revenue\n2026-03-03,a,1\n"))
    packed[10] = 0xFF  # the first block's type
    (tmp_path / "damaged.csv").write_bytes(packed)
    with pytest.raises(InputError, match="isn't a CSV table"):
        read_revenue(tmp_path / "damaged.csv")


def test_deployments_have_times_of_any_zone(tmp_path: Path) -> None:
    """UTC unless a time says otherwise; without a function one may concern all."""
    path = tmp_path / "deploys.csv"
    path.write_text("at,version,function\n2026-03-03T14:05:00+02:00,42,f\n2026-03-04 01:00,,\n")
    first, second = read_deploys(path)
    assert first.at == datetime.datetime(2026, 3, 3, 12, 5, tzinfo=datetime.UTC)
    assert (first.function, first.version, first.source) == ("f", "42", "csv")
    assert (second.function, second.version) == (None, "deployment")
    path.write_text("at\nyesterday\n")
    with pytest.raises(InputError, match="line 2: 'yesterday' isn't a time"):
        read_deploys(path)


def test_tags_are_a_column_of_their_own(tmp_path: Path) -> None:
    """A tag's key may have capitals; a function with an empty value doesn't have the tag."""
    path = tmp_path / "tags.csv"
    path.write_text("Function,Team,Feature\nf,x,search\ng,y,\n")
    assert read_tags(path, "Feature") == {"f": "search"}
    with pytest.raises(InputError, match="lacks the column Cost"):
        read_tags(path, "Cost")


@given(st.text(max_size=200))
def test_no_text_is_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever a file holds, it's read or refused, and nothing else is raised."""
    path = tmp_path_factory.mktemp("any") / "revenue.csv"
    path.write_text(f"day,feature,revenue\n{text}", encoding="utf-8", newline="")
    with contextlib.suppress(InputError):
        read_revenue(path)
