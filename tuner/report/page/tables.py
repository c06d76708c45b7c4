"""The tables of the page as rows of words, and its tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.report import breakeven, numbers
from tuner.report.breakeven import shown_platforms
from tuner.report.page.data import cold_starts_seen
from tuner.report.rows import (
    mean_of,
    option_rows,
    pair_rows,
    per_record,
    percentile_cell,
    size_rows,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tuner.breakeven.answer import BreakEven
    from tuner.model.interval import Interval
    from tuner.model.plan import PayloadClass
    from tuner.model.recommendation import Recommendation, SizeEstimate
    from tuner.report.page.data import SweepView
    from tuner.report.rows import SizeRow

REMARKS: Final = "remarks"
"""Title of a last column of words, which wraps."""


@dataclass(frozen=True, slots=True)
class Row:
    """Cells, the first of which names the row; how it is marked, its line's color, its link."""

    cells: tuple[str, ...]
    role: str = ""
    swatch: int | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Titles, and rows of as many cells."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]


def plain_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table of rows that nothing marks."""
    return Table(tuple(head), tuple(Row(tuple(cells)) for cells in rows))


def table_of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table | None:
    """The same; None without a row."""
    found = plain_table(head, rows)
    return found if found.rows else None


def tile(title: str, now: str, then: str | None = None, note: str = "") -> dict[str, str]:
    """A figure under its title, what it becomes, and a note below."""
    return {"title": title, "now": now, "then": then or "", "note": note}


def _percentile_title(answer: Recommendation) -> tuple[str, ...]:
    """The title of the column of the percentile that was asked for; none for none."""
    return () if answer.goal.percentile is None else (f"p{answer.goal.percentile:g}",)


def _percentile_cell(answer: Recommendation, row: SizeRow) -> tuple[str, ...]:
    return () if answer.goal.percentile is None else (percentile_cell(row.percentile),)


def size_table(answer: Recommendation) -> Table:
    """Every size that was invoked or mentioned, with what was counted there."""
    counted = ("$ per million", "vs now", "calls", "cold", "failed", "memory used")
    head = ("memory", "mean (90%)", *_percentile_title(answer), *counted)
    rows = tuple(_size_row(answer, row) for row in size_rows(answer))
    return Table((*head, REMARKS), rows)


def option_table(answer: Recommendation) -> Table | None:
    """The current size, and each goal's; None if pairs are shown, or nothing is known."""
    rows = [
        Row(
            (
                ", ".join((f"▶ {each.name}" if each.recommended else each.name, *each.notes)),
                numbers.memory(each.memory_mb),
                numbers.held(numbers.with_spread(each.duration_ms, numbers.duration)),
                *_percentile_cell(answer, each),
                numbers.known(each.cost_usd_per_million, numbers.usd_per_million),
                each.change,
            ),
            role="best" if each.recommended else "",
        )
        for each in option_rows(answer)
    ]
    head = ("goal", "memory", "mean", *_percentile_title(answer), "$/million", "vs now")
    return Table(head, tuple(rows)) if rows else None


def pair_table(answer: Recommendation) -> Table | None:
    """Every size with every value of a varied parameter; None without one."""
    if answer.variation is None:
        return None
    rows = [
        Row(
            (
                each.name,
                numbers.memory(each.memory_mb),
                numbers.with_spread(each.duration_ms, numbers.duration),
                *_percentile_cell(answer, each),
                dollars(each.cost_usd_per_million),
                each.change,
                ", ".join((*(["recommended"] if each.recommended else []), *each.notes)),
            ),
            role="best" if each.recommended else "",
        )
        for each in pair_rows(answer)
    ]
    mean = f"{mean_of(answer.variation)} (90%)"
    head = (answer.variation.parameter.name, "memory", mean, *_percentile_title(answer))
    return Table(
        (*head, f"per million {per_record(answer.variation)}", "vs now", REMARKS), tuple(rows)
    )


def front_table(answer: Recommendation) -> Table | None:
    """The front of cost and speed, cheapest first: what each step gains."""
    if answer.tradeoff is None or not answer.curve:
        return None
    estimates = {each.memory_mb: each for each in answer.curve}
    front = [estimates[size] for size in answer.tradeoff.front_mb if size in estimates]
    front.sort(key=lambda each: each.cost_usd_per_million.estimate)
    rows = (
        (
            numbers.memory(each.memory_mb),
            numbers.with_spread(each.duration_ms, numbers.duration),
            dollars(each.cost_usd_per_million),
            _front_note(answer, each),
        )
        for each in front
    )
    return plain_table(("memory", "mean (90%)", "per million", REMARKS), rows)


def cold_table(view: SweepView) -> Table:
    """Observed INIT times by size, and what a cold start is billed beyond a warm invocation."""
    seen: dict[int, list[float]] = {}
    for memory_mb, took_ms in cold_starts_seen(view.sweep):
        seen.setdefault(memory_mb, []).append(took_ms)
    extra = {each.memory_mb: each.billed_extra_ms for each in view.breakdown.cold_starts}
    rows = (
        (
            numbers.memory(size),
            str(len(times)),
            _range(times),
            numbers.with_spread(extra.get(size), numbers.duration),
        )
        for size, times in sorted(seen.items())
    )
    head = ("memory", "cold starts", "INIT or restore, seen", "billed beyond warm (90%)")
    return plain_table(head, rows)


def payload_table(view: SweepView) -> Table | None:
    """Each payload at the current and at the recommended size; None for a single payload."""
    payloads, answer = view.breakdown.payloads, view.recommendation
    if len(payloads) < 2:
        return None
    best = answer.choice.memory_mb or answer.choice.best_so_far_mb
    sizes = list(dict.fromkeys(mb for mb in (answer.current.memory_mb, best) if mb is not None))
    rows = []
    for number, payload in enumerate(payloads):
        at = {each.memory_mb: each for each in payload.curve}
        cells = [payload.payload, numbers.percent(payload.weight_ratio)]
        for size in sizes:
            cells.append(numbers.with_spread(at[size].duration_ms, numbers.duration))
            cells.append(dollars(at[size].cost_usd_per_million))
        rows.append(Row(tuple(cells), swatch=number))
    titles = [f"{what} at {size} MB" for size in sizes for what in ("mean", "per million")]
    return Table(("payload", "share", *titles), tuple(rows))


def platform_table(answer: BreakEven) -> Table:
    """Every platform with its cost, the rate above which it's cheaper, and last the fleet: a phone
    shows the first columns.
    """
    lines = {each.name: number for number, each in enumerate(shown_platforms(answer))}
    rows = []
    for each in answer.platforms:
        name, fleet, *figures = breakeven.platform_cells(each)
        rows.append(Row((name, *figures, fleet), swatch=lines.get(each.name)))
    name, fleet, *figures = breakeven.TITLES
    return Table((name, *figures, fleet), tuple(rows))


def sent_table(payloads: Sequence[PayloadClass]) -> Table:
    """The payloads that were sent, with the beginning of their digests."""
    rows = (
        (each.name, f"{each.weight:g}", f"{each.size_bytes:,}", f"{each.sha256[:16]}…")
        for each in payloads
    )
    return plain_table(("payload", "weight", "bytes", "SHA-256"), rows)


def dollars(interval: Interval | None) -> str:
    """Dollars for a million invocations, or a dash."""
    return "–" if interval is None else f"${numbers.usd_per_million(interval.estimate)}"


def _size_row(answer: Recommendation, row: SizeRow) -> Row:
    at_size = [size for size in answer.sizes_on_curve if size.memory_mb == row.memory_mb]
    used = [size.max_memory_used_mb for size in at_size if size.max_memory_used_mb is not None]
    marks = ["recommended"] if row.recommended else []
    cells = (
        numbers.memory(row.memory_mb),
        numbers.with_spread(row.duration_ms, numbers.duration),
        *_percentile_cell(answer, row),
        numbers.known(row.cost_usd_per_million, numbers.usd_per_million),
        row.change,
        str(sum(size.invocation_count for size in at_size)),
        str(sum(size.cold_start_count for size in at_size)),
        str(sum(size.failure_count for size in at_size)),
        f"{max(used)} MB" if used else "–",
        ", ".join([*marks, *row.notes]),
    )
    roles = {"excluded": row.excluded, "best": row.recommended, "now": row.current}
    return Row(cells, next((role for role, holds in roles.items() if holds), ""))


def _front_note(answer: Recommendation, each: SizeEstimate) -> str:
    notes = {
        "recommended": answer.choice.memory_mb,
        "now": answer.now_mb,
        "knee": answer.tradeoff.knee_mb if answer.tradeoff else None,
    }
    return ", ".join(word for word, size in notes.items() if size == each.memory_mb)


def _range(values: list[float]) -> str:
    low, high = numbers.duration(min(values)), numbers.duration(max(values))
    return low if low == high else f"{low} – {high}"
