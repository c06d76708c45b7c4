"""Payloads that only the account can give: the function's shareable test events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner.errors import AwsError
from tuner.payloads import asks_for_test_events, load_payloads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.api.target import Target
    from tuner.model.payload import Payload


def load_for(
    target: Target, function: str, specs: Sequence[str], **options: Any
) -> tuple[Payload, ...]:
    """Load payloads, shareable test events among them; options are those of `load_payloads`.

    Raises PayloadError, and AwsError where test events are wanted and cannot be read.
    """
    wanted = any(map(asks_for_test_events, specs))
    events = target.gateway.shareable_events(function) if wanted else None
    return load_payloads(specs, test_events=events, **options)


def test_event_names(target: Target, function: str) -> tuple[str, ...]:
    """Names of the events that could be offered: a refusal means none, for they are advice."""
    if target.started_here:
        return ()
    try:
        return tuple(sorted(target.gateway.shareable_events(function)))
    except AwsError:
        return ()
