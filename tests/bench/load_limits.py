"""Twenty architectures with token buckets in front of the local services, and what they ask.

A bucket fills with a resource's limit a second, holds a second of it, and refuses what it hasn't
got with the service's own error. What a call takes of it is written into the call by who made the
architecture, not computed from its content, so that the tuner's own arithmetic is judged, and the
bucket notes what was asked of it, refused or not.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from base64 import b64encode
from dataclasses import dataclass, field
from random import Random
from typing import IO, TYPE_CHECKING, Any, Final

from tuner.local.http.endpoint import Proxy, signed_service
from tuner.local.http.message import Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HELD_S: Final = 1.0
MARK: Final = "takes-"
_SLOW: Final = "ProvisionedThroughputExceededException"


@dataclass
class Bucket:
    """Tokens of one limit; when it first refused, and all that was asked (monotonic seconds)."""

    per_s: float
    level: float = field(init=False)
    filled_s: float = field(init=False)
    refused_s: float | None = None
    asked: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.level = self.per_s * HELD_S
        self.filled_s = time.monotonic()

    def take(self, amount: float) -> bool:
        now_s = time.monotonic()
        self.asked.append((now_s, amount))
        self.level += self.per_s * (now_s - self.filled_s)
        self.level = min(self.level, self.per_s * HELD_S)
        self.filled_s = now_s
        if amount > self.level:
            self.refused_s = self.refused_s or now_s
            return False
        self.level -= amount
        return True


@dataclass(frozen=True)
class Part:
    """A resource of an architecture: what limits it, and what each invocation takes of that."""

    service: str
    resource: str
    per_s: float
    takes: float
    calls: tuple[dict[str, Any], ...]
    """Each with `service`, `target` and `body`, in which `takes` is marked."""

    @property
    def rate_per_s(self) -> float:
        """The rate of invocations that uses it up."""
        return self.per_s / self.takes


@dataclass(frozen=True)
class Architecture:
    """A function and what is behind it, the scarcest first by far enough to tell."""

    name: str
    parts: tuple[Part, ...]
    memory_mb: int = 1769

    @property
    def scarcest(self) -> Part:
        return min(self.parts, key=lambda each: each.rate_per_s)


def buckets_of(architecture: Architecture) -> dict[tuple[str, str], Bucket]:
    return {(each.service, each.resource): Bucket(each.per_s) for each in architecture.parts}


def limited_proxy(
    buckets: dict[tuple[str, str], Bucket], lock: threading.Lock
) -> Callable[..., Proxy]:
    """The endpoint's proxy with buckets between it and moto."""

    class LimitedProxy(Proxy):
        def _exchange(self, request: Request, body: IO[bytes], length: int) -> Response:
            service = signed_service(request)
            if service in ("dynamodb", "kinesis", "sqs") and length < 1_000_000:
                body.seek(0)
                asked = json.loads(body.read())
                with lock:
                    refused = any(
                        not buckets[key].take(amount)
                        for key, amount in _taken(service, asked)
                        if key in buckets
                    )
                if refused:
                    code = "RequestThrottled" if service == "sqs" else _SLOW
                    return json_response(400, {"__type": code, "message": "slow down"})
                if service == "sqs" and "MessageBody" in asked:  # moto takes 300 a second barely
                    return json_response(200, {"MessageId": "1", "MD5OfMessageBody": "1"})
            return super()._exchange(request, body, length)

    return LimitedProxy


def _taken(service: str, asked: dict[str, Any]) -> Iterator[tuple[tuple[str, str], float]]:
    """What the marks in a call say."""
    if service == "dynamodb" and "TableName" in asked:
        marked = (asked.get("Item") or asked.get("Key") or {}).get("id", {}).get("S", "")
        if marked.startswith(MARK):
            yield (service, asked["TableName"]), float(marked.split("-")[1])
    elif service == "kinesis" and "Data" in asked:
        marked = asked["PartitionKey"]
        yield (service, asked["StreamName"]), float(marked.split("-")[1])
    elif service == "sqs" and "MessageBody" in asked:
        yield (service, asked["QueueUrl"].rpartition("/")[2]), 1.0


def architectures(seed: int = 20261130) -> Iterator[Architecture]:
    """Twenty: nine with a table as the scarcest (writes, reads), five with a stream, two with a
    queue, four with a function. Another part has 1.3 to 4 times the room.
    """
    rng = Random(seed)
    kinds = ["writes"] * 5 + ["reads"] * 4 + ["stream"] * 5 + ["queue"] * 2 + ["function"] * 4
    others = ["writes", "reads", "stream", "function"]
    for number, kind in enumerate(kinds):
        rate = rng.uniform(6, 12)
        scarcest = _part(kind, f"{kind}-{number}-a", rate, rng)
        more = rng.sample([each for each in others if each != kind], rng.randint(1, 2))
        rest = [_part(k, f"{k}-{number}-{k}", rate * rng.uniform(1.3, 4), rng) for k in more]
        parts = [scarcest, *rest]
        rng.shuffle(parts)
        yield Architecture(f"take-{number}", tuple(parts))


def _part(kind: str, name: str, rate: float, rng: Random) -> Part:
    """A resource whose limit is used up at about this rate."""
    match kind:
        case "writes" | "reads":
            units = rng.randint(1, 4)
            call = _write(name, units) if kind == "writes" else _read(name, units)
            return Part("dynamodb", name, max(1, round(rate * units)), units, (call,))
        case "stream":
            size = round(1_000_000 / rate)
            return Part("kinesis", name, 1_000_000, size, (_record(name, size),))
        case "queue":
            count = round(300 / rate)
            name = f"{name}.fifo"
            return Part("sqs", name, 300, count, (_message(name),) * count)
    call = {"service": "lambda", "target": name, "body": {}}
    return Part("lambda", name, round(rate), 1, (call,))


def _write(table: str, units: int) -> dict[str, Any]:
    key = f"{MARK}{units}-"
    text = "a" * (1024 * units - 512)
    item = {"id": {"S": key}, "x": {"S": text}}
    return _call("dynamodb", "DynamoDB_20120810.PutItem", {"TableName": table, "Item": item})


def _read(table: str, units: int) -> dict[str, Any]:
    asked = {
        "TableName": table,
        "Key": {"id": {"S": f"{MARK}{units}-"}},
        "ConsistentRead": True,
    }
    return _call("dynamodb", "DynamoDB_20120810.GetItem", asked)


def read_item(units: int) -> dict[str, Any]:
    """What such a read finds."""
    return {"id": {"S": f"{MARK}{units}-"}, "x": {"S": "a" * (4096 * units - 2048)}}


def _record(stream: str, size: int) -> dict[str, Any]:
    key = f"{MARK}{size}-"
    data = b64encode(b"x" * (size - len(key))).decode()
    asked = {"StreamName": stream, "Data": data, "PartitionKey": key}
    return _call("kinesis", "Kinesis_20131202.PutRecord", asked)


def _message(queue: str) -> dict[str, Any]:
    url = f"http://127.0.0.1/123456789012/{queue}"
    asked = {"QueueUrl": url, "MessageBody": "hi", "MessageGroupId": "1"}
    return _call("sqs", "AmazonSQS.SendMessage", asked)


def _call(service: str, target: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"service": service, "target": target, "body": body}


class Caller:
    """Makes an architecture's calls as a handler would, over kept connections."""

    def __init__(self) -> None:
        self.port = 0
        self._kept = threading.local()
        self._every: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        """Close the connections of all threads."""
        for each in self._every:
            each.close()

    def make(self, call: dict[str, Any]) -> int:
        """Make a call and return its status; a refusal isn't sent again."""
        if call["service"] == "lambda":
            return self._send(f"/2015-03-31/functions/{call['target']}/invocations", b"{}", {})
        signed = f"Credential=local/20260101/us-east-1/{call['service']}/aws4_request"
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 {signed}, SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": call["target"],
        }
        return self._send("/", json.dumps(call["body"]).encode(), headers)

    def _send(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        connection = getattr(self._kept, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
            self._kept.connection = connection
            self._every.append(connection)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
