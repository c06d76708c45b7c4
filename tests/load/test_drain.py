"""How fast a queue or stream is worked off, against counting by hand and a simulation."""

from __future__ import annotations

import base64
import json
import math
from random import Random
from statistics import fmean

import pytest

from tests.load.queue_simulation import QueueWorld, simulate
from tests.load.scripted import ScriptedFunction, reply, send
from tuner.api.downstream import record_bytes_in
from tuner.load.event_source import Batch, Drain, kinesis_drain, sqs_drain
from tuner.load.resources import EventSource, Function, Queue, Stream
from tuner.load.upstream import (
    Feed,
    not_computed,
    not_enforced,
    recent_batch,
    upstream_findings,
)
from tuner.model.payload import Payload

SQS = EventSource("sqs", "orders", "take", batch_size=10)


def test_a_backlog_is_counted_in_whole_batches() -> None:
    """30 messages are three of the first five batches; 51 need a sixth, and the first free place:
    after a second that is one of the five, or the one that Lambda adds after 0.2 s, which ends at
    1.2.
    """
    drain = Drain(10, 1000, concurrency=1000)
    assert drain.drain_s(0) == 0
    assert drain.drain_s(30) == pytest.approx(1.0)
    assert drain.drain_s(51) == pytest.approx(1.2)
    assert Drain(10, 1000, concurrency=5).drain_s(51) == pytest.approx(2.0)
    assert Drain(10, 1000, concurrency=2, first_concurrency=2).drain_s(51) == pytest.approx(3.0)


def test_it_scales_out_by_three_hundred_a_minute() -> None:
    """After a minute it has 305 at once, 155 in the mean: about 155 × 10 × 60 messages of
    a second each are taken by then, and done a second later.
    """
    seconds = Drain(10, 1000, concurrency=1000).drain_s(93_000)
    assert seconds == pytest.approx(60 + 1, rel=0.02)


def test_what_arrives_meanwhile_counts_and_too_much_never_drains() -> None:
    """100/s are worked off and 60 come: 400 take 10 s, plus the wave in which the last are done."""
    drain = Drain(10, 500, concurrency=5)
    assert drain.rate_per_s == pytest.approx(100)
    assert drain.drain_s(400, 60) == pytest.approx(10, abs=1.0)
    assert drain.drain_s(400, 100) is None


def test_a_mapping_and_the_function_bound_what_runs_at_once() -> None:
    """MaximumConcurrency, reserved concurrency, and Lambda's own 1,000."""
    batch = Batch(10, 100, "made up")
    limited = EventSource("sqs", "orders", "take", 10, max_concurrency=7)
    assert sqs_drain(SQS, Function("take", 3000), batch).concurrency == 1000
    assert sqs_drain(SQS, Function("take", 40), batch).concurrency == 40
    assert sqs_drain(limited, Function("take", 40), batch).concurrency == 7
    assert sqs_drain(limited, Function("take", None), batch).concurrency == 7


def test_provisioned_pollers_have_ten_batches_each_and_scale_faster() -> None:
    """Three are there at once, 1,000 more batches at once come a minute, up to 400 pollers'."""
    source = EventSource("sqs", "orders", "take", 10, pollers=(3, 400))
    batch = Batch(10, 1000, "made up")
    drain = sqs_drain(source, Function("take", 9000), batch)
    assert (drain.first_concurrency, drain.concurrency) == (30, 4000)
    assert drain.concurrency_per_s == pytest.approx(1000 / 60)
    assert drain.drain_s(300) == pytest.approx(1.0)
    few = sqs_drain(source, Function("take", 20), batch)
    assert (few.first_concurrency, few.concurrency) == (20, 20)
    feed = Feed(source, Queue("orders", visibility_timeout_s=300))
    batch = Batch(10, 500, "made up")
    assert "pollers_throttled" in codes_of(feed, Function("take", 900, is_reserved=True), batch)
    assert "pollers_throttled" not in codes_of(feed, Function("take", 4000, True), batch)


def test_a_stream_has_shards_times_factor_at_once_and_two_megabytes_a_shard() -> None:
    """Records of 1 kB: four batches of 100 in 50 ms would read 8 MB/s of a shard that gives 2."""
    source = EventSource("kinesis", "events", "take", 100, parallelization_factor=4)
    batch = Batch(100, 50, "made up")
    take = Function("take", 1000)
    drain = kinesis_drain(source, take, batch, 3)
    assert drain.concurrency == 12
    assert drain.rate_per_s == pytest.approx(12 * 100 / 0.05)
    assert drain.drain_s(2400) == pytest.approx(0.1)
    read = kinesis_drain(source, take, batch, 3, record_bytes=1000)
    assert read.rate_per_s == pytest.approx(3 * 2000)
    assert kinesis_drain(source, Function("take", 5), batch, 3).concurrency == 5


def test_a_records_size_is_that_of_the_payloads_data() -> None:
    """A shard is read at 2 MB/s of it; other events say nothing of a record's size."""
    record = {"kinesis": {"data": base64.b64encode(bytes(3000)).decode()}}
    events = [Payload("a", json.dumps({"Records": [record] * 2}).encode())]
    assert record_bytes_in(events) == pytest.approx(3000)
    source = EventSource("kinesis", "events", "take", 100, parallelization_factor=4)
    feed = Feed(source, Stream("events", 3), record_bytes=record_bytes_in(events))
    [said] = upstream_findings(feed, Function("take", 900), Batch(100, 50, "made up"), "512 MB")
    assert "up to 2,000 records/s" in said.message  # three shards of 2 MB/s
    assert "a shard is read at 2 MB/s at most" in said.message
    for other in (b"{}", b"[]", b"no", b'{"Records": []}', b'{"Records": [{"body": "x"}]}'):
        assert record_bytes_in([Payload("b", other)]) is None
        assert record_bytes_in([*events, Payload("b", other)]) == pytest.approx(3000)


def test_it_agrees_with_a_simulation_of_every_message() -> None:
    """Within a tenth over random settings; the whole comparison is in tests/bench."""
    rng, errors = Random(20261130), []
    for _ in range(25):
        batch, duration_s = rng.choice((1, 5, 10)), 10 ** rng.uniform(-1, 0.8)
        concurrency, cv = rng.choice((2, 5, 20, 100)), rng.choice((0.0, 0.3))
        backlog = batch * concurrency * rng.randint(4, 12)
        arrival = rng.choice((0.0, 0.5)) * concurrency * batch / duration_s
        world = QueueWorld(backlog, batch, duration_s, concurrency, arrival, cv)
        drain = Drain(batch, duration_s * 1000, concurrency, min(5, concurrency), duration_cv=cv)
        foreseen = drain.drain_s(backlog, arrival)
        assert foreseen is not None
        errors.append(foreseen / fmean(simulate(world, seed) for seed in range(4)) - 1)
    assert max(map(abs, errors)) < 0.15
    assert sum(abs(each) < 0.1 for each in errors) >= 23
    assert math.fsum(errors) / len(errors) == pytest.approx(0, abs=0.05)


def codes_of(feed: Feed, function: Function, batch: Batch) -> list[str]:
    return [each.code for each in upstream_findings(feed, function, batch, "512 MB")]


def test_findings_say_whether_it_keeps_up_and_how_long_a_backlog_takes() -> None:
    """Five at once of ten in half a second are 100/s: 60 arrive, and 400 wait; or 95 arrive."""
    function, batch = Function("take", 5, is_reserved=False), Batch(10, 500, "made up")
    feed = Feed(SQS, Queue("orders"), arrival_per_s=60, backlog_count=400)
    [said] = upstream_findings(feed, function, batch, "512 MB")
    assert said.code == "event_source_drains"
    assert "At 512 MB it works off orders at up to 100 messages/s" in said.message
    assert "a backlog of 400 messages takes about 9.5 s" in said.message
    behind = Feed(SQS, Queue("orders"), arrival_per_s=95, backlog_count=400)
    assert codes_of(behind, function, batch) == ["event_source_behind"]
    never = Feed(SQS, Queue("orders"), arrival_per_s=100, backlog_count=400)
    [said] = upstream_findings(never, function, batch, "512 MB")
    assert "never drains" in said.message
    stream = EventSource("kinesis", "events", "take", 100)
    assert codes_of(Feed(stream, None), function, batch) == []
    assert codes_of(Feed(stream, Stream("events", 2)), function, batch) == ["event_source_drains"]


def test_a_fifo_queue_needs_message_groups_for_what_runs_at_once() -> None:
    """Nothing promises a thousand batches at once of a queue whose messages may be of one group."""
    source, batch = EventSource("sqs", "orders.fifo", "take", 10), Batch(10, 500, "made up")
    feed = Feed(source, Queue("orders.fifo", is_fifo=True), backlog_count=400)
    [said] = upstream_findings(feed, Function("take", 900), batch, "512 MB")
    assert "if as many message groups wait" in said.message
    [said] = upstream_findings(Feed(SQS, Queue("orders")), Function("take", 900), batch, "512 MB")
    assert "group" not in said.message


def test_a_recent_duration_is_of_recent_batches() -> None:
    """Three messages in 400 ms aren't a thousand in 400 ms: that is only said where nobody knows
    how full the batches were.
    """
    source = EventSource("sqs", "orders", "take", 1000, window_s=5)
    others = (EventSource("sqs", "orders", "other", 10), Function("other", 9, False, 1.0, 8.0))
    known = (source, Function("take", 9, False, 400.0, 3.0))
    feed = Feed(source, Queue("orders", consumers=(others, known)))
    batch = recent_batch(feed, 400.0)
    assert (batch.record_count, batch.source) == (3, "its recent means")
    for unknown in (Feed(source, Queue("orders", consumers=(others,))), Feed(source, None)):
        batch = recent_batch(unknown, 400.0)
        assert (batch.record_count, batch.source) == (1000, "its recent mean, if batches were full")


def test_what_feeds_a_function_and_isnt_computed_is_said() -> None:
    """A warning where a backlog was asked about, since there is no answer to it."""
    assert not list(not_computed((), 500))
    [said] = not_computed(("the stream of orders (DynamoDB)",), None)
    assert (said.code, said.severity) == ("event_source_not_computed", "info")
    [said] = not_computed(("Kafka",), 5000)
    assert said.severity == "warning"
    assert "fed by Kafka" in said.message
    assert "how long a backlog of 5,000 takes" in said.message


def test_a_reservation_that_this_machine_doesnt_enforce_is_told() -> None:
    """Ten were in flight at once: with four reserved, six would have been throttled."""
    result = send(ScriptedFunction(lambda now_s, _: (now_s + 1.0, reply(1000))), "3s:10/s")
    [said] = not_enforced(result, Function("take", 4, is_reserved=True))
    assert (said.code, said.severity) == ("concurrency_short", "warning")
    assert f"{result.max_concurrency} requests were in flight" in said.message
    assert not list(not_enforced(result, Function("take", 40, is_reserved=True)))
    assert not list(not_enforced(result, Function("take", 4)))
    assert not list(not_enforced(result, None))


def test_settings_that_lose_messages_are_named() -> None:
    """A visibility timeout below a batch's time, and pollers that are throttled."""
    batch, queue = Batch(10, 40_000, "made up"), Queue("orders", visibility_timeout_s=30)
    assert "visibility_timeout_short" in codes_of(Feed(SQS, queue), Function("take", 900), batch)
    reserved = Function("take", 20, is_reserved=True)
    assert "pollers_throttled" in codes_of(Feed(SQS, queue), reserved, batch)
    limited = EventSource("sqs", "orders", "take", 10, max_concurrency=20)
    fine = Feed(limited, Queue("orders", visibility_timeout_s=300))
    assert codes_of(fine, reserved, batch) == ["event_source_drains"]
