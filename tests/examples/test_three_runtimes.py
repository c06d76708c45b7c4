"""The same handler in Python, Node.js and Rust: one template, built, run and tuned for real."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.examples.loading import EXAMPLES
from tests.local_api.conftest import make_client
from tuner.iac import read_template
from tuner.local import LocalLambda

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE = EXAMPLES / "three-runtimes" / "template.yaml"
NEEDS = {"primes-python": "python3", "primes-node": "node", "primes-native": "rustc"}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A client of an endpoint on which all of them are deployed that this machine can build."""
    with LocalLambda.from_template(
        TEMPLATE, parameters={"MemoryMb": "1769"}, emulated_services=False, build=True
    ) as server:
        made = make_client(server)
        yield made
        made.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", NEEDS)
def test_each_counts_the_same_primes(client: Any, name: str) -> None:
    """Same event, same answer; without the runtime or compiler there is nothing to run."""
    if shutil.which(NEEDS[name]) is None:
        pytest.skip(f"no {NEEDS[name]} on PATH")
    for limit, primes in ((10_000, 1229), (3, 1), (0, 0)):
        reply = client.invoke(FunctionName=name, Payload=json.dumps({"limit": limit}).encode())
        assert json.loads(reply["Payload"].read()) == {"limit": limit, "primes": primes}
    [bare] = {json.loads(client.invoke(FunctionName=name)["Payload"].read())["primes"]}
    assert bare == 2262
    assert client.get_function_configuration(FunctionName=name)["MemorySize"] == 1769


def test_the_template_says_what_each_is() -> None:
    """Every function has its own folder and runtime, and the payload is one."""
    functions = read_template(TEMPLATE).functions
    assert [each.name for each in functions] == list(NEEDS)
    assert {each.runtime.rstrip("0123456789.x") for each in functions} == {
        "python", "nodejs", "provided.al"
    }  # fmt: skip
    assert json.loads((TEMPLATE.parent / "payload.json").read_text()) == {"limit": 150_000}
    readme = (EXAMPLES / "README.md").read_text()
    for name in NEEDS:
        assert f"| `{name}` |" in readme
