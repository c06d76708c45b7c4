"""Counts what handlers ask of the emulated services: calls, capacity units, bytes, throttles.

Capacity units are DynamoDB's own arithmetic over the items in requests and replies ("Read and write
operations" and "Item sizes and formats" of its developer guide): a write takes a unit for each KB,
a strongly consistent read one for each 4 KB, an eventually consistent one half, a transaction
twice. What an item was before isn't seen, so an update or a deletion takes at least what is told.
"""

from __future__ import annotations

import base64
import http.client
import json
import math
import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

USE_PATH: Final = "/_tuner/use"
_TIMEOUT_S: Final = 5.0
COUNTED: Final = frozenset(("dynamodb", "kinesis", "s3", "sns", "sqs"))
MOST_BODY_BYTES: Final = 16 * 1024 * 1024
"""DynamoDB's largest request and reply."""
Used = tuple[str, str, float]
"""(resource, unit, amount)."""
_THROTTLES: Final = re.compile(
    rb"ProvisionedThroughputExceeded|ThrottlingException|RequestLimitExceeded|RequestThrottled"
    rb"|TooManyRequests|SlowDown|<Code>Throttl"
)
_WRITE_BYTES: Final = 1024
_READ_BYTES: Final = 4096


class ServiceUse:
    """What was asked since the endpoint began. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: Counter[tuple[str, str, str]] = Counter()
        self._throttled: Counter[tuple[str, str]] = Counter()

    def note(
        self,
        service: str,
        request: tuple[str, str, Mapping[str, str], bytes],
        status: int,
        answer: bytes,
    ) -> None:
        """Count a call: (method, path, headers, body), and its answer. What can't be read is left
        out.
        """
        method, path, headers, body = request
        try:
            if service == "s3":
                found = tuple(_s3(method, path))
            else:
                found = tuple(_READERS[service](headers, body, answer if status < 300 else b"{}"))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return
        refused = status >= 400 and (status == 429 or _THROTTLES.search(answer) is not None)
        with self._lock:
            if refused:
                for resource in {resource for resource, _, _ in found}:
                    self._throttled[service, resource] += 1
            elif status < 300 or (service == "s3" and status < 500):
                for resource, unit, amount in found:
                    if unit == "throttled":
                        self._throttled[service, resource] += round(amount)
                    else:
                        self._used[service, resource, unit] += amount  # type: ignore[assignment] # a Counter adds up fractions too

    def note_invocation(self, function: str, status: int) -> None:
        """Count an invocation of a function, by its name or ARN."""
        name = function.rpartition(":function:")[2] or function
        name = name.partition(":")[0]
        with self._lock:
            if status == 429:
                self._throttled["lambda", name] += 1
            elif status < 300:
                self._used["lambda", name, "invocations"] += 1

    def to_json(self) -> dict[str, object]:
        """`used`: amounts by service, resource and unit; `throttled`: calls and records."""
        with self._lock:
            return {
                "used": [[*key, amount] for key, amount in sorted(self._used.items())],
                "throttled": [[*key, count] for key, count in sorted(self._throttled.items())],
            }


def _dynamodb(headers: Mapping[str, str], body: bytes, answer: bytes) -> Iterator[Used]:
    operation = headers["x-amz-target"].rpartition(".")[2]
    asked, told = json.loads(body), json.loads(answer)
    if operation == "BatchWriteItem":
        refused = told.get("UnprocessedItems") or {}
        for table, writes in asked["RequestItems"].items():
            done = [each for each in writes if each not in refused.get(table, ())]
            for each in done:
                item = each.get("PutRequest", {}).get("Item") or each["DeleteRequest"]["Key"]
                yield from _written(table, item)
            yield _name(table), "throttled", float(len(writes) - len(done))
    elif operation == "TransactWriteItems":
        for each in asked["TransactItems"]:
            [(kind, write)] = each.items()
            if kind != "ConditionCheck":
                yield from _written(write["TableName"], _item_of(write), times=2)
    elif operation in ("PutItem", "UpdateItem", "DeleteItem"):
        item = _item_of(asked)
        whole = told.get("Attributes") if operation != "DeleteItem" else None
        bigger = whole if whole and item_bytes(whole) > item_bytes(item) else item
        yield from _written(asked["TableName"], bigger)
    else:
        yield from _read(operation, asked, told)


def _item_of(write: dict[str, Any]) -> dict[str, Any]:
    """What a request says of the item: all of it, or its key and the values of an update."""
    values = write.get("ExpressionAttributeValues", {})
    return write.get("Item") or {**write["Key"], **values}


def _written(table: str, item: dict[str, Any], times: int = 1) -> Iterator[Used]:
    units = float(times * max(1, math.ceil(item_bytes(item) / _WRITE_BYTES)))
    yield _name(table), "write units", units
    for attribute in item:  # an index takes part of the writes whose items have its keys
        yield _name(table), f"write units with {attribute}", units


def _read(operation: str, asked: dict[str, Any], told: dict[str, Any]) -> Iterator[Used]:
    if operation == "GetItem":
        size = item_bytes(told.get("Item") or {})
        yield _name(asked["TableName"]), "read units", _read_units(size, asked)
    elif operation == "BatchGetItem":
        for table, keys in asked["RequestItems"].items():
            found = told.get("Responses", {}).get(table, [])
            for number in range(len(keys["Keys"])):
                size = item_bytes(found[number]) if number < len(found) else 0
                yield _name(table), "read units", _read_units(size, keys)
    elif operation == "TransactGetItems":
        for each, found in zip(asked["TransactItems"], told.get("Responses", ()), strict=False):
            units = _read_units(item_bytes(found.get("Item") or {}), {"ConsistentRead": True})
            yield _name(each["Get"]["TableName"]), "read units", 2 * units
    elif operation in ("Query", "Scan"):
        items, count = told.get("Items", []), told.get("Count", 0)
        size = sum(map(item_bytes, items))
        if count:  # what a filter left out was read as well
            size = round(size * told.get("ScannedCount", count) / count)
        table, index = _name(asked["TableName"]), asked.get("IndexName")
        resource = f"{table}/index/{index}" if index else table
        yield resource, "read units", _read_units(size, asked)


def _read_units(size: int, asked: dict[str, Any]) -> float:
    units = max(1, math.ceil(size / _READ_BYTES))
    return float(units) if asked.get("ConsistentRead") else units / 2


def _name(table: str) -> str:
    """A table's name; requests may have its ARN."""
    return table.rpartition("table/")[2] if table.startswith("arn:") else table


def item_bytes(item: Mapping[str, Any]) -> int:
    """An item's size as DynamoDB counts it: names in UTF-8, and values."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    [(kind, held)] = value.items()
    size = _SIZES.get(kind)
    return 1 if size is None else size(held)  # NULL and BOOL


def _number_bytes(number: str) -> int:
    """A byte for two significant digits, and one more."""
    digits = re.sub(r"[eE].*", "", number).replace(".", "").lstrip("+-0").rstrip("0")
    return (len(digits) + 1) // 2 + 1


_SIZES: Final[dict[str, Callable[[Any], int]]] = {
    "S": lambda held: len(held.encode()),
    "N": _number_bytes,
    "B": lambda held: len(_decoded(held)),
    "SS": lambda held: sum(len(each.encode()) for each in held),
    "NS": lambda held: sum(map(_number_bytes, held)),
    "BS": lambda held: sum(len(_decoded(each)) for each in held),
    "L": lambda held: 3 + sum(1 + _value_bytes(each) for each in held),
    "M": lambda held: 3 + len(held) + item_bytes(held),
}


def _kinesis(headers: Mapping[str, str], body: bytes, answer: bytes) -> Iterator[Used]:
    operation = headers["x-amz-target"].rpartition(".")[2]
    if operation not in ("PutRecord", "PutRecords"):
        return
    asked, told = json.loads(body), json.loads(answer)
    stream = asked.get("StreamName") or asked["StreamARN"].rpartition("/")[2]
    results = told.get("Records") or []
    for number, record in enumerate(asked.get("Records", [asked])):
        if number < len(results) and results[number].get("ErrorCode"):
            yield stream, "throttled", 1.0
            continue
        yield stream, "records", 1.0
        size = len(_decoded(record["Data"])) + len(record["PartitionKey"].encode())
        yield stream, "bytes", float(size)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError:
        return text.encode()


def _sqs(headers: Mapping[str, str], body: bytes, _answer: bytes) -> Iterator[Used]:
    operation, asked = _json_or_form(headers, body)
    if operation not in ("SendMessage", "SendMessageBatch"):
        return
    queue = str(asked["QueueUrl"]).rpartition("/")[2]
    entries = asked.get("Entries")
    count = len(entries) if entries is not None else _entries(asked, "SendMessageBatchRequestEntry")
    yield queue, "send calls", 1.0
    yield queue, "messages", float(count if operation.endswith("Batch") else 1)


def _sns(headers: Mapping[str, str], body: bytes, _answer: bytes) -> Iterator[Used]:
    operation, asked = _json_or_form(headers, body)
    if operation not in ("Publish", "PublishBatch"):
        return
    topic = str(asked.get("TopicArn") or asked["TargetArn"]).rpartition(":")[2]
    count = _entries(asked, "PublishBatchRequestEntries.member")
    yield topic, "publishes", float(count if operation.endswith("Batch") else 1)


def _json_or_form(headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, Any]]:
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2], json.loads(body)
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    return form["Action"], form


def _entries(asked: Mapping[str, Any], prefix: str) -> int:
    start = f"{prefix}."
    return len({name[len(start) :].partition(".")[0] for name in asked if name.startswith(start)})


def _s3(method: str, path: str) -> Iterator[Used]:
    bucket = unquote(path.lstrip("/").partition("/")[0])
    if bucket:
        yield bucket, "reads" if method in ("GET", "HEAD") else "writes", 1.0


_READERS: Final = {"dynamodb": _dynamodb, "kinesis": _kinesis, "sns": _sns, "sqs": _sqs}


@dataclass(frozen=True, slots=True)
class UseSoFar:
    """What an endpoint's services were asked since it began."""

    used: Mapping[tuple[str, str, str], float]
    """By (service, resource, unit)."""
    throttled: Mapping[tuple[str, str], int]
    """By (service, resource)."""


def read_use(endpoint_url: str) -> UseSoFar | None:
    """Ask a local endpoint; None if it isn't one, or doesn't answer."""
    where = urlsplit(endpoint_url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", USE_PATH)
        answer = connection.getresponse()
        told = json.loads(answer.read()) if answer.status == 200 else {}
        used = {(service, name, unit): amount for service, name, unit, amount in told["used"]}
        return UseSoFar(used, {(service, name): n for service, name, n in told["throttled"]})
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()
