"""`make prices`: the package's own prices, renewed."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING

from tests.pricing import price_lists
from tests.pricing.renew import old_regions, renewed
from tuner.pricing import load_price_book
from tuner.pricing.renewal import FILE_NAME, current_price_book, refresh_from_files
from tuner.pricing.snapshot import bundled_document, read_price_book

if TYPE_CHECKING:
    from pathlib import Path

TODAY = datetime.date(2026, 11, 25)


def test_a_renewed_snapshot_has_the_prices_that_a_refresh_would_use(tmp_path: Path) -> None:
    """Newer prices with their day, the others as they were, spot and plans among them."""
    lists = tmp_path / "list.json"
    lists.write_text(
        price_lists.saved(
            [*price_lists.lambda_items(), *price_lists.fleet_items(), *price_lists.event_items()]
        )
    )
    refresh_from_files([lists], today=TODAY, data_dir=tmp_path)
    newer = json.loads((tmp_path / FILE_NAME).read_text())
    found = read_price_book(renewed(bundled_document(), newer))
    expected = current_price_book(tmp_path)
    for name in ("lambda", "fargate", "instance", "network", "event", "managed_instances"):
        entries, others = (set(getattr(book, f"{name}_entries")) for book in (found, expected))
        assert entries == others
    assert set(found.sources) == set(expected.sources)


def test_regions_with_old_prices_are_asked_for() -> None:
    """All of them once the feeds are over 90 days old; none the day after their publication."""
    book = load_price_book()
    assert set(old_regions(book, TODAY)) >= set(book.regions)
    assert old_regions(book, datetime.date(2025, 9, 24)) == []
