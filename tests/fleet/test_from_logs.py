"""A fleet planned from logs, as `make bench-fleet` does it at full size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench.fleet_logs import make_archive, planned
from tuner.logs.archive import read_files
from tuner.logs.collector import Collector
from tuner.logs.files import find_files

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.logs.collector import ReportRow


def test_every_request_of_the_archive_has_an_id_of_its_own(tmp_path: Path) -> None:
    """A request that is there twice would be taken for a copy or a retry; and three lines of one
    request have the same id.
    """
    text_bytes, packed_bytes = make_archive(tmp_path, 3, 40)
    rows: list[ReportRow] = []
    collector = Collector(rows.extend)
    read_files(find_files([tmp_path]), collector)
    assert len({row[2] for row in rows}) == len(rows) == 120
    assert {each.function for each in collector.origins} == {"f00000", "f00001", "f00002"}
    assert {each.version for each in collector.origins} == {"7"}
    assert collector.unreadable_count == 0
    assert packed_bytes < text_bytes / 3


@pytest.mark.slow
def test_a_plan_of_logs_has_every_function(tmp_path: Path) -> None:
    """By the commands that a user gives, none of which asks AWS."""
    (_, _, measured, _), (_, _, _, is_small) = planned(tmp_path, 5, 60)
    assert "missing" not in measured
    assert is_small
