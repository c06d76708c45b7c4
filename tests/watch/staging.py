"""Runaways that really run: handlers on the local Lambda, fed from queues of the emulated SQS.

The endpoint has no event source mappings, so a thread does what Lambda's pollers do: it receives a
message, invokes the function with it and the trace that came along, and deletes it if the function
took it.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3

from tests.logs import forms
from tests.logs.forms import Event, Invocation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.local.child_process import RunningLocalLambda

SOURCE: Final = '''
import json, os
import boto3

sqs = boto3.client("sqs")

def recurse(event, context):
    """Sends what it gets back to its own queue, with its trace."""
    trace = os.environ["_X_AMZN_TRACE_ID"]
    print(f"trace {trace}")
    url = sqs.get_queue_url(QueueName="recurse")["QueueUrl"]
    for record in event["Records"]:
        header = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
        sqs.send_message(QueueUrl=url, MessageBody="again", MessageSystemAttributes=header)

def bounded(event, context):
    """The same, until it has come to the last of twelve pages."""
    trace = os.environ["_X_AMZN_TRACE_ID"]
    print(f"trace {trace}")
    url = sqs.get_queue_url(QueueName="bounded")["QueueUrl"]
    for record in event["Records"]:
        page = int(record["body"])
        header = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
        if page < 12:
            sqs.send_message(
                QueueUrl=url, MessageBody=str(page + 1), MessageSystemAttributes=header
            )

def consume(event, context):
    """Can't read one message."""
    for record in event["Records"]:
        print(json.dumps({"level": "INFO", "messageId": record["messageId"]}))
        json.loads(record["body"])

def call(event, context):
    """What it calls is away."""
    raise ConnectionError("no answer from 10.0.0.7")

def handle(event, context):
    """Handles every message, and says of each that it failed."""
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"]]}
'''
NAMES: Final = ("recurse", "bounded", "consume", "call", "handle")
TEMPLATE: Final = "Transform: AWS::Serverless-2016-10-31\nResources:\n" + "".join(
    f"""  {name}:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: {name}
      CodeUri: code/
      Handler: app.{name}
      Runtime: python3.11
      MemorySize: 512
      Timeout: 20
"""
    for name in NAMES
)


@dataclass(frozen=True, slots=True)
class Place:
    """Clients of the endpoint."""

    functions: Any
    sqs: Any
    logs: Any

    @classmethod
    def at(cls, served: RunningLocalLambda) -> Place:
        """Those of a running one."""
        place = {
            "endpoint_url": served.endpoint_url,
            "region_name": "us-east-1",
            "aws_access_key_id": served.status.access_key_id,
            "aws_secret_access_key": "any",
        }
        return cls(*(boto3.client(each, **place) for each in ("lambda", "sqs", "logs")))

    def queue(self, name: str, visibility_s: int = 30) -> str:
        """A new queue's URL."""
        made = self.sqs.create_queue(
            QueueName=name, Attributes={"VisibilityTimeout": str(visibility_s)}
        )
        return str(made["QueueUrl"])

    def invoke(self, name: str, event: object, trace: str = "") -> Any:
        """Invoke with a trace header; the function's answer, or None where it failed."""

        def add(request: Any, **_: Any) -> None:
            request.headers["X-Amzn-Trace-Id"] = trace

        client = self.functions
        if trace:
            client.meta.events.register("before-send.lambda.Invoke", add, unique_id="trace")
        try:
            answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        finally:
            client.meta.events.unregister("before-send.lambda.Invoke", add, unique_id="trace")
        payload = answer["Payload"].read()
        return None if "FunctionError" in answer else (json.loads(payload) or {})

    def poll(self, name: str, url: str, until: Any) -> None:
        """Do what a poller of a queue does, until told to stop."""
        while not until():
            got = self.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=1, AttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )  # fmt: skip
            for message in got.get("Messages", ()):
                record = {"messageId": message["MessageId"], "body": message["Body"]}
                trace = message.get("Attributes", {}).get("AWSTraceHeader", "")
                answer = self.invoke(name, {"Records": [record]}, trace)
                if answer is not None and not answer.get("batchItemFailures"):
                    self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            if not got.get("Messages"):
                time.sleep(0.05)

    def events(self, name: str) -> list[Event]:
        """Its log."""
        pages = self.logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{name}"
        )
        return [Event(each["timestamp"], each["message"]) for page in pages
                for each in page["events"]]  # fmt: skip


def history(days: int, end_ms: int, *, dump: int = 0) -> Iterator[Event]:
    """Reports of days before: one a minute, or so many within a minute each quarter of an hour."""
    step_ms = 900_000 if dump else 60_000
    number = 0
    for at_ms in range(end_ms - days * 86_400_000, end_ms, step_ms):
        for place in range(dump or 1):
            number += 1
            [*_, report] = Invocation(number, duration="20.00", billed_ms=20).text_events()
            yield Event(at_ms + place * 1000 + number * 7919 % 997, report.message)


def write_log(path: Path, events: list[Event]) -> Path:
    """As CloudWatch exports it."""
    ordered = sorted(events, key=lambda each: each.at_ms)
    path.write_bytes(forms.exported(ordered))
    return path


def in_threads(*jobs: Any) -> None:
    """Run all of them to their ends."""
    threads = [threading.Thread(target=each, daemon=True) for each in jobs]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
