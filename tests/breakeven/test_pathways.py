"""What each way to bring events to a function costs and takes, against invoices by hand.

A month is 730 h = 2,628,000 s; prices are us-east-1's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.breakeven.pathway_findings import PathwayComparison, Wishes, compare_pathways
from tuner.breakeven.pathway_traits import ALL_TRAITS, traits_of
from tuner.breakeven.pathways import (
    EventStream,
    Pathway,
    empty_receives_per_s,
    events_per_invocation,
    price_pathways,
)
from tuner.errors import UsageError
from tuner.pricing import load_price_book

BOOK = load_price_book()
PRICES = (BOOK.event_prices("us-east-1"), BOOK.lambda_prices("us-east-1", "x86_64"))


def priced(**stream: Any) -> dict[str, Pathway]:
    return {each.name: each for each in price_pathways(EventStream(**stream), *PRICES)}


NO_WISH = Wishes()


def compared(trigger: Any, wishes: Wishes = NO_WISH, **stream: Any) -> PathwayComparison:
    return compare_pathways("f", traits_of(trigger), EventStream(**stream), wishes, PRICES)


def codes(found: PathwayComparison) -> list[str]:
    return [each.code for each in found.findings]


# 50/s are 131,400,000 events a month; 4,000 bytes are one 64 KB, one 25 KB, four KB.
FIFTY_A_SECOND = {
    "sqs": 157.68,  # a send, a receive and a delete each: 3 × 131.4M × $0.40/M
    "sqs-fifo": 197.10,  # 3 × 131.4M × $0.50/M
    "sns": 65.70,  # 131.4M × $0.50/M, deliveries to Lambda are free
    "eventbridge": 131.40,  # 131.4M × $1/M
    "kinesis": 12.7896,  # 730 × $0.015 = 10.95, and 131.4M × $0.014/M = 1.8396
    # 131.4M × 4,000 B / 2^30 = 489.50314522 GB × $0.013 = 6.36354089, a consumer's 730 × $0.015
    "kinesis-fan-out": 30.10314089,
    # 730 × $0.04 = 29.20; in: 131.4M × 4,096 B = 501.25122070 GB × $0.08 = 40.10009766; out:
    # 489.50314522 GB × $0.04 = 19.58012581
    "kinesis-on-demand": 88.88022347,
    "direct": 0.0,
}


@pytest.mark.parametrize(("name", "usd"), FIFTY_A_SECOND.items())
def test_a_months_service_is_billed_as_by_hand(name: str, usd: float) -> None:
    """Each service's units at its price, to the cent and below."""
    found = priced(rate_per_s=50, event_bytes=4000)[name]
    assert found.service_usd_per_month == pytest.approx(usd, abs=1e-6)


# 2/s are 5,256,000 events a month; 71,680 bytes are two 64 KB, three 25 KB, seventy KB.
LARGER = {
    # 5 × 5.256M × $0.40/M = 10.512; 2 / (e^8 − 1) = 0.000671150 empty polls a second are 1,763.78
    "sqs": 10.512 + 0.000705512,
    "sqs-fifo": 13.14 + 0.00088189,
    "sns": 5.256,  # 2 × 5.256M × $0.50/M
    "eventbridge": 10.512,
    "kinesis": 11.170752,  # 10.95, and 3 × 5.256M × $0.014/M = 0.220752
    # 5.256M × 71,680 B / 2^30 = 350.87585449 GB: × $0.08 and × $0.04, and $29.20
    "kinesis-on-demand": 71.30510254,
}


@pytest.mark.parametrize(("name", "usd"), LARGER.items())
def test_larger_events_are_several_units(name: str, usd: float) -> None:
    """Begun chunks count: of 64 KB in a request, of 25 KB in a put."""
    found = priced(rate_per_s=2, event_bytes=71_680)[name]
    assert found.service_usd_per_month == pytest.approx(usd, abs=1e-5)


def test_an_idle_queue_is_polled_all_month() -> None:
    """Five pollers with polls of 20 s: 0.25 a second, 657,000 a month, $0.26; none when busy."""
    hourly = EventStream(1 / 3600, 100)
    # 5 × (1/18,000) / (e^(20/18,000) − 1) = 0.2498611 a second
    assert empty_receives_per_s(hourly) == pytest.approx(0.2498611, rel=1e-6)
    items = {
        each.what: each
        for each in priced(rate_per_s=1 / 3600, event_bytes=100)["sqs"].service_items
    }
    assert items["SQS empty receive"].cost_usd == pytest.approx(0.262654, abs=1e-6)
    assert empty_receives_per_s(EventStream(5000, 100)) == 0


def test_lambdas_requests_are_as_many_as_batches() -> None:
    """By hand: one each, one a second and shard, and half a second's share within a window."""
    found = priced(rate_per_s=50, event_bytes=4000)
    assert found["sns"].lambda_usd_per_month == pytest.approx(26.28)  # 131.4M × $0.20/M
    assert found["sqs"].lambda_usd_per_month == pytest.approx(26.28)
    # a poll a second brings about 50 of the 100 that a batch may have: 2.628M × $0.20/M
    assert found["kinesis"].lambda_usd_per_month == pytest.approx(0.5256, rel=1e-6)
    windowed = priced(rate_per_s=50, event_bytes=4000, batch_size=100, batch_window_s=5)
    # each poller: the first message and 10/s for 5 s
    assert windowed["sqs"].events_per_invocation == 51
    items = {each.what: each.quantity for each in windowed["sqs"].service_items}
    assert items["SQS receive"] == items["SQS delete"] == pytest.approx(13.14e6)  # ten at once
    assert windowed["sqs-fifo"].events_per_invocation == 1  # no window there


def test_batches_that_nobody_knows_are_a_range() -> None:
    """SQS without a window: from ten messages each to one; the lower end counts for today's.

    Ten each: 52.56 to send, 5.256 to receive and to delete, 2.628 of Lambda's requests.
    """
    found = priced(rate_per_s=50, event_bytes=4000)
    assert found["sqs"].usd_per_month == pytest.approx(157.68 + 26.28)
    assert found["sqs"].least_usd_per_month == pytest.approx(52.56 + 2 * 5.256 + 2.628)
    assert found["kinesis-fan-out"].least_usd_per_month == pytest.approx(30.10314089 + 0.2628)
    assert found["sns"].least_usd_per_month == found["sns"].usd_per_month
    windowed = priced(rate_per_s=50, event_bytes=4000, batch_size=100, batch_window_s=5)["sqs"]
    assert windowed.least_usd_per_month == windowed.usd_per_month
    message = compared("sqs", rate_per_s=50, event_bytes=4000).findings[0].message
    assert "$13.32 a month, $52.38 less than SQS" in message  # 65.70 − 13.3152…


def test_what_an_invocation_takes_besides_is_saved_by_batches() -> None:
    """3 ms at 1,024 MB: 131.4M × 0.003 GB-s × $0.0000166667 on SNS, a fiftieth on Kinesis."""
    found = priced(rate_per_s=50, event_bytes=4000, per_invocation_ms=3, memory_mb=1024)
    assert found["sns"].lambda_usd_per_month == pytest.approx(26.28 + 6.57001314)
    assert found["kinesis"].lambda_usd_per_month == pytest.approx((26.28 + 6.57001314) / 50)


def test_asynchronous_events_above_256_kb_are_more_requests() -> None:
    """300 KB on EventBridge: one request more; five 64 KB of its own."""
    found = priced(rate_per_s=1, event_bytes=307_200)["eventbridge"]
    assert found.lambda_usd_per_month == pytest.approx(2 * 2.628e6 * 0.2e-6)
    assert found.service_usd_per_month == pytest.approx(5 * 2.628)


def test_shards_hold_the_peak_by_bytes_and_by_count() -> None:
    """3,000/s of 1,000 bytes need three, at a peak of twice that six; 2/s of 1 MB need two."""
    assert EventStream(3000, 1000).shard_count == 3
    assert EventStream(3000, 1000, peak_ratio=2).shard_count == 6
    assert EventStream(2, 1 << 20).shard_count == 2
    assert EventStream(0.1, 10).shard_count == 1


def test_lambdas_payload_limits_a_batch() -> None:
    """6 MB hold six messages of 1 MB, and four records of them in base64."""
    stream = EventStream(500, 1 << 20, batch_size=100, batch_window_s=1)
    assert stream.most_events(traits_of("sqs")) == 6
    assert stream.most_events(traits_of("kinesis")) == 4


@settings(max_examples=30)
@given(
    rate=st.floats(1e-4, 2e4),
    size=st.integers(1, 1 << 20),
    batch=st.integers(1, 10_000),
    window=st.sampled_from([0.0, 1.0, 30.0]),
)
def test_batches_stay_within_their_limits(
    rate: float, size: int, batch: int, window: float
) -> None:
    """An invocation gets at least one event, and never more than is set or allowed."""
    stream = EventStream(rate, size, batch, window)
    for traits in ALL_TRAITS:
        each = events_per_invocation(traits, stream)
        assert 1 <= each <= min(batch, traits.most_events) + 1e-6


def test_random_arrivals_leave_polls_empty() -> None:
    """At 0.1/s a poll of a second has none in nine of ten: 1.05 events an invocation."""
    stream = EventStream(0.1, 100)
    # 0.1 / (1 − e^−0.1) = 1.0508331945
    assert events_per_invocation(traits_of("kinesis"), stream) == pytest.approx(1.0508331945)


def test_a_much_cheaper_way_is_named_with_what_it_lacks() -> None:
    """From SNS to Kinesis: a seventh of the cost, and slower; from Kinesis to SNS: no replay."""
    found = compared("sns", rate_per_s=50, event_bytes=4000)
    assert codes(found) == ["pathway_cheaper"]
    assert "Kinesis would carry these events for $13.32" in found.findings[0].message
    assert "slower: 1,580 ms at p99 against 225 ms" in found.findings[0].message
    from_kinesis = compared("kinesis", rate_per_s=0.2, event_bytes=500).findings[0].message
    assert from_kinesis.startswith("SNS would carry these events for $0.37 a month, $10.68 less")
    assert from_kinesis.endswith("only if order and replay isn't needed")


def test_a_need_holds_the_cheaper_way_back() -> None:
    """With both needed nothing replaces Kinesis; from SNS, order leaves only what has it."""
    both = Wishes(("order", "replay"))
    assert not codes(compared("kinesis", both, rate_per_s=0.2, event_bytes=500))
    found = compared("sns", Wishes(("order",)), rate_per_s=50, event_bytes=4000)
    assert codes(found)[0] == "pathway_unfit"
    message = found.findings[0].message
    assert "it has no order. What does: Kinesis (1,580 ms at p99, $13.32 a month)" in message
    assert "EventBridge" not in message


def test_little_money_is_no_reason() -> None:
    """At 0.1/s all of them cost cents: nothing is said, though Kinesis costs 80 times as much."""
    assert not codes(compared("sns", rate_per_s=0.1, event_bytes=4000))
    assert not codes(compared("eventbridge", rate_per_s=0.1, event_bytes=4000))


def test_a_delay_that_is_not_kept_names_those_that_keep_it() -> None:
    """By p99 with the batching window: SNS 225 ms, SQS 105 ms, fan-out 109 ms; unknown is said."""
    fast = Wishes(max_delay_ms=150)
    message = compared("sns", fast, rate_per_s=50, event_bytes=4000).findings[0].message
    assert "SNS takes 225 ms at p99, over 150 ms; within it: Kinesis fan-out (109 ms" in message
    assert "SQS (105 ms" in message
    assert "EventBridge" not in message
    assert "pathway_slow" not in codes(compared("sqs", fast, rate_per_s=50, event_bytes=4000))
    windowed = compared("sqs", fast, rate_per_s=50, event_bytes=4000, batch_window_s=2)
    assert "SQS takes 2,105 ms at p99" in windowed.findings[0].message
    none = compared("sns", Wishes(max_delay_ms=50), rate_per_s=50, event_bytes=4000)
    assert "none keeps it: the quickest is SQS (105 ms" in none.findings[0].message


def test_an_event_that_is_too_large_is_told() -> None:
    """SNS holds 256 KB; what holds 300 KB is named."""
    found = compared("sns", rate_per_s=1, event_bytes=300_000)
    assert codes(found)[0] == "pathway_unfit"
    assert "an event may have 256 KB at most" in found.findings[0].message


def test_a_rate_that_no_region_takes_is_told() -> None:
    """SNS publishes at most 30,000 a second; at half of that with a peak of three times as well."""
    found = compared("sns", rate_per_s=40_000, event_bytes=100)
    assert "it takes at most 30,000 a second" in found.findings[0].message
    peak = compared("sns", rate_per_s=15_000, event_bytes=100, peak_ratio=3)
    assert codes(peak)[0] == "pathway_unfit"
    assert "pathway_unfit" not in codes(compared("sns", rate_per_s=15_000, event_bytes=100))


def test_a_caller_that_waits_keeps_its_direct_call() -> None:
    """A stream batches requests away and is cheaper: only if nobody needs the answer."""
    found = compared("direct", rate_per_s=500, event_bytes=1000)
    assert codes(found) == ["pathway_cheaper"]
    assert "only if no caller waits for the answer" in found.findings[0].message
    assert "direct" not in [each.message.split(" would")[0] for each in found.findings]


def test_what_has_no_price_is_left_out_and_said() -> None:
    """SQS in a region where none is known: no cost, never a made-up one, and it's no advice."""
    events = BOOK.event_prices("eu-west-1")
    prices = (events, BOOK.lambda_prices("eu-west-1", "x86_64"))
    found = compare_pathways("f", traits_of("sns"), EventStream(50, 4000), Wishes(), prices)
    sqs = next(each for each in found.pathways if each.name == "sqs")
    assert (sqs.usd_per_month, sqs.service_usd_per_month) == (None, None)
    assert sqs.unpriced[0] == "SQS send"
    missing = next(each for each in found.findings if each.code == "price_missing")
    assert "no price is known in eu-west-1 for SQS, SQS FIFO, EventBridge" in missing.message
    known = replace(events, sqs_request_usd=PRICES[0].sqs_request_usd)
    again = price_pathways(EventStream(50, 4000), known, prices[1])
    assert again[0].service_usd_per_month == pytest.approx(157.68)


@pytest.mark.parametrize(
    "stream",
    [
        {"rate_per_s": 0, "event_bytes": 1},
        {"rate_per_s": float("inf"), "event_bytes": 1},
        {"rate_per_s": 1, "event_bytes": 0},
        {"rate_per_s": 1, "event_bytes": 1, "batch_size": 0},
        {"rate_per_s": 1, "event_bytes": 1, "batch_window_s": 301},
    ],
)
def test_what_is_no_stream_is_refused(stream: dict[str, Any]) -> None:
    """A rate, a size and a batch that can be; one clear line."""
    with pytest.raises(UsageError):
        EventStream(**stream)
