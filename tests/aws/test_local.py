"""The local Lambda, which keeps AWS's rules: revisions, states, aliases, numbers, throttles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scripted_executor import ScriptedExecutor
from tuner.aws.reader import AccountSettings
from tuner.errors import (
    ConflictError,
    FunctionNotFoundError,
    LostReplyError,
    MemoryCapError,
    ThrottledError,
)
from tuner.local import FunctionDefinition, LocalLambda
from tuner.model.function import Alias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tuner.aws.gateway import LambdaGateway


@pytest.fixture(scope="module")
def executor() -> ScriptedExecutor:
    return ScriptedExecutor(5.0, time_scale=0.0, max_memory_mb=3538, core_count=2)


@pytest.fixture(scope="module")
def server(executor: ScriptedExecutor) -> Iterator[LocalLambda]:
    functions = [
        FunctionDefinition(name, memory_mb=1024)
        for name in ("resize", "aliased", "moved", "failing", "busy")
    ]
    with LocalLambda(
        functions,
        region="eu-west-1",
        executor=executor,
        emulated_services=False,
        update_s=0.05,
        concurrent_executions=200,
    ) as local:
        yield local


@pytest.fixture
def gateway(server: LocalLambda, open_gateway: Callable[[str], LambdaGateway]) -> LambdaGateway:
    return open_gateway(server.endpoint_url)


def test_a_window_leaves_no_trace(gateway: LambdaGateway) -> None:
    """Memory is changed under the RevisionId, published, restored; all settings are as before."""
    before = gateway.read_function("resize")
    published = []
    latest = before
    for memory_mb in (512, 2048):
        latest = gateway.update_memory("resize", memory_mb, latest.revision_id)
        assert latest.memory_mb == memory_mb
        version = gateway.publish_version(
            "resize", f"by tuner {memory_mb}", before.code_sha256, latest.revision_id
        )
        assert (version.memory_mb, version.settings) == (memory_mb, before.settings)
        published.append(version.version)
        latest = gateway.read_function("resize")
    after = gateway.update_memory("resize", 1024, latest.revision_id)
    assert (after.memory_mb, after.settings) == (1024, before.settings)
    assert [v.version for v in gateway.list_versions("resize")] == published
    for number in published:
        gateway.delete_version("resize", number)
        gateway.delete_version("resize", number)
    assert gateway.list_versions("resize") == ()


def test_moved_revision(gateway: LambdaGateway) -> None:
    """A RevisionId or a code hash that is not current is a conflict, and changes nothing."""
    first = gateway.read_function("moved")
    second = gateway.update_memory("moved", 512, first.revision_id)
    assert second.revision_id != first.revision_id
    with pytest.raises(ConflictError, match="its RevisionId has moved"):
        gateway.update_memory("moved", 2048, first.revision_id)
    with pytest.raises(ConflictError, match="its code has moved"):
        gateway.publish_version("moved", "d", "c29tZXRoaW5n", second.revision_id)
    assert gateway.read_function("moved").memory_mb == 512
    assert gateway.list_versions("moved") == ()


def test_update_under_way(gateway: LambdaGateway) -> None:
    """An update that somebody else has just begun is waited for."""
    gateway._control.client.update_function_configuration(FunctionName="moved", Timeout=9)
    assert gateway.update_memory("moved", 640, None).memory_mb == 640


def test_unchanged_function_is_not_published_twice(gateway: LambdaGateway) -> None:
    """Publishing what was published gives the version that is there, for the caller to see."""
    config = gateway.read_function("aliased")
    first = gateway.publish_version("aliased", "d", config.code_sha256, None)
    assert gateway.publish_version("aliased", "d", config.code_sha256, None) == first


def test_aliased_versions_stay(gateway: LambdaGateway) -> None:
    """A version that an alias routes to, by weight too, is listed so and cannot be deleted."""
    config = gateway.read_function("aliased")
    numbers = []
    for memory_mb in (512, 640):
        gateway.update_memory("aliased", memory_mb, None)
        version = gateway.publish_version("aliased", "d", config.code_sha256, None)
        numbers.append(version.version)
    one, two = numbers
    gateway._control.client.create_alias(
        FunctionName="aliased",
        Name="live",
        FunctionVersion=one,
        RoutingConfig={"AdditionalVersionWeights": {two: 0.1}},
    )
    assert gateway.list_aliases("aliased") == (Alias("live", (one, two)),)
    assert gateway.read_function("aliased:live").version == one
    for number in (one, two):
        with pytest.raises(ConflictError, match="live"):
            gateway.delete_version("aliased", number)


def test_memory_that_the_host_cannot_show(gateway: LambdaGateway) -> None:
    """A host's limit arrives as a memory cap, with the host's own reason and the flag."""
    with pytest.raises(MemoryCapError, match="`max_memory_mb=3538`") as caught:
        gateway.update_memory("moved", 4096, None)
    assert caught.value.max_memory_mb == 3538
    assert "this host's 2 cores can't show more" in str(caught.value)
    assert "AWS Support" not in str(caught.value)


def test_what_is_not_there(gateway: LambdaGateway) -> None:
    """A missing function and a missing version are told apart."""
    with pytest.raises(FunctionNotFoundError, match="no function nothing in eu-west-1"):
        gateway.read_function("nothing")
    with pytest.raises(FunctionNotFoundError, match="no version or alias 99 of function resize"):
        gateway.invoke("resize", "99", b"{}", timeout_s=3)


def test_invoke(gateway: LambdaGateway, executor: ScriptedExecutor) -> None:
    """An invocation runs the version that was named, once, and brings its REPORT line."""
    config = gateway.read_function("resize")
    version = gateway.publish_version("resize", "to invoke", config.code_sha256, None).version
    count = len(executor.invocations)
    reply = gateway.invoke("resize", version, b'{"a": 1}', timeout_s=config.timeout_s)
    assert (reply.status_code, reply.function_error) == (200, None)
    assert reply.executed_version == version
    assert "REPORT RequestId:" in reply.log_tail
    assert [each.version for each in executor.invocations[count:]] == [version]
    gateway.delete_version("resize", version)


def test_lost_reply_ran_once(
    server: LocalLambda,
    gateway: LambdaGateway,
    executor: ScriptedExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the connection drops while the function runs, it ran once and counts as spent."""
    monkeypatch.setattr(executor, "_failure", lambda deployment, request: "no-reply")
    count = len(executor.invocations)
    with pytest.raises(LostReplyError, match="counts as spent"):
        gateway.invoke("failing", "$LATEST", b"{}", timeout_s=3)
    assert len(executor.invocations) == count + 1


def test_failed_function_is_a_reply(
    gateway: LambdaGateway, executor: ScriptedExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that fails has replied: with its error object, and no exception here."""
    monkeypatch.setattr(executor, "_failure", lambda deployment, request: "error")
    reply = gateway.invoke("failing", "$LATEST", b"{}", timeout_s=3)
    assert reply.function_error == "Unhandled"
    assert b"ValueError" in reply.payload


def test_reserved_concurrency_throttles(gateway: LambdaGateway, executor: ScriptedExecutor) -> None:
    """A function without concurrency left is throttled, with Lambda's reason, and does not run."""
    client = gateway._control.client
    client.put_function_concurrency(FunctionName="busy", ReservedConcurrentExecutions=0)
    count = len(executor.invocations)
    with pytest.raises(ThrottledError) as caught:
        gateway.invoke("busy", "$LATEST", b"{}", timeout_s=3)
    assert caught.value.reason == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert len(executor.invocations) == count


def test_account(gateway: LambdaGateway) -> None:
    """The account's limits are read."""
    gateway._control.client.put_function_concurrency(
        FunctionName="busy", ReservedConcurrentExecutions=50
    )
    assert gateway.account_settings() == AccountSettings(200, 150)
