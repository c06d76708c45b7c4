"""An account of many functions at the wire, with AWS's page sizes and limits, and a known truth.

Lambda, CloudWatch Logs with Insights, CloudWatch and Compute Optimizer answer in their protocols.
What is over a limit is refused as AWS refuses it. Insights isn't interpreted: the query that sums
up reports is answered from the truth. `python -m tests.aws.scripted_account 5000` serves one in a
process of its own, and says at /stats what it was asked.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tests.aws.known_functions import (
    Truth,
    arn_of,
    configuration,
    large_account,
    metric_of,
    optimized,
    rows_of,
)
from tests.aws.wire import Received, Reply, WireServer

if TYPE_CHECKING:
    from collections.abc import Callable

_PAGE: Final = 50
_MOST_POINTS: Final = 100_800
_ROWS_A_PAGE: Final = 10_000
_DAY_MS: Final = 86_400_000


@dataclass
class ScriptedAccount:
    """Answers for the functions; limits in calls a second by service."""

    functions: list[Truth]
    query_s: float = 0.0
    """How long a query runs."""
    limits: dict[str, int] = field(default_factory=dict)
    optimizer_on: bool = True
    calls: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._by_name = {each.name: each for each in self.functions}
        self._by_group = {each.group: each for each in self.functions}
        self._queries: dict[str, tuple[float, list[dict[str, str]], int]] = {}
        self._recent: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def answer(self, received: Received) -> Reply:
        """Answer one request."""
        if received.path == "/stats":
            return Reply(body=self.stats())
        service, operation = _operation(received)
        with self._lock:
            now = time.monotonic()
            self.calls[operation] += 1
            self.times.append(now)
            recent = self._recent.setdefault(service, deque())
            while recent and recent[0] <= now - 1:
                recent.popleft()
            if len(recent) >= self.limits.get(service, 1 << 30):
                self.refused[service] += 1
                return _refusal(429 if service == "lambda" else 400, "ThrottlingException")
            recent.append(now)
        handler: Callable[[Received], Reply] = getattr(self, f"_{operation}")
        return handler(received)

    def stats(self) -> dict[str, Any]:
        """Calls by operation, what was refused, and the most in any second."""
        times, most, begin = self.times, 0, 0
        for end, moment in enumerate(times):
            while times[begin] <= moment - 1:
                begin += 1
            most = max(most, end - begin + 1)
        took_s = times[-1] - times[0] if times else 0.0
        return {
            "calls": dict(self.calls), "call_count": len(times), "refused": dict(self.refused),
            "most_a_second": most, "took_s": took_s,
        }  # fmt: skip

    # Lambda

    def _ListFunctions(self, received: Received) -> Reply:  # noqa: N802 - AWS's name, as below
        start = int(received.query.get("Marker", ["0"])[0])
        page = self.functions[start : start + _PAGE]
        body: dict[str, Any] = {"Functions": [configuration(each) for each in page]}
        if start + _PAGE < len(self.functions):
            body["NextMarker"] = str(start + _PAGE)
        return Reply(body=body)

    def _GetFunction(self, received: Received) -> Reply:  # noqa: N802
        truth = self._by_name.get(received.path.split("/")[3])
        if truth is None:
            return _refusal(404, "ResourceNotFoundException")
        return Reply(body={"Configuration": configuration(truth)})

    def _ListProvisionedConcurrencyConfigs(self, received: Received) -> Reply:  # noqa: N802
        truth = self._by_name[received.path.split("/")[3]]
        configs = [
            {
                "FunctionArn": f"{arn_of(truth)}:{qualifier}",
                "RequestedProvisionedConcurrentExecutions": count,
            }
            for qualifier, count, _ in truth.provisioned
        ]
        return Reply(body={"ProvisionedConcurrencyConfigs": configs})

    def _ListVersionsByFunction(self, received: Received) -> Reply:  # noqa: N802
        return Reply(body={"Versions": [configuration(self._by_name[received.path.split("/")[3]])]})

    # CloudWatch Logs

    def _DescribeLogGroups(self, received: Received) -> Reply:  # noqa: N802
        asked = received.json
        names = sorted(
            each.group
            for each in self.functions
            if each.has_group and each.group.startswith(asked.get("logGroupNamePrefix", ""))
        )
        start, limit = int(asked.get("nextToken", "0")), min(asked.get("limit", _PAGE), _PAGE)
        created = int((datetime.now(UTC) - timedelta(days=100)).timestamp() * 1000)
        groups = []
        for name in names[start : start + limit]:
            truth = self._by_group[name]
            group = {
                "logGroupName": name,
                "creationTime": created,
                "storedBytes": truth.stored_bytes,
                "logGroupClass": truth.log_class,
            }
            if truth.retention_days is not None:
                group["retentionInDays"] = truth.retention_days
            groups.append(group)
        body: dict[str, Any] = {"logGroups": groups}
        if start + limit < len(names):
            body["nextToken"] = str(start + limit)
        return Reply(body=body)

    def _StartQuery(self, received: Received) -> Reply:  # noqa: N802
        asked = received.json
        groups = asked["logGroupNames"]
        running = sum(ready > time.monotonic() for ready, _, _ in self._queries.values())
        if len(groups) > _PAGE:
            return _refusal(400, "InvalidParameterException")
        if running >= 100:
            return _refusal(400, "LimitExceededException")
        found = [self._by_group.get(name) for name in groups]
        if any(each is None or not each.has_group for each in found):
            return _refusal(400, "ResourceNotFoundException")
        if any(each.denied for each in found if each):
            return _refusal(400, "AccessDeniedException")
        start, end = asked["startTime"], asked["endTime"]
        rows = [row for each in found if each for row in rows_of(each, start, end)]
        scanned = sum(each.stored_bytes for each in found if each) * (end - start) // 8_640_000
        query_id = f"query-{len(self._queries)}"
        self._queries[query_id] = time.monotonic() + self.query_s, rows, scanned
        return Reply(body={"queryId": query_id})

    def _GetQueryResults(self, received: Received) -> Reply:  # noqa: N802
        asked = received.json
        ready, rows, scanned = self._queries[asked["queryId"]]
        if time.monotonic() < ready:
            return Reply(body={"status": "Running", "results": []})
        start = int(asked.get("nextToken", "0"))
        page = rows[start : start + _ROWS_A_PAGE]
        body: dict[str, Any] = {
            "status": "Complete",
            "statistics": {"bytesScanned": float(scanned), "recordsMatched": float(len(rows))},
            "results": [[{"field": k, "value": v} for k, v in row.items()] for row in page],
        }
        if start + _ROWS_A_PAGE < len(rows):
            body["nextToken"] = str(start + _ROWS_A_PAGE)
        return Reply(body=body)

    # CloudWatch

    def _GetMetricData(self, received: Received) -> Reply:  # noqa: N802
        asked = received.json
        queries = asked["MetricDataQueries"]
        if len(queries) > 500:
            return _refusal(400, "ValidationError")
        start, end = _epoch(asked["StartTime"]), _epoch(asked["EndTime"])
        hours = int((end - start) // 3600)
        page = max(_MOST_POINTS // max(hours, 1), 1)
        begin = int(asked.get("NextToken", "0"))
        results = []
        for query in queries[begin : begin + page]:
            metric = query["MetricStat"]["Metric"]
            where = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
            truth = self._by_name[where["FunctionName"]]
            value = metric_of(truth, metric["MetricName"], where.get("Resource"))
            values = [] if value is None else [value] * hours
            results.append({"Id": query["Id"], "Values": values, "Timestamps": []})
        body: dict[str, Any] = {"MetricDataResults": results}
        if begin + page < len(queries):
            body["NextToken"] = str(begin + page)
        return Reply(body=body)

    def _ListMetrics(self, received: Received) -> Reply:  # noqa: N802
        used = [each for each in self.functions if any(use for *_, use in each.provisioned)]
        listed = [{"Dimensions": [{"Name": "FunctionName", "Value": each.name}]} for each in used]
        return Reply(body={"Metrics": listed})

    # Compute Optimizer

    def _GetLambdaFunctionRecommendations(self, received: Received) -> Reply:  # noqa: N802
        if not self.optimizer_on:
            return _refusal(400, "OptInRequiredException")
        asked = received.json
        known = [each for each in self.functions if each.optimizer is not None]
        start, limit = int(asked.get("nextToken", "0")), min(asked.get("maxResults", 100), 1000)
        body: dict[str, Any] = {
            "lambdaFunctionRecommendations": [optimized(each) for each in known[start:][:limit]]
        }
        if start + limit < len(known):
            body["nextToken"] = str(start + limit)
        return Reply(body=body)


def _operation(received: Received) -> tuple[str, str]:
    target = received.headers.get("x-amz-target", "")
    if target:
        service, _, operation = target.rpartition(".")
        names = {"Logs": "logs", "Granite": "cloudwatch", "ComputeO": "compute-optimizer"}
        return next(name for prefix, name in names.items() if service.startswith(prefix)), operation
    for pattern, operation in (
        (r"/[\d-]+/functions/?$", "ListFunctions"),
        (r"/[\d-]+/functions/[^/]+/provisioned-concurrency$", "ListProvisionedConcurrencyConfigs"),
        (r"/[\d-]+/functions/[^/]+/versions$", "ListVersionsByFunction"),
        (r"/[\d-]+/functions/[^/]+$", "GetFunction"),
    ):
        if re.match(pattern, received.path):
            return "lambda", operation
    raise AssertionError(f"not in this account: {received.method} {received.path}")


def _refusal(status: int, code: str) -> Reply:
    body = {"__type": code, "message": code, "Message": code}
    return Reply(status, body, {"x-amzn-ErrorType": code})


def _epoch(given: Any) -> float:
    if isinstance(given, int | float):
        return float(given)
    return datetime.fromisoformat(str(given)).timestamp()


def main() -> None:
    """Serve an account of so many functions until standard input ends."""
    count = int(sys.argv[1])
    account = ScriptedAccount(
        large_account(count),
        query_s=3.0,
        limits={"lambda": 15, "logs": 5, "cloudwatch": 50, "compute-optimizer": 5},
    )
    with WireServer() as server:
        server.answer = account.answer
        server.received = _Nowhere()
        print(json.dumps({"url": server.url}), flush=True)
        sys.stdin.read()


class _Nowhere(list[Received]):
    """Keeps nothing: requests are counted, and their bodies would fill the memory."""

    def append(self, _: Received) -> None:
        pass


if __name__ == "__main__":
    main()
