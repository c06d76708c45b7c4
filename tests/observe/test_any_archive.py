"""Any archive: whatever is cut, mixed, packed and copied, the same invocations are read; nothing
that a function prints stops the reading.
"""

from __future__ import annotations

import gzip
import tempfile
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.logs import forms
from tests.logs.forms import Event, Invocation
from tuner.errors import InputError
from tuner.logs.archive import read_files
from tuner.logs.files import find_files
from tuner.observe.database import open_database
from tuner.observe.intake import Intake
from tuner.observe.store import ReportStore

if TYPE_CHECKING:
    from collections.abc import Callable

QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
own_lines = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=60),
        st.sampled_from(
            [
                "REPORT RequestId: fake", "{", "}", "[", "]", '{"events": [', '"', "\\",
                "START RequestId: ", "2026-11-20T10:00:00.000Z ", "EVENTS\t1795168800000\tx",
                '{"type":"platform.report"}', "Traceback (most recent call last):", "\x1b[31mred",
            ]
        ),
    ),
    max_size=4,
)  # fmt: skip


@st.composite
def invocations(draw: st.DrawFn) -> list[Invocation]:
    """Some, each a minute after the last."""
    count = draw(st.integers(1, 12))
    return [
        Invocation(
            number,
            duration=f"{draw(st.integers(1, 90_000_000)) / 100:.2f}",
            billed_ms=draw(st.integers(1, 900_000)),
            memory_mb=draw(st.integers(128, 10_240)),
            init=draw(st.sampled_from([None, "400.04"])),
        )
        for number in range(count)
    ]


def store_of(folder: Path) -> tuple[ReportStore, Intake]:
    """What is read of a folder."""
    connection = open_database()
    intake = Intake(connection)
    read_files(find_files([folder]), intake.collector)
    intake.finish()
    return ReportStore(connection), intake


packs: list[Callable[[bytes], bytes]] = [bytes, gzip.compress, zstandard.compress]


@QUICK
@given(
    invocations(),
    st.lists(
        st.tuples(
            st.sampled_from([*forms.TIMED, *forms.UNTIMED]),
            st.sampled_from(packs),
            st.booleans(),
            st.integers(1, 12),
            st.randoms(use_true_random=False),
        ),
        max_size=3,
    ),
)
def test_however_it_is_mixed_each_invocation_counts_once(
    made: list[Invocation], copies: list[tuple[object, ...]]
) -> None:
    """One whole file, and parts of it again in other forms, shuffled, as text or as JSON."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        events = [event for each in made for event in each.text_events()]
        folder.joinpath("whole").write_bytes(forms.exported(events))
        for number, (form, pack, is_json, most, chance) in enumerate(copies):
            some = made[:most]
            of_file = [
                event
                for each in some
                for event in (each.json_events() if is_json else each.text_events())
            ]
            if form in forms.TIMED:
                chance.shuffle(of_file)  # type: ignore[attr-defined]
            folder.joinpath(f"copy-{number}").write_bytes(pack(form(of_file)))  # type: ignore[operator]
        store, intake = store_of(folder)
        with store:
            total = store.total("thumbs")
            assert total is not None
            assert total.invocation_count == len(made)
            exact = sum(Fraction(each.memory_mb * each.billed_ms, 1_024_000) for each in made)
            assert Fraction(total.billed_gb_seconds) == exact
            assert intake.collector.unreadable_count == 0


@QUICK
@given(invocations(), st.data())
def test_what_functions_print_stops_nothing(made: list[Invocation], data: st.DataObject) -> None:
    """Braces, quotes, half a JSON object, other characters, what looks like tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        printed = [
            event
            for each in made
            for event in (
                *each.text_events(),
                *(Event(each.end_ms + 1, f"{line}\n") for line in data.draw(own_lines)),
            )
        ]
        form = data.draw(
            st.sampled_from([forms.exported, forms.tailed, forms.filtered, forms.subscription])
        )
        folder.joinpath("logs").write_bytes(form(printed))
        store, _intake = store_of(folder)
        with store:
            read = store.connection.execute(
                "SELECT count(*) FROM reports WHERE request_id LIKE '8f5a7c3e%'"
            ).fetchone()
        assert read == (len(made),)


@QUICK
@given(
    st.lists(st.one_of(st.binary(max_size=80), own_lines.map(lambda it: "\n".join(it).encode())))
)
def test_no_bytes_at_all_raise_anything_but_one_line(parts: list[bytes]) -> None:
    """Anything can be in a folder."""
    with tempfile.TemporaryDirectory() as name:
        for number, part in enumerate(parts):
            Path(name, str(number)).write_bytes(part)
        Path(name, "all").write_bytes(b"\n".join(parts))
        Path(name, "packed").write_bytes(gzip.compress(b"{".join(parts)))
        with suppress(InputError):
            store_of(Path(name))[0].close()
