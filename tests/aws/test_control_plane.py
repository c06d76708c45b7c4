"""The control plane is asked less than ten times a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.aws.wire import Reply, WireServer
from tuner.aws.control_plane import RateLimiter

if TYPE_CHECKING:
    from tuner.aws.gateway import LambdaGateway


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def test_requests_are_spaced_and_get_function_is_not(
    wire: WireServer, gateway: LambdaGateway
) -> None:
    """Twenty lists take two seconds by the pacer's clock, twenty GetFunctions no time."""
    clock = Clock()
    client: Any = gateway._control.client
    RateLimiter(clock=clock, sleep=clock.sleep).attach(client)
    wire.say(Reply())
    for _ in range(20):
        client.list_aliases(FunctionName="resize")
    assert 2.0 < clock.now_s - 100 < 2.2
    before_s = clock.now_s
    for _ in range(20):
        client.get_function(FunctionName="resize")
    assert clock.now_s == before_s


def test_a_pause_is_not_made_up_for() -> None:
    """After a pause the next request goes at once, and the one behind it waits again."""
    clock = Clock()
    pacer = RateLimiter(0.1, clock=clock, sleep=clock.sleep)
    pacer.wait()
    clock.now_s += 50
    began_s = clock.now_s
    pacer.wait()
    assert clock.now_s == began_s
    pacer.wait()
    assert 0.09 < clock.now_s - began_s < 0.11
