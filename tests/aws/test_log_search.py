"""A REPORT line that is not in the tail is looked for in CloudWatch Logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.aws.wire import Received, Reply, WireServer, refusal

if TYPE_CHECKING:
    from tuner.aws.gateway import LambdaGateway

REQUEST = "8f5a0b0e-0000-4000-8000-000000000001"
REPORT = (
    f"REPORT RequestId: {REQUEST}\tDuration: 3.00 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\n"
)
FUNCTION = {"FunctionName": "resize", "MemorySize": 128, "Timeout": 3}


def answering(*pages: Reply, group: str | None = None) -> Any:
    """The function's configuration to whoever reads it, pages of log events to whoever filters."""
    waiting = list(pages)

    def answer(request: Received) -> Reply:
        if request.headers.get("x-amz-target", "").endswith("FilterLogEvents"):
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]
        logging = {"LoggingConfig": {"LogGroup": group}} if group else {}
        return Reply(body={"Configuration": FUNCTION | logging})

    return answer


def events(*messages: str, **more: str) -> Reply:
    return Reply(body={"events": [{"message": message} for message in messages], **more})


def asked(wire: WireServer) -> list[dict[str, Any]]:
    return [each.json for each in wire.received if "x-amz-target" in each.headers]


def test_the_log_is_read_over_pages_and_waited_for(
    wire: WireServer, gateway: LambdaGateway
) -> None:
    """An empty page is not the last one, and a line that has not arrived may arrive."""
    start = f"START RequestId: {REQUEST}\n"
    wire.answer = answering(events(start, nextToken="more"), events(), events(start, REPORT))
    assert gateway.find_log("resize", REQUEST) == f"{start}{REPORT}".rstrip("\n")
    first, second, _third = asked(wire)
    assert first["logGroupName"] == "/aws/lambda/resize"
    assert first["filterPattern"] == f'"{REQUEST}"'
    assert second["nextToken"] == "more"


def test_a_log_group_of_its_own_is_read(wire: WireServer, gateway: LambdaGateway) -> None:
    """The function's configuration says where its log goes."""
    wire.answer = answering(events(REPORT), group="/shared/logs")
    assert gateway.find_log("resize", REQUEST) is not None
    assert asked(wire)[0]["logGroupName"] == "/shared/logs"


def test_what_may_not_be_read_or_never_arrives_is_none(
    wire: WireServer, gateway: LambdaGateway
) -> None:
    """The sweep goes on without: a refusal is no error, and waiting has an end."""
    wire.answer = answering(refusal(400, "AccessDeniedException", "no"))
    assert gateway.find_log("resize", REQUEST) is None
    wire.answer = answering(events("chat"))
    assert gateway.find_log("resize", REQUEST) is None


def test_a_request_id_that_is_none_is_not_asked_for(
    wire: WireServer, gateway: LambdaGateway
) -> None:
    """What an endpoint says is put into no filter pattern unseen."""
    assert gateway.find_log("resize", 'x" || "') is None
    assert wire.received == []
