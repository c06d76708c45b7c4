"""Makes a template's buckets, queues, tables and topics in the neighbours, empty.

The requests are those that AWS's clients would send; nothing of boto3 is loaded for them.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from tuner.errors import LocalError
from tuner.local.http.proxy import UnixConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tuner.iac import TemplateResource

_S3: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
_MAX_SAID: Final = 300


@dataclass(frozen=True, slots=True)
class ResourceMaker:
    """Sends requests to the neighbours' Unix socket."""

    socket_path: Path
    region: str

    def make(self, resource: TemplateResource) -> None:
        """Make one; raises LocalError with what the service says against it."""
        makers: Mapping[str, Callable[[TemplateResource], None]] = {
            "AWS::DynamoDB::Table": self._table,
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
        # moto takes any signature; its scope says which service and region are meant.
        scope = f"local/20260101/{self.region}/{service}/aws4_request"
        signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        connection = UnixConnection(str(self.socket_path))
        try:
            connection.request(method, path, body, {"Authorization": signed, **(headers or {})})
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            raise LocalError(f"{service} does not answer") from None
        finally:
            connection.close()
        if answer.status != 200:
            raise LocalError(_message(said))


def _with_numbers(value: Any) -> Any:
    """Write capacity units as numbers, as DynamoDB's API has them and templates need not."""
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


def _message(said: bytes) -> str:
    """What the service says, from its JSON or its XML, as one line."""
    text = said.decode(errors="replace")
    try:
        found = json.loads(text)
        text = str(found.get("message") or found.get("Message") or text)
    except (ValueError, AttributeError):
        _, opened, rest = text.partition("<Message>")
        text = rest.partition("</Message>")[0] if opened else text
    return " ".join(text.split())[:_MAX_SAID] or "the service refused it"
