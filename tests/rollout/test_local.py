"""Rollouts on the local Lambda with real handlers and traffic, as a user runs them."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
import zipfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import ROOT, variables_for
from tests.cli.scripted import at, client
from tests.docs import json_schema
from tuner.local import LocalLambda

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CODE = """
import hashlib, os
memory_mb = int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])

def handler(event, context):
    if memory_mb < 512:
        raise MemoryError("no room for the picture")
    for _ in range(2000):
        hashlib.sha256(b"x" * 1000).digest()
    return memory_mb
"""


@dataclass
class Site:
    """A served function with an alias, and who calls it."""

    server: LocalLambda
    state: dict[str, str]
    seen: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """Calls by executed version, and whether they failed."""

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "tuner", *arguments]

    def roll_out(self, memory_mb: int) -> subprocess.Popen[str]:
        options = ("--live", "--steps", "30%:2s", "--step-timeout", "2m", "--yes", "--json")
        given = ("apply", "--function", "thumbs", "--memory-size", str(memory_mb), *options)
        return subprocess.Popen(
            self.command(*given, *at(self.server)),
            cwd=ROOT,
            env=variables_for(**self.state),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def standing(self) -> dict[str, Any]:
        lambda_ = client(self.server)
        versions = lambda_.list_versions_by_function(FunctionName="thumbs")["Versions"]
        [alias] = lambda_.list_aliases(FunctionName="thumbs")["Aliases"]
        return {
            "versions": [(each["Version"], each["MemorySize"]) for each in versions],
            "alias": {**alias, "RevisionId": ""},
            "tags": lambda_.list_tags(Resource=alias["AliasArn"].rpartition(":")[0])["Tags"],
        }

    @contextmanager
    def traffic(self) -> Iterator[None]:
        over = threading.Event()

        def call() -> None:
            lambda_ = client(self.server)
            while not over.wait(0.005):
                reply = lambda_.invoke(FunctionName="thumbs", Qualifier="live", Payload=b"{}")
                self.seen[reply["ExecutedVersion"], "FunctionError" in reply] += 1

        callers = [threading.Thread(target=call) for _ in range(3)]
        for caller in callers:
            caller.start()
        try:
            yield
        finally:
            over.set()
            for caller in callers:
                caller.join()


@pytest.fixture(scope="module")
def server() -> Iterator[LocalLambda]:
    with LocalLambda([]) as local:
        yield local


@pytest.fixture
def site(server: LocalLambda, tmp_path: Path) -> Iterator[Site]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", CODE)
    lambda_ = client(server)
    lambda_.create_function(
        FunctionName="thumbs",
        Role="arn:aws:iam::123456789012:role/any",
        Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        Handler="app.handler",
        MemorySize=1024,
        Code={"ZipFile": buffer.getvalue()},
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName="thumbs")
    lambda_.publish_version(FunctionName="thumbs")
    lambda_.create_alias(FunctionName="thumbs", Name="live", FunctionVersion="1")
    yield Site(server, {"TUNER_STATE_DIR": str(tmp_path / "state")})
    lambda_.delete_function(FunctionName="thumbs")


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
    out, said = process.communicate(timeout=200)
    json_schema.check(out)
    return process.returncode, json.loads(out), said


def test_a_rollout_under_traffic_finishes(site: Site) -> None:
    """Shares are as the alias says, both versions ran, and it ends at the new one alone."""
    before = site.standing()
    with site.traffic():
        code, told, said = ended(site.roll_out(512))
    assert code == 0, said
    assert told["state"] == "finished"
    step = told["steps"][0]
    seen = step["old_count"] + step["new_count"]
    assert seen >= step["needed_count"]
    assert step["new_count"] / seen == pytest.approx(0.3, abs=0.08)
    assert site.seen["1", False] > 0
    assert site.seen["2", False] >= step["new_count"]
    assert site.standing() == {
        "versions": [*before["versions"], ("2", 512)],
        "alias": {**before["alias"], "FunctionVersion": "2"},
        "tags": {},
    }


def test_a_rollout_whose_handler_fails_turns_back(site: Site) -> None:
    """A few failed calls, and the alias is as before; the version is gone; exit code 1."""
    before = site.standing()
    with site.traffic():
        code, told, said = ended(site.roll_out(256))
    assert code == 1, said
    assert told["state"] == "returned"
    assert told["reason"].startswith("errors: ")
    assert site.standing() == before
    assert 0 < site.seen["2", True] < 300
    assert site.seen["1", True] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_it_the_alias_is_as_before(site: Site, number: signal.Signals) -> None:
    """Ctrl-C goes back by itself; after a kill, `recover` does, and says so in the record."""
    before = site.standing()
    with site.traffic():
        process = site.roll_out(512)
        assert process.stderr is not None
        for line in process.stderr:
            if "go to the new version" in line:
                break
        process.send_signal(number)
        out, said = process.communicate(timeout=60)
    if number == signal.SIGINT:
        assert process.returncode == 130, said
        assert json.loads(out)["reason"] == "interrupted"
    else:
        assert "RoutingConfig" in site.standing()["alias"]
        again = site.roll_out(512)
        out, said = again.communicate(timeout=60)
        assert again.returncode == 4
        assert "didn't finish and may have left the function changed. Run: tuner recover" in said
        recovered = subprocess.run(
            site.command("recover", "--yes"),
            cwd=ROOT,
            env=variables_for(**site.state),
            capture_output=True,
            text=True,
            check=True,
        )
        assert "set alias live back to version 1 (it routes to" in recovered.stdout
    assert site.standing() == before
    [record] = (ROOT / site.state["TUNER_STATE_DIR"]).glob("rollouts/thumbs/*.json")
    assert json.loads(record.read_bytes())["state"] == "returned"
