"""Functions of a scripted local endpoint, and how a test sees what a sweep left of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.scripted_executor import ScriptedExecutor
from tuner.local import FunctionDefinition, LocalLambda

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = "128,256,512,1024,2048"


def cpu_bound_ms(memory_mb: int) -> float:
    return 5 + 100 * 1769 / min(memory_mb, 1769)


def never_out_of_memory_above(deployment: Any, _request: Any) -> Any:
    return "out-of-memory" if deployment.memory_mb < 256 else None


@pytest.fixture(scope="module")
def server() -> Iterator[LocalLambda]:
    """Answers at once, with true REPORT lines of one busy thread that needs 256 MB."""
    executor = ScriptedExecutor(
        cpu_bound_ms, init_duration_ms=150.0, failure=never_out_of_memory_above, time_scale=0
    )
    functions = [FunctionDefinition("hello", memory_mb=2048), FunctionDefinition("other")]
    with LocalLambda(functions, executor=executor, emulated_services=False, update_s=0.0) as local:
        yield local


@pytest.fixture
def state(tmp_path: Path) -> dict[str, str]:
    return {"TUNER_STATE_DIR": str(tmp_path / "state")}


def at(server: LocalLambda) -> list[str]:
    return ["--endpoint-url", server.endpoint_url, "--region", server.region]


def client(server: LocalLambda) -> Any:
    return boto3.client(
        "lambda",
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def standing(server: LocalLambda, name: str = "hello") -> tuple[dict[str, Any], list[str]]:
    """$LATEST without what every update moves, and the published versions."""
    asked = client(server)
    try:
        config = asked.get_function_configuration(FunctionName=name)
        versions = asked.list_versions_by_function(FunctionName=name)["Versions"]
    finally:
        asked.close()
    for moving in ("RevisionId", "LastModified", "ResponseMetadata"):
        config.pop(moving, None)
    return config, [version["Version"] for version in versions]
