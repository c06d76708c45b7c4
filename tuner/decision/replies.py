"""Replies that mean that no work, or different work, was done: errors that a function returns as
normal replies, and sizes that answer differently from the current one.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

    from tuner.decision.evidence import Evidence

ERRORS: Final = {
    "http_4xx": "HTTP status 4xx",
    "http_5xx": "HTTP status 5xx",
    "batch_failures": "batchItemFailures",
}
_MOSTLY_RATIO: Final = 0.5


def replies_findings(evidence: Evidence, current_mb: int) -> Iterator[Finding]:
    """Error replies, and sizes that answer differently."""
    errors: dict[str, dict[int, int]] = {}
    for by_size in evidence.replies.values():
        for size, counts in by_size.items():
            for kind in ERRORS.keys() & counts.keys():
                sizes = errors.setdefault(kind, {})
                sizes[size] = sizes.get(size, 0) + counts[kind]
    for kind, sizes in sorted(errors.items()):
        yield Finding(
            "http_error_replies",
            "warning",
            f"{sum(sizes.values())} replies were errors ({ERRORS[kind]}), at "
            f"{_list(sorted(sizes))}: a fast error isn't work done. Check the function's log, or "
            "send another payload",
        )
    if differing := differing_mb(evidence, current_mb):
        yield Finding(
            "replies_differ",
            "warning",
            f"replies at {_list(sorted(differing))} differ in kind, shape or size from those at "
            f"the current {current_mb} MB: these sizes did other work and aren't recommended "
            "(`allow_different_replies=True` allows them)",
        )


def error_at_current(evidence: Evidence, current_mb: int) -> str | None:
    """Say what the current size answers, if most of its replies to a payload are errors; if it has
    no reply, the largest size.
    """
    for payload, by_size in evidence.replies.items():
        size = current_mb if current_mb in by_size else max(by_size)
        counts, which = by_size[size], "the current " if size == current_mb else ""
        errors = sum(counts[kind] for kind in ERRORS)
        if errors > _MOSTLY_RATIO * counts.total():
            kind = max(ERRORS, key=counts.__getitem__)
            return (
                f"{errors} of {counts.total()} replies at {which}{size} MB are errors "
                f"({ERRORS[kind]}, payload {payload}), so what was measured isn't the "
                "function's work: fix the function or the payload, then tune again "
                "(`allow_different_replies=True` counts them as work)"
            )
    return None


def differing_mb(evidence: Evidence, current_mb: int) -> frozenset[int]:
    """Sizes that answer some payload unlike the current size, or unlike the largest without one."""
    return frozenset(
        size
        for by_size in evidence.replies.values()
        for size, counts in by_size.items()
        if _differ(by_size.get(current_mb) or by_size[max(by_size)], counts)
    )


def next_to_differing(evidence: Evidence, memory_mb: int, differing: frozenset[int]) -> bool:
    """Whether a size answers differently, or may: it has no reply, and a neighbor does."""
    if memory_mb in differing:
        return True
    known = sorted({size for by_size in evidence.replies.values() for size in by_size})
    if not differing or memory_mb in known:
        return False
    place = bisect_left(known, memory_mb)
    return bool(differing & {*known[max(place - 1, 0) : place + 1]})


def _differ(now: Counter[str], there: Counter[str]) -> bool:
    """Whether replies are of another kind. Shapes count only if the current size has just one: what
    differs from reply to reply differs from size to size by chance.
    """
    if (there.keys() - now.keys()) & ERRORS.keys():
        return True
    good_now, good_there = now.keys() - ERRORS.keys(), there.keys() - ERRORS.keys()
    if not good_now or not good_there:
        return bool(good_now) is not bool(good_there)
    shapes, others = _shapes(good_now), _shapes(good_there)
    if len(shapes) == 1 and not shapes & others:
        return True
    sizes, other_sizes = _sizes(good_now), _sizes(good_there)
    if not sizes or not other_sizes:
        return False
    # One step may be a few bytes at a power of two.
    return max(other_sizes) < min(sizes) - 1 or min(other_sizes) > max(sizes) + 1


def _shapes(classes: Mapping[str, int] | set[str]) -> set[str]:
    return {each.partition("/")[0] for each in classes}


def _sizes(classes: Mapping[str, int] | set[str]) -> set[int]:
    """Powers of two; anything but a number (a file may have anything) counts as nothing."""
    texts = (each.partition("/")[2] for each in classes)
    return {int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 4}


def _list(sizes_mb: list[int]) -> str:
    return f"{', '.join(map(str, sizes_mb))} MB"
