"""`tuner payload …`, as a shell sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import ROOT, one_line, run_here
from tuner.payloads.event_sources import SOURCES
from tuner.sweep.store import load_sweep

QUEUE_WORKER = ROOT / "examples" / "queue-worker"
SET = str(QUEUE_WORKER / "payloads.toml")


def test_sources_are_listed() -> None:
    """As lines and as JSON."""
    assert [line.split()[0] for line in run_here("payload", "sources").stdout.splitlines()] == list(
        SOURCES
    )
    listed = json.loads(run_here("payload", "sources", "--json").stdout)
    assert listed["schema_version"] == 1
    batches = {each["name"]: each["max_batch_size"] for each in listed["sources"]}
    assert (batches["sqs"], batches["sns"]) == (10_000, 1)


def test_make_writes_a_corpus_that_its_seed_makes_again(tmp_path: Path) -> None:
    """Same digest, same bytes; classes by weight; another seed, another digest."""
    template = tmp_path / "order.j2"
    template.write_text('{"id": "{{ id() }}"}')
    manifests = []
    for name, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        out = str(tmp_path / name)
        ran = run_here(
            "payload", "make", str(template), "sqs", "--count", "20", "--seed", seed, "--out", out,
            "--json",
        )  # fmt: skip
        assert (ran.returncode, ran.stderr) == (0, "")
        manifests.append(json.loads((Path(out) / "manifest.json").read_text()))
        assert json.loads(ran.stdout) == manifests[-1]
    first, second, other = manifests
    assert first == second
    assert first["sha256"] != other["sha256"]
    assert [each["event_count"] for each in first["classes"]] == [10, 10]
    made = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("0*.json"))
    assert len(made) == 20
    for path in made:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_make_tells_the_seed_of_a_set(tmp_path: Path) -> None:
    """A set's own seed is what made the corpus, whatever the run's."""
    ran = run_here("payload", "make", SET, "--count", "3", "--seed", "9", "--out", f"{tmp_path}/a")
    assert "\nseed 7 · sha256 " in ran.stdout
    assert json.loads((tmp_path / "a" / "manifest.json").read_text())["seed"] == 7
    ran = run_here("payload", "make", SET, "sqs", "--seed", "9", "--out", f"{tmp_path}/b")
    assert "\nseeds 7, 9 · sha256 " in ran.stdout
    manifest = json.loads((tmp_path / "b" / "manifest.json").read_text())
    assert manifest["seed"] is None
    assert [each["seed"] for each in manifest["classes"]] == [7, 7, 7, 9]


def test_make_does_not_write_into_a_folder_with_something_in_it(tmp_path: Path) -> None:
    """Nothing of the user's is mixed up or replaced."""
    (tmp_path / "mine").write_text("")
    ran = run_here("payload", "make", "sqs", "--out", str(tmp_path))
    assert ran.returncode == 1
    assert "is not empty: give a new one" in one_line(ran)


def test_show_prints_an_event_of_each_class() -> None:
    """Ready to be piped on."""
    ran = run_here("payload", "show", SET, "--index", "3")
    batches = [json.loads(line)["Records"] for line in ran.stdout.splitlines()]
    assert [len(batch) for batch in batches] == [5, 5, 1]
    assert json.loads(batches[1][0]["body"])["kind"] == "refund"


def test_check_says_weight_and_size() -> None:
    """Without a function nothing is invoked."""
    ran = run_here("payload", "check", SET, "--json")
    checked = json.loads(ran.stdout)
    assert [(each["name"], each["share"]) for each in checked["classes"]] == [
        ("order", 0.8), ("refund", 0.15), ("import", 0.05),
    ]  # fmt: skip
    assert not checked["tried"]
    assert all(0 < each["median_bytes"] <= each["largest_bytes"] for each in checked["classes"])
    assert [each["shape"] for each in checked["classes"]] == ["{Records[5]}"] * 2 + ["{Records[1]}"]
    text = run_here("payload", "check", SET).stdout
    assert "order" in text
    assert "{Records[5]}" in text
    assert "80.0%" in text


def test_sizes_and_batches_are_asked_for_where_something_takes_them(tmp_path: Path) -> None:
    """An option that nothing would use is refused."""
    schema = tmp_path / "order.schema.json"
    schema.write_text(
        '{"type": "object", "required": ["t"], "properties": {"t": {"type": "string"}}}'
    )
    ran = run_here("payload", "show", str(schema), "--payload-size", "3kB")
    assert 2950 < len(ran.stdout) < 3050
    ran = run_here("payload", "show", "sqs", "--batch-size", "4")
    assert len(json.loads(ran.stdout)["Records"]) == 4
    assert "no payload here takes --payload-size" in one_line(
        run_here("payload", "show", "sqs", "--payload-size", "3kB")
    )
    assert "no payload here takes --batch-size" in one_line(
        run_here("payload", "show", "{}", "--batch-size", "3")
    )


def test_a_parameter_is_shown_with_each_value() -> None:
    """One event of each class for each."""
    ran = run_here("payload", "show", SET, "--vary", "batch_size=1,4")
    batches = [json.loads(line)["Records"] for line in ran.stdout.splitlines()]
    assert [len(batch) for batch in batches] == [1, 4, 1, 4, 1, 4]
    assert "nothing uses the parameter 'hue'" in one_line(
        run_here("payload", "show", SET, "--vary", "hue=1,4")
    )


@pytest.mark.parametrize("what", [["--try", "queue-worker"]])
def test_try_without_a_terminal_needs_a_yes(what: list[str]) -> None:
    """It really runs the code."""
    ran = run_here("payload", "check", SET, *what, "--region", "eu-west-1")
    assert ran.returncode == 2
    assert "pass --yes" in ran.stderr


@pytest.mark.slow
def test_try_invokes_each_class_once_and_tells_which_fails(tmp_path: Path) -> None:
    """A real handler on the local endpoint; a class that it cannot take is named."""
    (tmp_path / "bad.json").write_text('{"Records": [{"messageId": "1"}, 5]}')
    ran = run_here(
        "payload", "check", SET, str(tmp_path / "bad.json"), "--try", "queue-worker",
        "--local", str(QUEUE_WORKER / "template.yaml"),
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stdout.splitlines()[-4:] == [
        "order: answered", "refund: answered", "import: answered", "bad: fails (TypeError)",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_sweep_stops_at_a_payload_that_the_function_cannot_take(tmp_path: Path) -> None:
    """One line that names the class; nothing else was invoked, and nothing is left."""
    (tmp_path / "bad.json").write_text('{"Records": [{"messageId": "1"}, 5]}')
    ran = run_here(
        "tune", "queue-worker", "--local", str(QUEUE_WORKER / "template.yaml"),
        "--payload", SET, "--payload", str(tmp_path / "bad.json"),
        "--out", str(tmp_path / "sweep.jsonl"),
    )  # fmt: skip
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert "the function fails with payload 'bad' at 256 MB (TypeError)" in ran.stderr
    sweep = load_sweep(tmp_path / "sweep.jsonl")
    assert {each.memory_mb for each in sweep.invocations} == {256}
    assert [each.payload for each in sweep.invocations].count("bad") == 2


@pytest.mark.slow
@pytest.mark.xdist_group("cores")
def test_a_queue_workers_set_is_tuned_on_the_local_endpoint(tmp_path: Path) -> None:
    """Three classes by their weights with two batch sizes, each with samples, and the answer by
    the record: a batch of five shares its handshake.
    """
    file = tmp_path / "sweep.jsonl"
    ran = run_here(
        "tune", "queue-worker", "--local", str(QUEUE_WORKER / "template.yaml"),
        "--payload", SET, "--vary", "batch_size=1,5", "--json", "--memory-sizes", "256,512",
        "--exhaustive", "--max-invocations", "26", "--out", str(file),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    rows = [
        (row["memory_mb"], row["payload"], row["parameters"]["batch_size"])
        for row in answer["sizes"]
    ]
    names = ("order", "refund", "import")
    assert rows == [(mb, name, size) for mb in (256, 512) for name in names for size in (1, 5)]
    at_one, at_five = (
        {pair["memory_mb"]: pair["cost_usd_per_million_records"]["estimate"] for pair in v["pairs"]}
        for v in answer["variation"]["values"]
    )
    assert 256 in at_one.keys() & at_five.keys()
    assert all(at_five[mb] < 0.7 * at_one[mb] for mb in at_one.keys() & at_five.keys())
    assert answer["recommendation"]["parameters"] in ({"batch_size": 5}, {})
    assert answer["variation"]["best_value"] == 5
    plan = load_sweep(file).plan
    assert [each.weight * each.record_count for each in plan.payloads] == [400, 400, 75, 75, 5, 5]
    shown = run_here("report", str(file)).stdout
    assert "records  vs now" in shown
