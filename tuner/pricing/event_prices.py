"""What the services charge that carry events to a function: SQS, SNS, Kinesis and EventBridge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class EventPrices:
    """List prices in the first tier, without free tiers; None if no price is known for the region.

    `dates` has the date of each known price, by field name. Deliveries from SNS and EventBridge to
    a function of the same account cost nothing, so they have no price here.
    """

    region: str
    dates: tuple[tuple[str, str], ...]
    sqs_request_usd: Decimal | None = None
    sqs_fifo_request_usd: Decimal | None = None
    """A request of up to 64 KB."""
    sns_publish_usd: Decimal | None = None
    """Each 64 KB of a published message."""
    eventbridge_event_usd: Decimal | None = None
    """Each 64 KB of a custom event; AWS services' own events are free."""
    kinesis_shard_hour_usd: Decimal | None = None
    kinesis_put_unit_usd: Decimal | None = None
    """Each 25 KB of a record, in a provisioned stream."""
    kinesis_stream_hour_usd: Decimal | None = None
    """The others are for on-demand streams, with records in whole KB ..."""
    kinesis_in_gb_usd: Decimal | None = None
    kinesis_out_gb_usd: Decimal | None = None
    kinesis_consumer_shard_hour_usd: Decimal | None = None
    """... and these two for a consumer with enhanced fan-out on a provisioned stream."""
    kinesis_consumer_gb_usd: Decimal | None = None
