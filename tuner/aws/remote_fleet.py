"""What a fleet on Step Functions uses: a bucket, and executions of a state machine."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, cast

from botocore.exceptions import ClientError
from botocore.handlers import add_expect_header

from tuner.aws.connection_errors import Request
from tuner.fleet.remote import ExecutionState, ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.aws.services import Services

_ABSENT: Final = {"NoSuchKey", "404"}
_RUNNING: Final = ("PENDING_REDRIVE", "RUNNING")
_NOT_SO: Final = {"PreconditionFailed", "ConditionalRequestConflict"}


class BucketObjects:
    """Reads and writes objects of a bucket of the caller's own account."""

    def __init__(self, services: Services, bucket: str) -> None:
        self._services = services
        self._bucket = bucket
        # What is written is small: asking first whether it may be sent costs a round trip each.
        services.client("s3").meta.events.unregister("before-call.s3", add_expect_header)

    def read(self, key: str) -> bytes | None:
        """An object; None where there is none. Raises AwsError."""
        with self._services.session.translating(Request("GetObject", purpose="fleet")):
            try:
                answer = self._services.client("s3").get_object(Bucket=self._bucket, Key=key)
                data: bytes = answer["Body"].read()
            except ClientError as error:
                if error.response["Error"]["Code"] in _ABSENT:
                    return None
                raise
            return data

    def write(self, key: str, data: bytes) -> None:
        """Write an object whole. Raises AwsError."""
        self._services.ask("s3", "PutObject", Bucket=self._bucket, Key=key, Body=data)

    def claim(self, key: str, data: bytes, instead_of: bytes | None) -> bool:
        """Write an object if it's still `instead_of` (None: absent); False if it isn't."""
        if instead_of is None:
            condition = {"IfNoneMatch": "*"}
        else:  # the ETag of an object written in one part, without a key of KMS
            etag = hashlib.md5(instead_of, usedforsecurity=False).hexdigest()
            condition = {"IfMatch": f'"{etag}"'}
        with self._services.session.translating(Request("PutObject", purpose="fleet")):
            try:
                self._services.client("s3").put_object(
                    Bucket=self._bucket, Key=key, Body=data, **condition
                )
            except ClientError as error:
                if error.response["Error"]["Code"] in _NOT_SO | _ABSENT:
                    return False
                raise
            return True

    def delete(self, key: str) -> None:
        """Delete an object, if it's there. Raises AwsError."""
        self._services.ask("s3", "DeleteObject", Bucket=self._bucket, Key=key)

    def keys(self, prefix: str) -> Iterator[str]:
        """All that begin with it. Raises AwsError."""
        listed = self._services.listed("s3", "ListObjectsV2", Bucket=self._bucket, Prefix=prefix)
        return (each["Key"] for each in listed)


class MapExecutions:
    """Starts executions of a state machine with a map, and says where they are."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def start(self, state_machine: str, name: str, document: str) -> str:
        """Start one, once for a name; return its ARN. Raises AwsError."""
        answer = self._services.ask(
            "stepfunctions",
            "StartExecution",
            stateMachineArn=state_machine,
            name=name,
            input=document,
        )
        return str(answer["executionArn"])

    def state(self, execution: str) -> ExecutionState:
        """Where it is. Raises AwsError."""
        answer = self._services.ask("stepfunctions", "DescribeExecution", executionArn=execution)
        status = answer["status"]
        named = "running" if status in _RUNNING else status.lower()
        reason = answer.get("cause") or answer.get("error")
        return ExecutionState(cast("ExecutionStatus", named), self._running(execution), reason)

    def stop(self, execution: str) -> None:
        """Start nothing more of it. Raises AwsError."""
        self._services.ask("stepfunctions", "StopExecution", executionArn=execution)

    def redrive(self, execution: str) -> None:
        """Go on with one that was stopped or failed as a whole. Raises AwsError."""
        self._services.ask("stepfunctions", "RedriveExecution", executionArn=execution)

    def _running(self, execution: str) -> int:
        """Items that workers have, by the counts of its map runs."""
        runs = self._services.ask("stepfunctions", "ListMapRuns", executionArn=execution)
        count = 0
        for each in runs["mapRuns"]:
            run = self._services.ask("stepfunctions", "DescribeMapRun", mapRunArn=each["mapRunArn"])
            count += run["itemCounts"]["running"]
        return count
