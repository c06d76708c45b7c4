"""A load against services that refuse: one architecture of those in tests/bench."""

from __future__ import annotations

import pytest

from tests.bench.load_downstream import play, serving
from tests.bench.load_limits import Architecture, Bucket, architectures


def test_the_architectures_are_apart_enough_to_tell() -> None:
    """Twenty, of four services, each with a second part that has at least a quarter more room."""
    every = tuple(architectures())
    assert len(every) == 20
    assert {each.scarcest.service for each in every} == {"dynamodb", "kinesis", "sqs", "lambda"}
    for each in every:
        first, second, *_ = sorted(part.rate_per_s for part in each.parts)
        assert second > 1.15 * first


def test_a_bucket_refuses_what_is_over_its_limit() -> None:
    """It holds a second of it, and notes all that was asked."""
    bucket = Bucket(10.0)
    assert all(bucket.take(1.0) for _ in range(10))
    assert bucket.refused_s is None
    assert not bucket.take(5.0)
    assert bucket.refused_s is not None
    assert sum(amount for _, amount in bucket.asked) == 15


@pytest.mark.slow
@pytest.mark.parametrize("name", ["take-6", "take-9"])
def test_the_first_to_refuse_is_named_with_its_rate(name: str) -> None:
    """A ramp over a table's reads, or a stream's bytes, in front of moto: the service that refuses
    is the one that the load names, at the rate of its limit.
    """
    [architecture] = (each for each in architectures() if each.name == name)
    assert isinstance(architecture, Architecture)
    with serving((architecture,), is_real=False) as (world, server):
        first, foreseen_per_s, (over, gave_way_per_s) = play(world, server, architecture)
    scarcest = architecture.scarcest
    assert first == over == scarcest.resource
    assert foreseen_per_s == pytest.approx(scarcest.rate_per_s, rel=0.1)
    assert gave_way_per_s == pytest.approx(scarcest.rate_per_s, rel=0.25)
