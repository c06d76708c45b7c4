"""The function's shareable test events, as the console and the SAM CLI keep them.

They are the examples of one OpenAPI document, the schema `_<function>-schema` of the registry
`lambda-testevent-schemas` of EventBridge Schemas ("Testing Lambda functions in the console",
"Creating shareable test events", in AWS's developer guide).
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tuner.aws.place import Request
from tuner.aws.reference import EVENT_REGISTRY
from tuner.errors import AwsError

if TYPE_CHECKING:
    from tuner.aws.control import ControlPlane
    from tuner.aws.reference import FunctionRef
    from tuner.aws.session import Session


def read_events(session: Session, control: ControlPlane, function: FunctionRef) -> dict[str, bytes]:
    """Return the events by their names, as JSON; nothing where the function has none.

    Raises AwsError, also for a document that cannot be read.
    """
    options = {"connect_timeout": 2, "read_timeout": 10, "retries": {"total_max_attempts": 2}}
    with (
        control.asking(Request("DescribeSchema", function)),
        closing(session.client("schemas", **options)) as client,
    ):
        try:
            answer = client.describe_schema(
                RegistryName=EVENT_REGISTRY, SchemaName=function.event_schema
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NotFoundException":
                return {}
            raise
    return _examples(str(answer.get("Content", "")), function)


def _examples(content: str, function: FunctionRef) -> dict[str, bytes]:
    try:
        document: Any = json.loads(content)
        examples = document["components"].get("examples", {})
        values = {str(name): example["value"] for name, example in examples.items()}
        return {
            name: json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
            for name, value in values.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise AwsError(
            f"the shareable test events of {function.name} (schema {function.event_schema} in the "
            f"registry {EVENT_REGISTRY}) are not as Lambda keeps them: save one in the console"
        ) from None
