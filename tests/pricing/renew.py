"""`make prices`: renews the package's own prices that are over 90 days old, from AWS.

It asks the Price List API as `tuner prices refresh` does, so it needs a network and credentials
with pricing:GetProducts. Without an answer to every question nothing is changed. Fargate Spot,
Savings Plans and the fee of Managed Instances aren't in the list: they keep their days.
"""

from __future__ import annotations

import copy
import datetime
import json
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.aws.price_list_api import HOME, PriceList
from tuner.errors import TunerError
from tuner.pricing import load_price_book
from tuner.pricing.book import age_findings
from tuner.pricing.refresh import BLOCKS
from tuner.pricing.renewal import FILE_NAME, refresh_from_aws
from tuner.pricing.snapshot import bundled_document

if TYPE_CHECKING:
    from tuner.pricing import PriceBook


def main() -> None:
    """Renew the snapshot, or say in a line why it stays as it is."""
    today = datetime.datetime.now(datetime.UTC).date()
    regions = old_regions(load_price_book(), today)
    if not regions:
        sys.exit("no price in the package is over 90 days old: nothing to renew")
    try:
        with PriceList(region=HOME) as listed, tempfile.TemporaryDirectory() as folder:
            refresh_from_aws(regions, listed.products, today=today, data_dir=Path(folder))
            newer = json.loads((Path(folder) / FILE_NAME).read_text("utf-8"))
    except TunerError as error:
        sys.exit(f"{error}\nthe prices in the package are as they were")
    with resources.as_file(resources.files("tuner.pricing") / "snapshot.json") as path:
        path.write_text(json.dumps(renewed(bundled_document(), newer), indent=1) + "\n", "utf-8")
    print(f"renewed {', '.join(regions)} as of {today}")


def old_regions(book: PriceBook, today: datetime.date) -> list[str]:
    """Regions with a price of Lambda, Fargate, EC2, network or events that is too old then."""
    days = [(entry.region, entry.as_of) for entry in (*book.lambda_entries, *book.instance_entries)]
    days += [(entry.region, entry.on_demand.as_of) for entry in book.fargate_entries]
    dated = (*book.network_entries, *book.event_entries)
    days += [(entry.region, day) for entry in dated for _, day in entry.dates]
    return sorted({region for region, day in days if age_findings(day, today)})


def renewed(bundled: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any]:
    """The bundled snapshot with the newer one's prices, each with its day; the rest as it was."""
    found = copy.deepcopy(bundled)
    found["sources"].update(newer["sources"])
    for block in BLOCKS:
        _put(found[block]["regions"], newer[block]["regions"])
    _put(found["managed_instances"]["requests"], newer["managed_instances"]["requests"])
    return found


def _put(into: dict[str, Any], given: dict[str, Any]) -> None:
    for name, value in given.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _put(into[name], value)
        else:
            into[name] = value


if __name__ == "__main__":
    main()
