"""Which limit a rate reaches first, and what is said of it before and during a load."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.load.scripted import ScriptedFunction, reply, send
from tuner.errors import AccessDeniedError
from tuner.load.findings import foreseen, machine_full, not_known, seen_during
from tuner.load.limits import Demand, Saturation, first_to_give_way, limits_of, saturations
from tuner.load.phases import parse_phases, rate_at
from tuner.load.resources import (
    Bucket,
    EventSource,
    Function,
    Queue,
    Resource,
    Stream,
    Table,
    Topic,
)
from tuner.load.watch import Look, MachineWatch, ResourceWatch, Seen, demands_seen

if TYPE_CHECKING:
    from tuner.load.limits import Key

INDEX = Table("orders/index/by-day", 40, 10)
TABLE = Table("orders", 40, 20, indexes=(INDEX,))


def limits(*resources: Resource) -> dict[tuple[str, str], float | None]:
    return {
        (each.resource, each.unit): each.per_s
        for resource in resources
        for each in limits_of(resource)
    }


def at_rate(
    rate_per_s: float, demands: dict[Key, float], *behind: Resource
) -> tuple[Saturation, ...]:
    known = {key: Demand(amount, "made up") for key, amount in demands.items()}
    every = (limit for each in behind for limit in limits_of(each))
    return saturations(every, known, rate_per_s)


def test_limits_are_those_of_the_settings() -> None:
    """Provisioned units, an index its own; what on demand takes, at most what its owner allows."""
    assert limits(TABLE) == {
        ("orders", "write units"): 20,
        ("orders", "read units"): 40,
        ("orders/index/by-day", "write units"): 10,
        ("orders/index/by-day", "read units"): 40,
    }
    fresh = Table("t", None, None, is_on_demand=True)
    assert limits(fresh) == {("t", "write units"): 4000, ("t", "read units"): 12_000}
    warm = Table("t", 500, None, True, warm_read_units_per_s=24_000, warm_write_units_per_s=9000)
    assert limits(warm) == {("t", "write units"): 9000, ("t", "read units"): 500}
    assert limits(Stream("s", 3)) == {("s", "records"): 3000, ("s", "bytes"): 3_000_000}
    [_, by_size] = limits_of(Stream("s", 4, is_on_demand=True))
    assert by_size.source == "4 shards × 1,000,000 bytes/s, on demand, before it scales"
    assert limits(Bucket("b")) == {("b", "writes"): 3500, ("b", "reads"): 5500}
    assert limits(Topic("news")) == {("news", "publishes"): None}
    assert limits(Topic("n.fifo", is_fifo=True)) == {("n.fifo", "publishes"): 3000}


def test_a_queue_is_limited_by_those_that_consume_it() -> None:
    """Four at once, 3 messages in 400 ms: 30/s; FIFO takes 300 calls too; a consumer of unknown
    duration leaves it open.
    """
    source = EventSource("sqs", "mails", "mailer", 10)
    mailer = Function("mailer", 4, True, 400.0, 3.0)
    assert limits(Queue("mails", consumers=((source, mailer),))) == {
        ("mails", "messages"): pytest.approx(30)
    }
    assert limits(Queue("m.fifo", is_fifo=True)) == {
        ("m.fifo", "send calls"): 300,
        ("m.fifo", "messages"): None,
    }
    unknown = Function("mailer", 4)
    assert limits(Queue("mails", consumers=((source, unknown),))) == {("mails", "messages"): None}


def test_a_function_takes_its_concurrency_over_its_duration_and_ten_calls_for_each() -> None:
    """5 at 100 ms are 50/s; at 1 ms Lambda starts no more than 50 either."""
    assert limits(Function("f", 5, duration_ms=200)) == {("f", "invocations"): 25}
    assert limits(Function("f", 5, duration_ms=1)) == {("f", "invocations"): 50}
    assert limits(Function("f", 5)) == limits(Function("f", None)) == {("f", "invocations"): None}


def test_what_the_lowest_rate_uses_up_gives_way_first() -> None:
    """20 units at 4 an invocation are 5/s, the index's 10 at 4 are 2.5/s; a stream has more room,
    and the table's reads, which nobody asks for, aren't shown.
    """
    found = at_rate(
        4.0,
        {
            ("dynamodb", "orders", "write units"): 4.0,
            ("dynamodb", "orders/index/by-day", "write units"): 4.0,
            ("kinesis", "events", "records"): 1.0,
            ("kinesis", "events", "bytes"): 5000.0,
        },
        TABLE,
        Stream("events", 2),
        Bucket("open"),
    )
    assert [(each.limit.resource, each.limited_at_rate_per_s) for each in found] == [
        ("orders/index/by-day", 2.5),
        ("orders", 5.0),
        ("events", 400.0),
        ("events", 2000.0),
        ("open", None),
        ("open", None),
    ]
    assert [each.is_exceeded for each in found[:2]] == [True, False]
    [said, *_] = foreseen(found, 4.0)
    assert said.code == "downstream_saturates"
    assert (
        "First to give way: orders/index/by-day (DynamoDB) at about 2.5 requests/s" in said.message
    )
    [said] = foreseen(found[1:], 4.0)
    assert said.code == "downstream_first"
    [said] = not_known(found, ())
    assert said.code == "downstream_unknown"
    assert "open (S3: what an invocation asks of it)" in said.message
    [said] = not_known(at_rate(1.0, {("sns", "news", "publishes"): 1.0}, Topic("news")), ())
    assert "news (SNS: the account's quota, 300 to 30,000/s by region, isn't known)" in said.message
    assert [each.code for each in not_known((), ("its role",))] == ["downstream_unseen"]
    assert not list(foreseen((), 1.0))


@given(
    st.lists(st.tuples(st.floats(0.5, 1e5), st.floats(0.01, 100)), min_size=1, max_size=8),
    st.floats(0.1, 1e4),
)
def test_the_first_is_never_above_another(pairs: list[tuple[float, float]], rate: float) -> None:
    """Whatever limits and demands: the order is that of the rates, and a limit is exceeded just
    where the load's rate is above it.
    """
    tables = [Table(f"t{number}", 1.0, limit) for number, (limit, _) in enumerate(pairs)]
    found = at_rate(
        rate,
        {("dynamodb", f"t{n}", "write units"): asked for n, (_, asked) in enumerate(pairs)},
        *tables,
    )
    rates = [each.limited_at_rate_per_s for each in found]
    assert len(rates) == len(pairs)
    assert rates == sorted(rates)  # type: ignore[type-var]
    first = first_to_give_way(found)
    assert first is not None
    assert first.limited_at_rate_per_s == min(limit / asked for limit, asked in pairs)
    for each in found:
        at = each.limited_at_rate_per_s
        assert at is not None
        assert each.is_exceeded == (rate > at) or rate == pytest.approx(at)


def test_a_busy_key_is_warned_of_where_the_table_has_room() -> None:
    """2,000 units of 40,000 are fine for the table, not for one partition."""
    table = Table("orders", 40, 40_000)
    found = at_rate(1000.0, {("dynamodb", "orders", "write units"): 2.0}, table)
    assert [each.code for each in foreseen(found, 1000.0)] == [
        "downstream_first",
        "partition_limit",
    ]


def seen_at(at_s: float, count: int, used: float, throttled: float = 0.0, **states: float) -> Seen:
    look = Look(
        {("dynamodb", "orders", "write units"): used},
        {
            ("dynamodb", "orders", "throttled"): throttled,
            **{("sqs", "mails", name): value for name, value in states.items()},
        },  # type: ignore[dict-item]
    )
    return Seen(at_s, count, count, look)


def test_what_an_invocation_asks_is_taken_before_the_first_throttle() -> None:
    """Of 40 invocations with 80 units; what came with throttles, retried or given up, is not."""
    seen = [seen_at(1, 20, 40), seen_at(2, 40, 80), seen_at(3, 60, 95, throttled=9)]
    [demand] = demands_seen(seen, "counted").values()
    assert demand == Demand(2.0, "counted, 40 invocations")
    assert demands_seen([], "counted") == {}
    assert demands_seen([seen_at(0, 0, 0)], "counted") == {}
    [demand] = demands_seen(seen[2:], "counted").values()
    assert demand.per_invocation == pytest.approx(95 / 60)


def test_where_most_are_in_flight_what_an_invocation_asks_has_bounds() -> None:
    """Twelve units of six sent and three answered are two to four each; of none answered, at least
    two.
    """
    key: Key = ("dynamodb", "orders", "write units")
    [demand] = demands_seen([Seen(1, 6, 3, Look({key: 12}))], "counted").values()
    assert demand.source.endswith(": 2 to 4, many were in flight")
    assert 2 <= demand.per_invocation <= 4
    [demand] = demands_seen([Seen(1, 6, 0, Look({key: 12}))], "counted").values()
    assert demand.source.endswith(": 2 at least, none had been answered")


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_what_is_in_flight_does_not_count_wrong(share: float) -> None:
    """Ten of forty in flight: three units an invocation, whether it asks at its beginning, its
    middle or its end.
    """
    key: Key = ("dynamodb", "orders", "write units")
    seen = [
        Seen(n, 5 * n, 4 * n, Look({key: 3 * ((1 - share) * 5 * n + share * 4 * n)}))
        for n in range(1, 9)
    ]
    seen += [Seen(9, 50, 48, Look({key: 3 * ((1 - share) * 50 + share * 48)}))]
    assert demands_seen(seen, "counted")[key].per_invocation == pytest.approx(3)


def test_once_all_are_answered_what_they_asked_is_exact() -> None:
    """Six invocations asked for twelve units, whatever the looks in between saw of those in
    flight.
    """
    key: Key = ("dynamodb", "orders", "write units")
    between = Seen(1, 6, 1, Look({key: 9}))
    [demand] = demands_seen([between, Seen(3, 6, 6, Look({key: 12}))], "counted").values()
    assert demand == Demand(2.0, "counted, 6 invocations")


def test_throttles_and_queues_that_grew_are_named_with_their_rate() -> None:
    """The first refusal came within 2 s of a ramp from 0 to 100/s in 10 s: at up to 20/s."""
    phases = parse_phases(["10s:0/s..100/s"])
    seen = [seen_at(1, 5, 9, waiting=3), seen_at(2, 20, 30, 4), seen_at(9, 90, 99, 70, waiting=900)]
    said = {each.code: each.message for each in seen_during(seen, phases)}
    assert "refused 70 requests" in said["downstream_throttled"]
    assert "within 2 s, at up to 20 requests/s" in said["downstream_throttled"]
    assert "3 messages waited when the load began and 900 at its end" in said["queue_grew"]
    assert {each.code for each in seen_during(seen, phases, polls=False)} == {
        "downstream_throttled"
    }
    assert not list(seen_during([], phases))
    assert rate_at(phases, 99) == 100


def test_a_running_load_is_looked_at_by_its_clock_and_a_refusal_ends_nothing() -> None:
    """Every 2 s of 10: what may not be asked leaves a hole; the counts are those of then."""
    asked: list[int] = []

    def look() -> Look | None:
        asked.append(1)
        if len(asked) == 2:
            raise AccessDeniedError("may not")
        return Look()

    watch = ResourceWatch(look, 2.0, aside=lambda work: work())
    function = ScriptedFunction(lambda now_s, _: (now_s + 0.05, reply(50)))
    result = send(function, "10s:10/s", pass_time=watch.pass_time)
    assert result.end == "complete"
    assert [round(each.at_s) for each in watch.seen] == [0, 4, 6, 8]
    assert [each.answered_count for each in watch.seen[1:]] == pytest.approx([40, 60, 80], abs=1)


@pytest.mark.parametrize(("from_s", "said"), [(4.0, True), (9.0, False)])
def test_a_machine_that_has_no_cpu_left_for_the_handlers_is_named(
    from_s: float, said: bool
) -> None:
    """Two cores, half busy and then whole: from 4 s of a ramp on, what a load shows is the
    machine's. A second of it isn't said.
    """
    function = ScriptedFunction(lambda now_s, _: (now_s + 0.05, reply(50)))

    def read() -> tuple[float, float]:
        at_s = function.now_s - 100.0
        return at_s + max(0.0, at_s - from_s), 2 * at_s

    machine = MachineWatch(read)
    result = send(function, "10s:0/s..100/s", pass_time=machine.pass_time)
    found = list(machine_full(result, machine))
    assert [each.code for each in found] == ["machine_full"] * said
    for each in found:
        assert "busy for 6 s of the load, first at 4 s and 4" in each.message
    nothing = MachineWatch(lambda: None)
    nothing.pass_time(1.0, 0, 0)
    assert nothing.full_s == 0
