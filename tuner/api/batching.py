"""The batch size that a varied one is compared with: that of the function's event sources."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tuner.errors import AwsError
from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.api.target import Target
    from tuner.model.payload import Payload

_PARAMETER: Final = "batch_size"


def with_batch_size_in_use(
    target: Target, function: str, payloads: Sequence[Payload]
) -> tuple[tuple[Payload, ...], tuple[Finding, ...]]:
    """Return the payloads with the value in use marked as the current one, and what keeps it from
    being known: no value of theirs, or event sources that differ. A refusal leaves them as they
    are, for the payload set says a value too.
    """
    unchanged = tuple(payloads)
    variants = [payload.variant for payload in payloads if payload.variant is not None]
    if target.started_here or all(each.parameter != _PARAMETER for each in variants):
        return unchanged, ()
    try:
        in_use = target.gateway.batch_sizes(function)
    except AwsError:
        return unchanged, ()
    current = next(each.value for each in variants if each.is_current)
    if len(in_use) == 1 and str(in_use[0]) in {each.value for each in variants}:
        return tuple(_marked(payload, str(in_use[0])) for payload in payloads), ()
    if not in_use:
        return unchanged, ()
    sizes = " and ".join(map(str, in_use))
    return unchanged, (
        Finding(
            "other_batch_size_compared",
            "warning",
            f"the function's event sources send batches of {sizes}, and the comparison is with "
            f"{current}: give --vary the value that is in use",
        ),
    )


def _marked(payload: Payload, value: str) -> Payload:
    variant = payload.variant
    if variant is None:
        return payload
    return replace(payload, variant=replace(variant, is_current=variant.value == value))
