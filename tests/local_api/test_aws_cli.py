"""The AWS CLI, where one is installed, against the endpoint."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tuner.local.definition import FunctionDefinition
from tuner.local.scripted import ScriptedExecutor
from tuner.logs import parse_report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tuner.local.serve import LocalLambda

AWS = shutil.which("aws")
pytestmark = pytest.mark.skipif(AWS is None, reason="no `aws` command on PATH")


def test_the_cli_lists_invokes_changes_and_publishes(
    serve: Callable[..., tuple[Any, LocalLambda]], tmp_path: Path
) -> None:
    """list-functions, invoke with its log, update, wait and publish-version work from the CLI."""
    _, server = serve(
        functions=[FunctionDefinition("hello", memory_mb=512)],
        executor=ScriptedExecutor(3.0, time_scale=0),
        update_s=0.05,
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {
        **kept,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PAGER": "",
    }

    def aws(*arguments: str) -> Any:
        ran = subprocess.run(
            [str(AWS), "--endpoint-url", server.endpoint_url, "--output", "json", *arguments],
            env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout) if ran.stdout.strip() else None

    assert aws("lambda", "list-functions")["Functions"][0]["FunctionName"] == "hello"
    (tmp_path / "event.json").write_text('{"a": 1}')
    invoked = aws(
        "lambda", "invoke", "--function-name", "hello", "--log-type", "Tail",
        "--payload", "fileb://event.json", "out.json",
    )  # fmt: skip
    assert json.loads((tmp_path / "out.json").read_text()) == {"a": 1}
    assert parse_report(base64.b64decode(invoked["LogResult"]).decode()).memory_size_mb == 512
    changed = aws(
        "lambda", "update-function-configuration", "--function-name", "hello",
        "--memory-size", "1024",
    )  # fmt: skip
    assert (changed["MemorySize"], changed["LastUpdateStatus"]) == (1024, "InProgress")
    aws("lambda", "wait", "function-updated-v2", "--function-name", "hello")
    published = aws("lambda", "publish-version", "--function-name", "hello")
    assert (published["Version"], published["MemorySize"]) == ("1", 1024)
