"""S3, SQS, DynamoDB, CloudWatch Logs, IAM and the rest: moto, in its own process.

It shares nothing with the process that keeps time, so a busy service doesn't lengthen an
invocation. It listens on a Unix socket in a private folder, which only this endpoint reaches.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import json
import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from tuner.errors import LocalError
from tuner.local.child_process import end_child, killed_after
from tuner.local.http.endpoint import UnixConnection
from tuner.model.optional_import import install_command
from tuner.model.record import read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tuner.iac import TemplateResource
    from tuner.local.execution.invocation_log import LogEvent

START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 5.0
READY: Final = "ready\n"
"""What the process prints when it answers."""
_S3: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
_MAX_SAID: Final = 300
_NEEDED: Final = ("moto", "flask", "flask_cors")


def not_installed() -> str | None:
    """Say what the emulated services lack here and how to get it; None if nothing."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    return (
        f"{', '.join(missing)} is not installed, which S3, SQS, DynamoDB and logs need: "
        f"{install_command('local')}"
    )


class EmulatedServices:
    """Their process. It starts right away; call `wait_ready` before the first request.

    What it needs must be installed: see `not_installed`.
    """

    def __init__(self, folder: Path, *, account_id: str, region: str, port: int) -> None:
        """`port` is the endpoint's, which reaches them: where a state machine's own calls go."""
        self.socket_path = folder / "services.sock"
        self.requests = ServiceRequests(self.socket_path, region)
        self._log_path = folder / "services.log"
        self._lock = threading.Lock()
        command = [sys.executable, "-m", "tuner.local.moto_server", str(self.socket_path)]
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [*command, account_id, region],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**_environment(folder), "MOTO_PORT": str(port)},
                cwd=folder,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Wait until requests are answered; raises LocalError if the process ends instead."""
        with killed_after(self._process, START_TIMEOUT_S) as output:
            line = output.readline()
        if line.decode() != READY:
            said = self._log_path.read_text(errors="replace").strip() or "it said nothing"
            last_words = said.splitlines()[-1]
            raise LocalError(f"the emulated services (moto) did not start: {last_words}")

    def keep_log(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """Send log lines to CloudWatch Logs; drop them if nothing listens any more."""
        batch = {
            "group": group,
            "stream": stream,
            "events": [{"timestamp": e.timestamp_ms, "message": e.message} for e in events],
        }
        line = json.dumps(batch, separators=(",", ":")).encode() + b"\n"
        pipe = self._process.stdin
        with self._lock, contextlib.suppress(OSError, ValueError):
            assert pipe is not None
            pipe.write(line)
            pipe.flush()

    def close(self) -> None:
        """End the process: its standard input closes, and it's killed if it doesn't end."""
        end_child(self._process, STOP_TIMEOUT_S)


def _environment(folder: Path) -> dict[str, str]:
    """None of the caller's variables: no credentials, no AWS or moto configuration."""
    return {
        "PYTHONPATH": ":".join(part for part in sys.path if part),
        "PYTHONUTF8": "1",
        "TMPDIR": str(folder),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true",
    }


@dataclass(frozen=True, slots=True)
class ServiceRequests:
    """Sends the services what AWS's clients would, over a Unix socket, without loading boto3."""

    socket_path: Path
    region: str

    def read(self, bucket: str, key: str, version: str | None, max_bytes: int) -> bytes:
        """Return an object's bytes; raises LocalError if it doesn't exist or is too large."""
        query = f"?{urlencode({'versionId': version})}" if version else ""
        path = f"/{quote(bucket, safe='')}/{quote(key)}{query}"
        try:
            status, body = self._exchange("s3", "GET", path, headers={}, max_bytes=max_bytes + 1)
        except LocalError as error:
            raise _no_object("ServiceUnavailable", str(error)) from None
        if status != 200:
            raise _no_object(_element(body, "Code"), _element(body, "Message"))
        if len(body) > max_bytes:
            raise _no_object("EntityTooLarge", f"the object is over {max_bytes} bytes")
        return body

    def make(self, resource: TemplateResource) -> None:
        """Create a template's resource, empty; raises LocalError with the service's message."""
        makers: Mapping[str, Callable[[TemplateResource], None]] = {
            "AWS::DynamoDB::Table": self._table,
            "AWS::Kinesis::Stream": self._stream,
            "AWS::S3::Bucket": self._bucket,
            "AWS::SNS::Topic": self._topic,
            "AWS::SQS::Queue": self._queue,
            "AWS::Serverless::SimpleTable": self._simple_table,
        }
        makers[resource.type](resource)

    def _bucket(self, resource: TemplateResource) -> None:
        path = f"/{quote(resource.name, safe='')}"
        where = f"<LocationConstraint>{self.region}</LocationConstraint>"
        body = f'<CreateBucketConfiguration xmlns="{_S3}">{where}</CreateBucketConfiguration>'
        # S3 takes no location for its first region.
        self._send("s3", "PUT", path, "" if self.region == "us-east-1" else body)
        versioning = resource.properties.get("VersioningConfiguration", {})
        if versioning.get("Status") == "Enabled":
            body = f'<VersioningConfiguration xmlns="{_S3}"><Status>Enabled</Status>'
            self._send("s3", "PUT", f"{path}?versioning", f"{body}</VersioningConfiguration>")

    def _queue(self, resource: TemplateResource) -> None:
        request = {"QueueName": resource.name, "Attributes": dict(resource.properties)}
        self._send_json("sqs", "AmazonSQS.CreateQueue", request)

    def _table(self, resource: TemplateResource) -> None:
        request = {"TableName": resource.name, **_with_numbers(resource.properties)}
        if "ProvisionedThroughput" not in request:
            request["BillingMode"] = "PAY_PER_REQUEST"
        self._send_json("dynamodb", "DynamoDB_20120810.CreateTable", request)

    def _simple_table(self, resource: TemplateResource) -> None:
        key = resource.properties.get("PrimaryKey", {})
        name, kind = key.get("Name", "id"), str(key.get("Type", "String"))
        request = {
            "TableName": resource.name,
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind[:1]}],
            "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        self._send_json("dynamodb", "DynamoDB_20120810.CreateTable", request)

    def _stream(self, resource: TemplateResource) -> None:
        request: dict[str, Any] = {"StreamName": resource.name, **resource.properties}
        mode = request.get("StreamModeDetails") or {}
        if "ShardCount" in request or mode.get("StreamMode") != "ON_DEMAND":
            request["ShardCount"] = int(request.get("ShardCount", 1))
        self._send_json("kinesis", "Kinesis_20131202.CreateStream", request)

    def _topic(self, resource: TemplateResource) -> None:
        request = {"Action": "CreateTopic", "Version": "2010-03-31", "Name": resource.name}
        for number, (name, value) in enumerate(resource.properties.items(), start=1):
            request |= {f"Attributes.entry.{number}.key": name}
            request |= {f"Attributes.entry.{number}.value": value}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self._send("sns", "POST", "/", urlencode(request), form)

    def _send_json(self, service: str, target: str, request: Mapping[str, Any]) -> None:
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target}
        self._send(service, "POST", "/", json.dumps(request), headers)

    def _send(
        self,
        service: str,
        method: str,
        path: str,
        body: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        status, said = self._exchange(service, method, path, body=body, headers=headers or {})
        if status != 200:
            raise LocalError(_message(said))

    def _exchange(
        self,
        service: str,
        method: str,
        path: str,
        *,
        body: str = "",
        headers: Mapping[str, str],
        max_bytes: int | None = None,
    ) -> tuple[int, bytes]:
        # moto takes any signature; its scope says which service and region are meant.
        scope = f"local/20260101/{self.region}/{service}/aws4_request"
        signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        connection = UnixConnection(str(self.socket_path))
        try:
            connection.request(method, path, body, {"Authorization": signed, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read(max_bytes)
        except (OSError, http.client.HTTPException):
            raise LocalError(f"{service} does not answer") from None
        finally:
            connection.close()


def _with_numbers(value: Any) -> Any:
    """Write capacity units as numbers, as DynamoDB's API requires and templates may not."""
    if isinstance(value, list):
        return [_with_numbers(each) for each in value]
    if not hasattr(value, "items"):
        return value
    return {
        name: int(each)
        if name.endswith("CapacityUnits") and str(each).isdecimal()
        else _with_numbers(each)
        for name, each in value.items()
    }


def _no_object(code: str, message: str) -> LocalError:
    return LocalError(
        f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"
    )


def _message(said: bytes) -> str:
    """The service's message, from its JSON or XML, as one line."""
    text = said.decode(errors="replace")
    if (found := read_object(text)) is not None:
        text = str(found.get("message") or found.get("Message") or text)
    else:
        text = _element(said, "Message", text)
    return " ".join(text.split())[:_MAX_SAID] or "the service refused it"


def _element(body: bytes, name: str, without: str = "unknown") -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", body.decode("utf-8", "replace"))
    return found[1] if found else without
