"""The answer as a comment on a pull request: a line, a small table, the rest folded away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.report import numbers
from tuner.report.foreign import code_span, markdown
from tuner.report.pair_rows import pair_rows, per_record
from tuner.report.size_rows import percent_now, size_rows
from tuner.report.verdict import best_pair, certainty, cost_of_records, headline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.model.interval import Interval
    from tuner.model.recommendation import Recommendation
    from tuner.report.pair_rows import PairRow
    from tuner.report.size_rows import SizeRow


def render(recommendation: Recommendation) -> str:
    """Return GitHub- and GitLab-flavoured Markdown; everything foreign in it is inert."""
    blocks = [
        f"**{markdown(headline(recommendation))}**",
        _subject(recommendation),
        _comparison(recommendation),
        certainty(recommendation) or "",
        markdown(cost_of_records(recommendation) or ""),
        markdown(best_pair(recommendation) or ""),
        "" if recommendation.choice.parameters else _sizes(recommendation),
        _pairs(recommendation),
        _findings(recommendation),
        _assumptions(recommendation),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _subject(recommendation: Recommendation) -> str:
    function = recommendation.function
    local = recommendation.environment == "local"
    parts = (
        code_span(function.name),
        "measured locally" if local else code_span(function.region),
        code_span(f"{function.runtime or 'container image'} {function.architecture}"),
        f"code {code_span(function.code_sha256[:7])}",
    )
    return " · ".join(parts)


def _comparison(recommendation: Recommendation) -> str:
    choice, current = recommendation.choice, recommendation.current
    lines = ["| | memory | mean duration | $ per million |", "|---|--:|--:|--:|"]
    lines.append(
        f"| now | {numbers.memory(current.memory_mb)}{_values(current.parameters)} "
        f"| {_known(current.duration_ms, numbers.duration)} "
        f"| {_known(current.cost_usd_per_million, numbers.usd_per_million)} |"
    )
    moves = choice.verdict == "resize" or choice.parameters != current.parameters
    if moves and choice.memory_mb is not None:
        lines.append(
            f"| **recommended** | **{numbers.memory(choice.memory_mb)}**"
            f"{_values(choice.parameters)} "
            f"| {_known(choice.duration_ms, numbers.duration)} "
            f"| {_known(choice.cost_usd_per_million, numbers.usd_per_million)} |"
        )
    return "\n".join(lines)


def _sizes(recommendation: Recommendation) -> str:
    rows = "\n".join(_size(row) for row in size_rows(recommendation))
    sweep = recommendation.sweep
    spent = f"{sweep.invocation_count} invocations, {numbers.usd(sweep.cost_usd)}"
    return (
        f"<details><summary>Sizes ({spent})</summary>\n\n"
        "| memory | mean duration (90 %) | $ per million | vs now | |\n|--:|--:|--:|--:|---|\n"
        f"{rows}\n\n</details>"
    )


def _values(parameters: Sequence[tuple[str, str]]) -> str:
    return "".join(f", {code_span(name)} {markdown(value)}" for name, value in parameters)


def _pairs(recommendation: Recommendation) -> str:
    """The table of pairs, where a parameter was varied."""
    variation = recommendation.variation
    if variation is None:
        return ""
    name, sweep = code_span(variation.parameter.name), recommendation.sweep
    spent = f"{sweep.invocation_count} invocations, {numbers.usd(sweep.cost_usd)}"
    rows = "\n".join(_pair(row) for row in pair_rows(recommendation))
    return (
        f"<details><summary>Sizes with each value ({spent})</summary>\n\n"
        f"| {name} | memory | mean event (90 %) | $ per million {per_record(variation)} | vs now "
        f"| |\n|--:|--:|--:|--:|--:|---|\n{rows}\n\n</details>"
    )


def _pair(row: PairRow) -> str:
    duration = f"{numbers.duration(row.duration_ms.estimate)} {numbers.spread(row.duration_ms)}"
    cost = numbers.usd_per_million(row.cost_usd_per_million_records.estimate)
    notes = [*(["**recommended**"] if row.recommended else []), *map(markdown, row.notes)]
    return (
        f"| {markdown(row.value)} | {numbers.memory(row.memory_mb)} | {duration} | {cost} "
        f"| {row.change} | {', '.join(notes)} |"
    )


def _size(row: SizeRow) -> str:
    duration = _known(row.duration_ms, numbers.duration)
    if row.duration_ms is not None:
        duration = f"{duration} {numbers.spread(row.duration_ms)}"
    cost = _known(row.cost_usd_per_million, numbers.usd_per_million)
    marked = row.recommended and not row.current
    notes = ", ".join([*(["**recommended**"] if marked else []), *row.notes])
    return (
        f"| {numbers.memory(row.memory_mb)} | {duration} | {cost} | {percent_now(row)} | {notes} |"
    )


def _findings(recommendation: Recommendation) -> str:
    return "\n".join(
        f"- **{finding.severity}** ({code_span(finding.code)}): {markdown(finding.message)}"
        for finding in recommendation.findings
    )


def _assumptions(recommendation: Recommendation) -> str:
    if not recommendation.assumptions:
        return ""
    assumed = "; ".join(markdown(text) for text in recommendation.assumptions)
    return f"<sub>Assumes {assumed}.</sub>"


def _known(interval: Interval | None, write: Callable[[float], str]) -> str:
    return "–" if interval is None else write(interval.estimate)
