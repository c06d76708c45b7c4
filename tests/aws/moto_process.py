"""moto as a server process of its own, as AWS is: nothing of it is loaded here."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import time
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
REGION = "eu-west-1"


@contextmanager
def moto_process() -> Iterator[str]:
    """Serve on a free loopback port; yields its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", serve],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when something listens there."""
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("moto's server did not start")


def client(service: str, url: str) -> Any:
    """A plain client of it."""
    return boto3.client(service, region_name=REGION, endpoint_url=url, **KEYS)


def make_function(url: str, name: str, **settings: Any) -> None:
    """Create a function with a role of its own."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return event")
    trust = '{"Version": "2012-10-17", "Statement": []}'
    role = client("iam", url).create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    client("lambda", url).create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
        **settings,
    )
