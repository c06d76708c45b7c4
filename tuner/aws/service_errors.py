"""Every refusal by AWS, its endpoint or botocore, as one line that says what to do.

AWS's own words are quoted only if they say more than the code does, and then on one line, without
control characters, account ids and key ids.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from tuner.aws.connection_errors import Connection, Request, connection_error, plain
from tuner.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    CredentialsError,
    FunctionNotFoundError,
    MemoryCapError,
    ThrottledError,
    TunerError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.aws.function_ref import FunctionRef

_DENIED_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z0-9]+)")
# AWS: "Troubleshoot access denied error messages" in the IAM user guide. Either "because no
# identity-based policy allows the … action" or "with an explicit deny in a service control policy".
_DENIED_REASON = re.compile(
    r"because (no [a-z-]+(?: [a-z-]+)* allows)\b|with (an explicit deny in an? [a-z -]+)",
    re.IGNORECASE,
)
_MEMORY_CAP = re.compile(
    r"memory_?size\b.*\bless than or equal to (\d+)", re.IGNORECASE | re.DOTALL
)

MALFORMED = (ResponseParserError, AttributeError, KeyError, RecursionError, TypeError, ValueError)
"""What a reply in the wrong shape raises, in botocore or where it's read."""
REFUSALS = (ClientError, BotoCoreError, *MALFORMED)
"""Everything that sending a request can raise."""

EXPIRED = frozenset(
    ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
)
"""Codes for expired credentials; nothing was done then."""
_UNKNOWN_KEYS = frozenset(
    ("InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken", "MissingAuthenticationToken",
     "MissingAuthenticationTokenException", "AuthFailure", "UnrecognizedClientException")
)  # fmt: skip
# Their messages may have the signed headers with the session token: never quoted.
_BAD_SIGNATURE = frozenset(
    ("IncompleteSignature", "IncompleteSignatureException", "InvalidSignature",
     "InvalidSignatureException", "SignatureDoesNotMatch")
)  # fmt: skip
_DENIED = frozenset(
    ("AccessDenied", "AccessDeniedException", "ForbiddenException", "UnauthorizedOperation")
)
_THROTTLED = frozenset(
    ("EC2ThrottledException", "RequestLimitExceeded", "RequestThrottled",
     "RequestThrottledException", "SlowDown", "Throttling", "ThrottlingException",
     "ThrottledException", "TooManyRequestsException")
)  # fmt: skip
_SERVICES: Final = {
    "cloudformation": "ListStackResources",
    "cloudtrail": "LookupEvents",
    "cloudwatch": "GetMetricData GetMetricStatistics ListMetrics",
    "codedeploy": "GetDeploymentGroup",
    "compute-optimizer": "GetLambdaFunctionRecommendations",
    "logs": "DescribeLogGroups FilterLogEvents GetQueryResults StartQuery",
    "s3": "GetObject PutObject",
    "schemas": "DescribeSchema",
    "states": "DescribeExecution DescribeMapRun DescribeStateMachine GetExecutionHistory"
    " ListExecutions ListMapRuns RedriveExecution StartExecution StopExecution",
    "tag": "GetResources",
}
_IAM_ACTIONS: Final = {"Invoke": "lambda:InvokeFunction", "ListObjectsV2": "s3:ListBucket"} | {
    each: f"{service}:{each}" for service, names in _SERVICES.items() for each in names.split()
}


_KINDS: dict[str, tuple[type, ...]] = {
    "boolean": (bool,), "double": (int, float), "float": (int, float), "integer": (int,),
    "list": (list,), "long": (int,), "map": (dict,), "string": (str,), "structure": (dict,),
}  # fmt: skip


class UpdateInProgressError(ConflictError):
    """An update or the creation of the function is still in progress: wait and ask again."""


def refused(error: Exception, connection: Connection, request: Request | None = None) -> TunerError:
    """Return the error to raise for a botocore exception (never raises itself)."""
    if isinstance(error, ClientError):
        response: Mapping[str, Any] = error.response
        request = request or Request(error.operation_name)
        return _refused_by_service(response, connection, request)
    if isinstance(error, MALFORMED) and not isinstance(error, BotoCoreError):
        return _malformed(error, connection, request)
    return connection_error(error, connection, request)


class MalformedReplyError(AwsError):
    """A reply doesn't have the shape that the API defines."""


def _malformed(
    error: Exception, connection: Connection, request: Request | None
) -> MalformedReplyError:
    what = request.operation if request else "a request"
    name = f" of {request.function.name}" if request and request.function else ""
    where = (
        f"is {connection.endpoint_url} a Lambda endpoint? Check `endpoint_url`"
        if connection.endpoint_url
        else "try again, or update boto3"
    )
    why = plain(error) if isinstance(error, ShapeError) else type(error).__name__
    return MalformedReplyError(f"the answer to {what}{name} can't be read ({why}): {where}")


_DECODED: Final = "policyDocumentType"
"""IAM's policies: a text in the API, which botocore decodes."""


class ShapeError(ValueError):
    """A part of a reply has a type other than the API's."""


def check_shapes(client: Any) -> None:
    """Check every reply of a client against its API before anything reads it."""
    client.meta.events.register("after-call", _check_reply)


def _check_reply(*, parsed: Any, model: Any, http_response: Any, **_: object) -> None:
    if http_response.status_code < 300 and model.output_shape is not None:
        _check_shape(parsed, model.output_shape, "the answer")


def _check_shape(given: Any, shape: Any, name: str) -> None:
    """Raise ShapeError for the first part of another type; botocore accepts any."""
    kinds = _KINDS.get(shape.type_name)
    if given is None or kinds is None or shape.name == _DECODED:
        return
    if not issubclass(type(given), kinds):
        raise ShapeError(f"{name} is not a {shape.type_name}")
    if shape.type_name == "structure":
        for key, part in shape.members.items():
            _check_shape(given.get(key), part, key)
    elif shape.type_name == "list":
        for each in given:
            _check_shape(each, shape.member, f"a part of {name}")
    elif shape.type_name == "map":
        for each in given.values():
            _check_shape(each, shape.value, f"a part of {name}")


def was_retried(error: BaseException | None) -> bool:
    """Whether the SDK sent the refused request more than once: the first may have taken effect."""
    if not isinstance(error, ClientError):
        return False
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts"))


def is_invalid_value(error: BaseException | None) -> bool:
    """Whether a value was refused as such: sent again, it would be refused again."""
    if not isinstance(error, ClientError):
        return False
    return error.response.get("Error", {}).get("Code") == "InvalidParameterValueException"


def _refused_by_service(
    response: Mapping[str, Any], connection: Connection, request: Request
) -> TunerError:
    code = str(response.get("Error", {}).get("Code", ""))
    message = str(response.get("Error", {}).get("Message", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in EXPIRED | _UNKNOWN_KEYS | _BAD_SIGNATURE:
        return _bad_credentials(code, connection)
    if code in _DENIED or (status == 403 and not message):
        return _denied(message, connection, request)
    if code in _THROTTLED or status == 429:
        return _throttled(response, code, request)
    return _refused_change(code, message, connection, request) or _other(
        code, message, status, connection, request
    )


def _refused_change(
    code: str, message: str, connection: Connection, request: Request
) -> AwsError | None:
    if code == "ResourceNotFoundException" and request.function is not None:
        return _not_found(request.function, connection, request)
    if code in ("PreconditionFailedException", "ResourceConflictException"):
        return _conflict(code, message, request)
    cap = _MEMORY_CAP.search(message)
    if cap and code in ("InvalidParameterValueException", "ValidationException"):
        return _capped(int(cap[1]), message, connection, request)
    if code == "InvalidParameterValueException" and "CodeSHA256" in message:
        return _moved(request, "its code")
    return None


def _bad_credentials(code: str, connection: Connection) -> CredentialsError:
    if code in EXPIRED:
        return CredentialsError(
            f"the AWS credentials have expired ({code}): run "
            f"`aws sso login{connection.profile_option}` or get new ones from the same place"
        )
    if code in _BAD_SIGNATURE:
        return CredentialsError(
            f"AWS refused the signature ({code}): check the secret access key and this machine's "
            "clock"
        )
    return CredentialsError(
        f"AWS does not know these credentials in {connection.text} ({code}): check `profile`, or "
        "AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, and that the region is enabled for the account"
    )


def _denied(message: str, connection: Connection, request: Request) -> AccessDeniedError:
    named = _DENIED_ACTION.search(message)
    default = _IAM_ACTIONS.get(request.operation, f"lambda:{request.operation}")
    action = named[1] if named else default
    name = request.function.name if request.function else None
    reason = _DENIED_REASON.search(message)
    why = plain(reason[1] + " it" if reason[1] else reason[2]) if reason else None
    if reason and reason[2]:
        advice = "ask whoever set it to lift it"
    elif action in (default, *_IAM_ACTIONS.values()):
        asked = f"`tuner iam-policy {name or 'FUNCTION'}`"
        if request.purpose:  # one that reads may be for every function
            whose = asked if request.purpose in {"apply", "stop"} else "`tuner iam-policy`"
            asked = f"{whose} (`purpose={request.purpose}`)"
        advice = f"{asked} prints the least policy"
    else:  # a key or role that it needs, which isn't in the policy
        advice = f"allow it for these credentials ({request.operation} needs it)"
    return AccessDeniedError(
        f"access denied: {action}{f' on function {name}' if name else ''} in {connection.text} "
        f"is not allowed{f' ({why})' if why else ''}: {advice}",
        action=action,
    )


def _throttled(response: Mapping[str, Any], code: str, request: Request) -> ThrottledError:
    reason = str(response.get("Reason") or code or "429")
    return ThrottledError(
        f"{request.operation} was throttled ({plain(reason)}): wait, or lower `concurrency`",
        reason=plain(reason),
        retry_after_s=_retry_after_s(response),
    )


def _retry_after_s(response: Mapping[str, Any]) -> float | None:
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    given = response.get("retryAfterSeconds") or headers.get("retry-after")
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        return None  # absent, or an HTTP date, which Lambda doesn't send
    return seconds if 0 <= seconds < float("inf") else None


def _not_found(
    function: FunctionRef, connection: Connection, request: Request
) -> FunctionNotFoundError:
    if request.qualifier is not None:
        return FunctionNotFoundError(
            f"no version or alias {request.qualifier} of function {function.name} in "
            f"{connection.text}: `aws lambda list-aliases --function-name {function.name}` lists "
            "the aliases"
        )
    endpoint = f" --endpoint-url {connection.endpoint_url}" if connection.endpoint_url else ""
    return FunctionNotFoundError(
        f"no function {function.name} in {connection.text}: check `region` and `profile`, or see "
        f"`aws lambda list-functions --region {connection.region}"
        f"{connection.profile_option}{endpoint}`"
    )


def _conflict(code: str, message: str, request: Request) -> ConflictError:
    if code == "PreconditionFailedException":
        return _moved(request, "its RevisionId")
    name = request.function.name if request.function else "the function"
    if "in progress" in message or "state: Pending" in message:
        return UpdateInProgressError(
            f"{name} is being updated ({plain(message)}): run again when that is done"
        )
    return ConflictError(f"{request.operation} of {name} was refused: {plain(message)}")


def _moved(request: Request, what: str) -> ConflictError:
    name = request.function.name if request.function else "the function"
    return ConflictError(
        f"somebody else changed {name} in the meantime ({what} has moved), so "
        f"{request.operation} was not done: run again when deployments are over"
    )


def _capped(cap_mb: int, message: str, connection: Connection, request: Request) -> MemoryCapError:
    asked = f" (asked: {request.memory_mb} MB)" if request.memory_mb else ""
    advice = (
        f"it says: {plain(message)}"
        if connection.endpoint_url
        else "or ask AWS Support to raise the account's limit"
    )
    return MemoryCapError(
        f"at most {cap_mb} MB of memory are allowed in {connection.text}{asked}: use "
        f"`max_memory_mb={cap_mb}`; {advice}",
        max_memory_mb=cap_mb,
    )


def _other(
    code: str, message: str, status: object, connection: Connection, request: Request
) -> AwsError:
    name = f" of {request.function.name}" if request.function else ""
    if connection.endpoint_url and (not code or code == str(status)):
        return AwsError(
            f"{request.operation}{name} got status {status}, but not in Lambda's form: is "
            f"{connection.endpoint_url} a Lambda endpoint? Check `endpoint_url`"
        )
    said = plain(message) or "no reason given"
    return AwsError(f"{request.operation}{name} was refused ({plain(code)}): {said}")
