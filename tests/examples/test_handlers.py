"""The examples' handlers, called as Lambda calls them. That tuning finds what their lines promise
is shown end to end, on the local Lambda."""

from __future__ import annotations

import json
import time
import tracemalloc
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.examples.loading import EXAMPLES, loaded, payload
from tuner.iac import read_template
from tuner.payloads import load_payloads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.iac import TemplateFunction

TEMPLATE = read_template(EXAMPLES)
NAMES = [function.name for function in TEMPLATE.functions]
WITHOUT_SERVICES = [name for name in NAMES if name != "s3-roundtrip"]
TWO_CORES_MB = 3538


def test_every_folder_is_a_function_of_the_template() -> None:
    """No example is left out, and each function's folder, name and file agree."""
    folders = sorted(path.name for path in EXAMPLES.iterdir() if (path / "app.py").is_file())
    assert sorted(NAMES) == folders
    for function in TEMPLATE.functions:
        assert function.code_dir == EXAMPLES / function.name
        assert function.handler == "app.handler"
        assert not function.has_requirements


def test_nothing_of_the_template_is_passed_over() -> None:
    """The examples keep to what is supported."""
    assert TEMPLATE.ignored == ()


@pytest.mark.parametrize("function", TEMPLATE.functions, ids=NAMES)
def test_every_function_says_what_tuning_should_find(function: TemplateFunction) -> None:
    """One line, and settings that a host of two cores can show."""
    assert 20 < len(function.description) <= 256
    assert "\n" not in function.description
    assert function.memory_mb <= TWO_CORES_MB
    readme = (EXAMPLES / "README.md").read_text()
    assert f"| `{function.name}` | {function.memory_mb} MB |" in readme


@pytest.mark.parametrize("name", NAMES)
def test_every_payload_is_one(name: str) -> None:
    """It is what the tuner takes for a payload."""
    [read] = load_payloads([str(EXAMPLES / name / "payload.json")])
    assert json.loads(read.body) == payload(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITHOUT_SERVICES)
def test_every_handler_answers_its_payload_the_same_way_each_time(name: str) -> None:
    """The work is deterministic, the answer is JSON, and without an event it is the same work."""
    with loaded(name) as handler:
        first, second = handler(payload(name)), handler({})
    assert first == second == json.loads(json.dumps(first))


@pytest.mark.parametrize(("limit", "primes"), [(3, 1), (100, 25), (10_000, 1229)])
def test_cpu_bound_counts_primes(limit: int, primes: int) -> None:
    """The work is real: the counts are those of the prime-counting function."""
    with loaded("cpu-bound") as handler:
        assert handler({"limit": limit})["primes"] == primes


def test_two_cores_does_the_same_work_with_any_number_of_threads() -> None:
    """Threads divide the work, they do not change it."""
    with loaded("two-cores") as handler:
        one, two = (handler({"pages": 4, "threads": threads}) for threads in (1, 2))
    assert one == two
    assert one["pages"] == 4


def test_io_wait_takes_next_to_no_cpu() -> None:
    """The wait is a wait."""
    with loaded("io-wait") as handler:
        start_s = time.process_time()
        handler(payload("io-wait"))
        assert time.process_time() - start_s < 0.05


def test_mixed_computes_beside_its_wait() -> None:
    """Without the wait the sum is the same."""
    with loaded("mixed") as handler:
        assert handler({"wait_ms": 0, "orders": 100}) == handler({"wait_ms": 1, "orders": 100})


def test_memory_hungry_holds_what_it_says() -> None:
    """The blocks are all there at once, and every byte is in the checksum."""
    with loaded("memory-hungry") as handler:
        tracemalloc.start()
        try:
            answer = handler({"megabytes": 16})
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    whole = b"".join(bytes([number]) * 1024 * 1024 for number in range(16))
    assert answer["checksum"] == f"{zlib.crc32(whole):08x}"
    assert peak_bytes >= 16 * 1024 * 1024


def test_heavy_import_takes_its_cpu_at_import() -> None:
    """Importing costs many times what handling does."""
    start_s = time.process_time()
    with loaded("heavy-import") as handler:
        import_s = time.process_time() - start_s
        start_s = time.process_time()
        answer = handler({**payload("heavy-import"), "rounds": 1})
        assert import_s > 10 * (time.process_time() - start_s)
    assert answer["matched"] == [0, 2325, 3599, None]


@pytest.fixture
def s3_endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An emulated S3 on a free port, and the environment that a handler finds it by."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  takes half a second

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("BUCKET", "tuner-example")
    yield f"http://{host}:{port}"
    server.stop()


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_s3_roundtrip_makes_reads_and_writes_its_object(
    s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    """The first call makes bucket and object, the second finds them; the result decompresses."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    event = {"key": f"{region}.csv", "lines": 200}
    monkeypatch.setenv("BUCKET", f"tuner-example-{region}")
    with loaded("s3-roundtrip") as handler:
        first, second = handler(event), handler({**event, "lines": 0})
    assert first == second
    with closing(boto3.client("s3")) as s3:
        bucket, keys = f"tuner-example-{region}", (f"{region}.csv", f"{region}.csv.z")
        bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    assert zlib.decompress(bodies[1]) == bodies[0]
    assert bodies[0].count(b"\n") == 200
