"""The prices that answers use: the bundled ones, or newer ones that were fetched."""

from __future__ import annotations

import contextlib
import datetime
import functools
import json
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import PriceError
from tuner.pricing import load_price_book
from tuner.pricing.price_list import facts, queries, read_item, read_saved
from tuner.pricing.refresh import (
    Refresh,
    add_document,
    changed_count,
    counts_by_region,
    instance_types,
    make_document,
    newest_prices,
)
from tuner.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from tuner.pricing import PriceBook

FILE_NAME: Final = "prices.json"


def default_data_dir() -> Path:
    """The platform's folder for a program's data."""
    from platformdirs import user_data_path  # noqa: PLC0415 - a notebook may name its own folder

    return user_data_path("lambda-tuner", appauthor=False)


def current_price_book(data_dir: Path | None = None) -> PriceBook:
    """The bundled prices, with newer ones from the last refresh.

    Raises PriceError for a refreshed file that can't be read.
    """
    file = (data_dir or default_data_dir()) / FILE_NAME
    try:
        stamp = file.stat().st_mtime_ns
    except OSError:
        return load_price_book()
    return _book_with(file, stamp)


@functools.lru_cache(maxsize=4)
def _book_with(file: Path, stamp: int) -> PriceBook:
    del stamp  # a rewritten file counts as a new one
    try:
        return newest_prices(load_price_book(), _read(file))
    except PriceError as error:
        raise PriceError(f"{file} can't be used ({error}): delete it, or refresh again") from None


def refresh_from_files(
    paths: Sequence[Path], *, today: datetime.date, data_dir: Path | None = None
) -> Refresh:
    """Take prices from saved price lists. They are dated by the oldest publication date.

    Raises PriceError for a file that has none; nothing is changed then.
    """
    items: list[dict[str, Any]] = []
    for path in paths:
        try:
            text = path.read_text("utf-8-sig")
        except OSError as error:
            raise PriceError(f"{path} can't be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise PriceError(f"{path} is not UTF-8, so it isn't a price list") from None
        items += read_saved(text, str(path))
    published = [_day(item["publicationDate"]) for item in items if item.get("publicationDate")]
    as_of = min(published, default=today).isoformat()
    names = ", ".join(path.name for path in paths)
    return _keep(items, as_of=as_of, what=f"Saved price lists {names}.", data_dir=data_dir)


def _day(published: object) -> datetime.date:
    """Raises PriceError: what dates prices is compared with today later."""
    try:
        return datetime.date.fromisoformat(str(published)[:10])
    except ValueError:
        raise PriceError(
            f"{str(published)[:40]!r} isn't a publication date, such as 2026-01-31T00:00:00Z"
        ) from None


def refresh_from_aws(
    regions: Sequence[str],
    ask: Callable[[str, str, tuple[tuple[str, str, str], ...]], Iterable[str]],
    *,
    today: datetime.date,
    data_dir: Path | None = None,
    on_query: Callable[[str, int, int], None] = lambda *_: None,
) -> Refresh:
    """Query the Price List API, region by region, with about a dozen small queries each.

    `ask` takes (region, service code, filters) and returns items as JSON text. Nothing is changed
    unless every query was answered. Raises PriceError, and AwsError from `ask`.
    """
    items: list[dict[str, Any]] = []
    asked = queries(instance_types())
    for region in regions:
        here: list[dict[str, Any]] = []
        for number, query in enumerate(asked, start=1):
            if query.unless and any(each.path[-1] == query.unless for each in facts(here, ())):
                continue
            on_query(region, number, len(asked))
            answer = ask(region, query.service_code, query.filters)
            here += (read_item(item, "the answer of the Price List API") for item in answer)
        items += here
    what = f"AWS Price List API, {', '.join(regions)}."
    return _keep(items, as_of=today.isoformat(), what=what, data_dir=data_dir)


def _keep(
    items: Sequence[dict[str, Any]], *, as_of: str, what: str, data_dir: Path | None
) -> Refresh:
    found = make_document(facts(items, instance_types()), as_of=as_of, what=what)
    file = (data_dir or default_data_dir()) / FILE_NAME
    older = _read_or_none(file)
    before = newest_prices(load_price_book(), older) if older else load_price_book()
    document = add_document(older, found)
    after = newest_prices(load_price_book(), document)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, json.dumps(document, indent=1).encode(), new_mode=0o600)
    except OSError as error:
        raise PriceError(f"{file} can't be written: {error.strerror}") from None
    return Refresh(file, counts_by_region(found), changed_count(before, after))


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PriceError(f"not JSON: {type(error).__name__}") from None
    if not isinstance(document, dict):
        raise PriceError("it isn't a price snapshot")
    return document


def _read_or_none(file: Path) -> dict[str, Any] | None:
    """What was refreshed before; a file that can't be read is replaced."""
    with contextlib.suppress(PriceError):
        document = _read(file)
        newest_prices(load_price_book(), document)
        return document
    return None
