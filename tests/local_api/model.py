"""Holds raw replies against botocore's own service model: keys, types, enumerations, bounds."""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any

import botocore.session

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

# What AWS answers although the model names no such exception.
UNMODELLED = {
    "ValidationException": 400,
    "SerializationException": 400,
    "AccessDeniedException": 403,
    "RequestEntityTooLargeException": 413,
    "InvalidRequestContentException": 400,
    "UnknownOperationException": 404,
}
UNMODELLED_VALUES = {"LastUpdateStatusReasonCode": {"Creating"}}
MAY_LACK_TYPE = {"InvalidParameterValueException"}


@functools.cache
def service_model() -> Any:
    return botocore.session.get_session().get_service_model("lambda")


def check_reply(operation: OperationModel, reply: dict[str, Any]) -> None:
    """Fail with every deviation of one HTTP reply from the operation's model."""
    problems = (
        list(_error_problems(operation, reply))
        if reply["status_code"] >= 300
        else list(_result_problems(operation, reply))
    )
    assert not problems, f"{operation.name}: {problems}"


def _result_problems(operation: OperationModel, reply: dict[str, Any]):
    expected = {operation.http.get("responseCode", 200)}
    if operation.name in ("Invoke", "DeleteFunction"):
        expected |= {202, 204}
    if reply["status_code"] not in expected:
        yield f"status {reply['status_code']}, not {expected}"
    shape = operation.output_shape
    body = reply["body"]
    if shape is None or operation.name == "Invoke":
        return
    if reply["status_code"] == 204:
        if body:
            yield "a body with 204"
        return
    if operation.name == "GetFunctionCodeSigningConfig" and json.loads(body) == {}:
        return  # none set: Lambda leaves out members that its own model requires
    yield from problems_of(json.loads(body), shape, operation.name)


def _error_problems(operation: OperationModel, reply: dict[str, Any]):
    code = reply["headers"].get("x-amzn-errortype")
    body = json.loads(reply["body"])
    modelled = {shape.name: shape for shape in operation.error_shapes}
    if code in modelled:
        shape = modelled[code]
        if reply["status_code"] != shape.metadata["error"]["httpStatusCode"]:
            yield f"{code} with status {reply['status_code']}"
        yield from problems_of(body, shape, code)
        if "Type" not in body and code not in MAY_LACK_TYPE:
            yield f"{code} without Type"
    elif UNMODELLED.get(code) != reply["status_code"]:
        yield f"{code} with status {reply['status_code']} is not an error of this operation"
    if not (body.get("message") or body.get("Message")):
        yield f"{code} without a message"


def problems_of(value: Any, shape: Shape, where: str):
    """Every way in which a JSON value is not what its shape says."""
    check = {
        "structure": _structure,
        "list": _list,
        "map": _map,
        "string": _string,
        "integer": _number,
        "long": _number,
        "float": _number,
        "double": _number,
        "timestamp": _number,
        "boolean": lambda v, s, w: [] if isinstance(v, bool) else [f"{w}: not a boolean"],
    }[shape.type_name]
    yield from check(value, shape, where)


def _structure(value: Any, shape: Any, where: str):
    if not isinstance(value, dict):
        yield f"{where}: not an object"
        return
    in_body = {
        member.serialization.get("name", name): member
        for name, member in shape.members.items()
        if member.serialization.get("location") is None
    }
    for name in value:
        if name not in in_body:
            yield f"{where}: unknown member {name}"
    for name in shape.required_members:
        if name not in value:
            yield f"{where}: {name} is missing"
    for name, member in value.items():
        if name in in_body:
            yield from problems_of(member, in_body[name], f"{where}.{name}")


def _list(value: Any, shape: Any, where: str):
    if not isinstance(value, list):
        yield f"{where}: not a list"
        return
    for number, item in enumerate(value):
        yield from problems_of(item, shape.member, f"{where}[{number}]")


def _map(value: Any, shape: Any, where: str):
    if not isinstance(value, dict):
        yield f"{where}: not a map"
        return
    for name, item in value.items():
        yield from problems_of(item, shape.value, f"{where}[{name}]")


def _string(value: Any, shape: Any, where: str):
    if not isinstance(value, str):
        yield f"{where}: not a string"
        return
    modelled = {*shape.metadata.get("enum", ()), *UNMODELLED_VALUES.get(shape.name, ())}
    if shape.metadata.get("enum") and value not in modelled:
        yield f"{where}: {value} is not in the enumeration"
    pattern = shape.metadata.get("pattern")
    if pattern and "\\p{" not in pattern and not re.fullmatch(pattern, value):
        yield f"{where}: {value} does not match {pattern}"
    yield from _bounds(len(value), shape, where)


def _number(value: Any, shape: Any, where: str):
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield f"{where}: not a number"
        return
    yield from _bounds(value, shape, where)


def _bounds(size: float, shape: Any, where: str):
    if size < shape.metadata.get("min", size) or size > shape.metadata.get("max", size):
        yield f"{where}: {size} is out of bounds"
