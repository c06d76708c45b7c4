"""Packages for the replayed invocations, by runtime: what each does is in its name."""

from __future__ import annotations

import io
import zipfile
from typing import Final

ECHO: Final = {
    "python": "def handler(event, context):\n    return event\n",
    "nodejs": "exports.handler = async (event) => event;\n",
    "provided": "return event",
}
INTROSPECT: Final = {
    "python": """
import os
def handler(event, context):
    names = ("function_name", "function_version", "invoked_function_arn", "memory_limit_in_mb",
             "aws_request_id", "log_group_name", "log_stream_name")
    told = {name: getattr(context, name) for name in names}
    told["remaining_time_in_millis"] = context.get_remaining_time_in_millis()
    return {"environment": dict(os.environ), "ctx": told, "packages": []}
""",
    "nodejs": """
exports.handler = async (event, context) => ({
  environment: process.env,
  ctx: {
    function_name: context.functionName,
    function_version: context.functionVersion,
    invoked_function_arn: context.invokedFunctionArn,
    memory_limit_in_mb: context.memory_limit_in_mb,
    aws_request_id: context.awsRequestId,
    log_group_name: context.logGroupName,
    log_stream_name: context.logStreamName,
    remaining_time_in_millis: context.getRemainingTimeInMillis(),
  },
  packages: [],
});
""",
    "provided": """
    given = open("/proc/self/environ").read().rstrip("\\0").split("\\0")
    variables = dict(each.split("=", 1) for each in given)
    variables["_X_AMZN_TRACE_ID"] = head["Lambda-Runtime-Trace-Id"]
    told = {
        "aws_request_id": head["Lambda-Runtime-Aws-Request-Id"],
        "deadline": int(head["Lambda-Runtime-Deadline-Ms"]),
        "invoked_function_arn": head["Lambda-Runtime-Invoked-Function-Arn"],
        "function_name": variables["AWS_LAMBDA_FUNCTION_NAME"],
        "function_version": variables["AWS_LAMBDA_FUNCTION_VERSION"],
        "log_group_name": variables["AWS_LAMBDA_LOG_GROUP_NAME"],
        "log_stream_name": variables["AWS_LAMBDA_LOG_STREAM_NAME"],
        "memory_limit_in_mb": int(variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
    }
    return {"environment": variables, "ctx": told, "packages": []}""",
}
FAIL: Final = {
    "python": "def handler(event, _):\n    raise Exception(f\"Failed: {event['error_msg']}\")\n",
    "nodejs": 'exports.handler = async (e) => { throw new Error("Error: " + e.error_msg) };\n',
    "provided": "raise OSError(event['error_msg'])",
}
_BOOTSTRAP: Final = """#!/usr/bin/env python3
import json, os
from http.client import HTTPConnection
api = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
root = "/2018-06-01/runtime/invocation"
def handle(event, head):
    {handle}
while True:
    api.request("GET", f"{{root}}/next")
    head = api.getresponse()
    event, told = json.loads(head.read()), {{}}
    try:
        kind, answer = "response", handle(event, head.headers)
    except OSError as error:
        kind, answer = "error", {{"errorType": {error_type!r}, "errorMessage": {message}}}
        told = {{"Lambda-Runtime-Function-Error-Type": "Own.Error"}}
    id = head.headers["Lambda-Runtime-Aws-Request-Id"]
    api.request("POST", f"{{root}}/{{id}}/{{kind}}", json.dumps(answer), told)
    api.getresponse().read()
"""
WRAPPER: Final = '#!/bin/sh\nexport WRAPPER_VAR=test-value\nexec "$@"\n'
LOOK_AROUND: Final = """
import getpass, os, pathlib, platform, stat, subprocess
def handler(event, context):
    paths = {}
    for name in filter(os.path.exists, ("/var/task", "/opt", "/tmp", "/lambda-entrypoint.sh")):
        found, label = os.stat(name), name.replace("/", "_")
        paths[f"{label}_mode"] = stat.filemode(found.st_mode)
        paths[f"{label}_uid"], paths[f"{label}_gid"] = found.st_uid, found.st_gid
        paths[f"{label}_owner"] = pathlib.Path(name).owner()
    return {
        "event": event, "user_login_name": getpass.getuser(),
        "user_whoami": subprocess.getoutput("whoami"), "platform_system": platform.system(),
        "platform_machine": platform.machine(), "pwd": os.getcwd(), "paths": paths,
    }
"""
LIMITS: Final = """
import resource
NAMES = "AS CORE CPU DATA FSIZE MEMLOCK NOFILE NPROC RSS STACK".split()
def handler(event, context):
    limits = {f"RLIMIT_{name}": getattr(resource, f"RLIMIT_{name}") for name in NAMES}
    return {name: resource.getrlimit(limit) for name, limit in limits.items()}
"""
TALK: Final = """
import logging
logging.getLogger().setLevel(logging.INFO)
def handler(event, context):
    print("Lambda log message - print function")
    logging.info("Lambda log message - logging module")
    names = ("invoked_function_arn", "function_version", "function_name", "memory_limit_in_mb",
             "aws_request_id", "log_group_name", "log_stream_name", "client_context")
    return {"event": event, "context": {name: getattr(context, name) for name in names}}
"""
ES6: Final = """
export const handler = async (event) => ({
  statusCode: 200,
  body: JSON.stringify("response from localstack lambda: " + JSON.stringify(event)),
});
"""
VARIANT: Final = """
import time
def handler(event, context):
    if "sleep" in event["request_prefix"]:
        time.sleep(2)
    if event["request_prefix"] != "00":
        print("ran", event["request_prefix"] + "--variant-%d")
    return {
        "function_version": context.function_version, "request_id": context.aws_request_id,
        "request_prefix": event["request_prefix"], "function_variant": "variant-%d",
    }
"""


def family(runtime: str) -> str:
    """python, nodejs or provided."""
    return next(name for name in ECHO if runtime.startswith(name))


def package(files: dict[str, str]) -> bytes:
    """Zip files, all of which may be executed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o100755 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def program(runtime: str, sources: dict[str, str], **more: str) -> tuple[str, bytes]:
    """Give the Handler and package of a program in a runtime's language."""
    source = sources[family(runtime)]
    names = {"python": "handler.py", "nodejs": "index.js", "provided": "bootstrap"}
    name = names[family(runtime)]
    if name == "bootstrap":
        source = _BOOTSTRAP.format(
            handle=source.strip(),
            error_type=more.pop("error_type", "Own.Error"),
            message=more.pop("message", "str(error)"),
        )
        return "function.handler", package({name: source, **more})
    return f"{name.partition('.')[0]}.handler", package({name: source, **more})
