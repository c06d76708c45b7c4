"""What a fleet's bucket has of an item in between: read back as it was written, or refused."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fleet.fleets import Objects
from tuner.errors import FleetError
from tuner.fleet.remote import FleetBucket

NAMES = st.from_regex(r"(sweeps/|state/journals/)?[a-z0-9.]{1,12}[a-z]", fullmatch=True)


@given(st.dictionaries(NAMES, st.binary(max_size=200), max_size=5))
def test_files_come_back_as_they_were_kept(files: dict[str, bytes]) -> None:
    """Every file has its bytes, and an open journal means that something may be left changed."""
    bucket = FleetBucket(Objects(), "one")
    bucket.keep_files("item", files)
    assert bucket.files("item") == files
    assert bucket.is_leased("item") == any(each.startswith("state/journals/") for each in files)


def test_an_item_that_ended_leaves_its_audit_log_alone() -> None:
    """Nothing is there to go on with, and nothing is left changed."""
    store = Objects()
    bucket = FleetBucket(store, "one")
    bucket.keep_files("item", {"state/journals/a.jsonl": b"x"})
    bucket.end_files("item", b"line")
    assert bucket.files("item") == {}
    assert not bucket.is_leased("item")
    assert store.kept == {"fleets/one/audit/item.jsonl": b"line"}


@pytest.mark.parametrize("name", ["../queue.sqlite", "/queue.sqlite", "sweeps/../../x"])
def test_files_outside_the_folder_are_refused(name: str) -> None:
    """What somebody else wrote into the bucket can't reach the worker's other files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, b"")
    bucket = FleetBucket(Objects(**{"fleets/one/work/item.zip": packed.getvalue()}), "one")
    with pytest.raises(FleetError, match="strange name"):
        bucket.files("item")


@pytest.mark.parametrize("cut", [0, 1, 30, 90])
def test_damaged_files_are_told(cut: int) -> None:
    """They are never taken for none, which would leave a function changed."""
    store = Objects()
    bucket = FleetBucket(store, "one")
    bucket.keep_files("item", {"state/journals/a.jsonl": bytes(range(200))})
    store.kept = {key: data[:cut] for key, data in store.kept.items()}
    with pytest.raises(FleetError, match="item in the bucket are damaged"):
        bucket.files("item")
