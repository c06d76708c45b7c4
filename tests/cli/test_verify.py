"""`tuner verify`: the verdict on an archive and on an account, the ledger, and bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.aws.moto_process import REGION, client, make_function, moto_process
from tests.cli.running import one_line, run_here
from tests.observe.archives import Call, steady, write_archive
from tests.sweeps import made_sweep, mixed_ms, save_sweep
from tuner import session
from tuner.aws.log_groups import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD_MB = 3008
CHANGE_HOUR = 154.0


def waiting_ms(memory_mb: int) -> float:
    """Some waiting, and computing at one core."""
    return 30 + 200 * 1769 / min(memory_mb, 1769)


SWEEP = made_sweep(waiting_ms, sizes_mb=(1024, 1408, 1769, 2048, 3008), current_mb=OLD_MB)
ANSWER = session.recommend(session.analyse(SWEEP))
NEW_MB = ANSWER.memory_mb or 0
FORECAST = ANSWER.saving.estimate if ANSWER.saving else 0.0


def calls(
    *,
    saving: float = FORECAST,
    days: float = 13,
    per_day: int = 200,
    weight_until: float = 0.0,
    since: float = 0.0,
) -> list[Call]:
    """Invocations whose cost falls by `saving` as the memory changes from version 7 to 8; until
    `weight_until` hours later a third of them is on the new one only.
    """
    rng = np.random.default_rng(7)
    slower = (1 - saving) * OLD_MB / NEW_MB
    found = []
    hours = np.sort(rng.random(round(days * per_day))) * days * 24
    for hour in hours[hours >= since]:
        new = hour >= CHANGE_HOUR + weight_until or (hour >= CHANGE_HOUR and rng.random() < 1 / 3)
        took_ms = 230 * rng.lognormal(-0.08, 0.4) * (1 + 0.1 * np.sin((hour - 14) / 24 * 2 * np.pi))
        setting = (NEW_MB, "8") if new else (OLD_MB, "7")
        found.append(Call(float(hour), max(round(took_ms * (slower if new else 1)), 1), *setting))
    return found


@pytest.fixture
def verify(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Write these functions' archive, verify the sweep by it, and return the JSON."""
    save_sweep(tmp_path / "made.jsonl", SWEEP)

    def ask(functions: dict[str, list[Call]], *options: str) -> dict[str, Any]:
        number = len([*tmp_path.glob("logs*")])
        archive = write_archive(tmp_path / f"logs{number}", functions)
        ran = run_here(
            "verify", str(tmp_path / "made.jsonl"), "--logs", str(archive), "--json", *options,
            TUNER_STATE_DIR=str(tmp_path),
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        answer: dict[str, Any] = json.loads(ran.stdout)
        return answer

    return ask


def codes(answer: dict[str, Any]) -> set[str]:
    """Of its causes."""
    return {each["code"] for each in answer["causes"]}


def test_what_came_as_forecast_is_told_so(verify: Callable[..., dict[str, Any]]) -> None:
    """By days, against a function that nobody changed, whose lines are no part of it."""
    others = steady(days=13, per_day=200, billed_ms=80, seed=2)
    found = verify({"made": calls(), "other": others})
    assert (found["verdict"], found["method"]) == ("as_forecast", "before_after")
    assert found["realized_saving_ratio"]["low"] < FORECAST < found["realized_saving_ratio"]["high"]
    assert found["untouched_function_count"] == 1
    assert (found["before"]["memory_mb"], found["after"]["memory_mb"]) == (OLD_MB, NEW_MB)
    assert found["changed_at"].startswith("2026-03-07T10:")
    month = found["after"]["rate_per_s"] * 730 * 3600 / 1e6
    saved = found["before"]["cost_usd_per_million"] - found["after"]["cost_usd_per_million"]
    assert found["realized_usd_per_month"]["estimate"] == pytest.approx(month * saved, rel=0.15)


def test_a_discount_is_off_both_sides(verify: Callable[..., dict[str, Any]]) -> None:
    """Dollars fall alike, and shares stay; prices are those of the sweep's architecture."""
    plain, less = verify({"made": calls()}), verify({"made": calls()}, "--discount", "50%")
    for name in ("forecast_usd_per_month", "realized_usd_per_month"):
        assert less[name]["estimate"] == pytest.approx(plain[name]["estimate"] / 2)
    assert less["realized_saving_ratio"]["estimate"] == pytest.approx(
        plain["realized_saving_ratio"]["estimate"]
    )
    assert "payloads_differ" not in codes(less)
    assert not any("architecture" in each for each in plain["assumptions"])


def test_a_smaller_saving_is_less(verify: Callable[..., dict[str, Any]]) -> None:
    """Half of what was forecast, with dollars to match; and none at all."""
    found = verify({"made": calls(saving=FORECAST / 2)})
    assert (found["verdict"], found["causes"]) == ("less", [])
    assert found["realized_usd_per_month"]["high"] < found["forecast_usd_per_month"]["low"]
    assert verify({"made": calls(saving=0.0)})["verdict"] == "less"


def test_few_invocations_cannot_tell(verify: Callable[..., dict[str, Any]]) -> None:
    """The verdict is unknown, and about how many more days would tell is said."""
    found = verify({"made": calls(days=7.5, per_day=8)})
    assert found["verdict"] == "unknown"
    assert found["days_needed"] > 0
    assert "more day would tell" in found["reason"]


def test_a_split_alias_is_compared_within_the_same_minutes(
    verify: Callable[..., dict[str, Any]],
) -> None:
    """A rollout of four hours, before there is a day of the new version alone; who calls $LATEST
    isn't split, and has other work.
    """
    split = calls(days=6.6, per_day=9000, weight_until=4.0, since=148)
    direct = [
        Call(each.hour, 3 * each.billed_ms, OLD_MB, "$LATEST")
        for each in split
        if each.version == "7"
    ]
    found = verify({"made": split + direct})
    assert found["method"] == "split"
    assert found["realized_saving_ratio"]["low"] < FORECAST < found["realized_saving_ratio"]["high"]


def test_a_rollout_that_went_back_saves_nothing_now(
    verify: Callable[..., dict[str, Any]],
) -> None:
    """What the split tells is told as what it saved while it lasted."""
    split = calls(days=6.6, per_day=9000, weight_until=4.0, since=148)
    back = [
        each._replace(memory_mb=OLD_MB, version="7") if each.hour > CHANGE_HOUR + 2.5 else each
        for each in split
    ]
    found = verify({"made": back})
    assert (found["method"], codes(found)) == ("split", {"changed_back"})


def test_a_rollout_on_this_machine_names_its_versions(
    verify: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Other versions of the old size had more traffic meanwhile, and of other work."""
    split = calls(days=6.6, per_day=9000, weight_until=4.0, since=148)
    others = [
        Call(each.hour + 0.001 * place, 3 * each.billed_ms, OLD_MB, "5")
        for each in split
        if each.version == "7"
        for place in (1, 2)
    ]
    folder = tmp_path / "rollouts" / "made"
    folder.mkdir(parents=True)
    (folder / "torn.json").write_text('{"kind": "roll')
    record = {
        "schema_version": 1, "kind": "rollout", "region": "us-east-1", "from_version": "7",
        "to_version": "8", "to_memory_mb": NEW_MB, "started_at": "2026-03-07T10:00:00+00:00",
    }  # fmt: skip
    (folder / "rollout-1.json").write_text(json.dumps(record))
    found = verify({"made": split + others})
    assert (found["method"], found["before"]["versions"]) == ("split", ["7"])
    assert found["realized_saving_ratio"]["low"] < FORECAST < found["realized_saving_ratio"]["high"]


def test_the_sweeps_own_invocations_are_no_production(tmp_path: Path) -> None:
    """They ran at other sizes, and a quiet function has no more of its own in an hour."""
    sweep = replace(
        SWEEP,
        invocations=tuple(
            replace(each, report=replace(each.report, request_id=f"{number:08x}-0000-4000-8000-"
                                         f"{b'made'.hex():0<12.12}"))
            for number, each in enumerate(SWEEP.invocations)
            if each.report is not None
        ),
    )  # fmt: skip
    save_sweep(tmp_path / "made.jsonl", sweep)
    own = [Call(50 + number / 100, 300, NEW_MB, "3") for number in range(len(sweep.invocations))]
    archive = write_archive(tmp_path / "logs", {"made": own + calls(days=6)})
    ran = run_here(
        "verify",
        str(tmp_path / "made.jsonl"),
        "--logs",
        str(archive),
        TUNER_STATE_DIR=str(tmp_path),
    )
    said = " ".join(ran.stdout.split())
    assert "the memory never changed" in said
    assert "MB is recommended (tuner apply writes it)" in said


def test_what_differs_from_the_sweep_is_named(verify: Callable[..., dict[str, Any]]) -> None:
    """Another size than recommended, failures aside; production's own cost of an invocation."""
    slower = [each._replace(billed_ms=each.billed_ms * 3) for each in calls()]
    assert "payloads_differ" in codes(verify({"made": slower}))
    other = [
        each._replace(memory_mb=NEW_MB + 64) if each.memory_mb == NEW_MB else each
        for each in calls()
    ]
    found = verify({"made": other})
    assert "other_memory" in codes(found)
    assert found["forecast_saving_ratio"]["estimate"] == pytest.approx(FORECAST, abs=0.03)
    assert found["forecast_saving_ratio"]["estimate"] != FORECAST
    back = [
        each._replace(memory_mb=OLD_MB, version="9") if each.hour > 240 else each
        for each in calls()
    ]
    assert "changed_back" in codes(verify({"made": back}))


@pytest.mark.parametrize(
    ("functions", "said"),
    [
        ({"made": calls(days=6)}, "the memory never changed"),
        ({"made": calls(days=6.6)}, "a day is the least"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    verify: Callable[..., dict[str, Any]], functions: dict[str, list[Call]], said: str
) -> None:
    """The verdict is unknown with the reason, and every figure that isn't known is null."""
    found = verify(functions)
    assert found["verdict"] == "unknown"
    assert said in found["reason"]
    assert found["realized_usd_per_month"] is found["method"] is found["before"] is None


def test_other_functions_logs_are_refused(tmp_path: Path) -> None:
    """With their names, in one line; and so is a folder that isn't there."""
    save_sweep(tmp_path / "made.jsonl", SWEEP)
    archive = write_archive(tmp_path / "logs", {"thumbs": calls(days=2)})
    sweep = str(tmp_path / "made.jsonl")
    ran = run_here("verify", sweep, "--logs", str(archive), TUNER_STATE_DIR=str(tmp_path))
    assert ran.returncode == 1
    assert "they are of thumbs" in one_line(ran)
    ran = run_here("verify", sweep, "--logs", str(tmp_path / "gone"))
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert run_here("verify", sweep, "--ledger").returncode == 2
    assert run_here("verify", sweep, "--from", "2026-03-01").returncode == 2


def test_functions_of_the_name_in_several_accounts_are_refused(tmp_path: Path) -> None:
    """One that stays at its size would pass for a part of the other: nothing is made of both."""
    save_sweep(tmp_path / "made.jsonl", SWEEP)
    write_archive(tmp_path / "logs" / "one", {"made": calls()})
    as_ever = steady(days=13, per_day=200, billed_ms=80, seed=2, memory_mb=OLD_MB)
    write_archive(tmp_path / "logs" / "two", {"made": as_ever}, account="210987654321")
    ran = run_here(
        "verify", str(tmp_path / "made.jsonl"), "--logs", str(tmp_path / "logs"),
        TUNER_STATE_DIR=str(tmp_path),
    )  # fmt: skip
    assert ran.returncode == 1
    assert "of 2 accounts (123456789012, 210987654321)" in one_line(ran)
    assert not (tmp_path / "outcomes.jsonl").exists()


def test_a_sweep_without_a_saving_has_nothing_to_verify(tmp_path: Path) -> None:
    """What production pays is held against what the sweep says, and the ledger stays empty."""
    keeps = made_sweep(mixed_ms, sizes_mb=(128, 192, 256, 512), current_mb=128)
    save_sweep(tmp_path / "made.jsonl", keeps)
    some = [Call(each.hour, 1500, 128) for each in calls(days=2)]
    archive = write_archive(tmp_path / "logs", {"made": some})
    ran = run_here(
        "verify", str(tmp_path / "made.jsonl"), "--logs", str(archive), "--json",
        TUNER_STATE_DIR=str(tmp_path),
    )  # fmt: skip
    found = json.loads(ran.stdout)
    assert (found["verdict"], found["forecast_usd_per_month"]) == ("unknown", None)
    assert "says to keep 128 MB: there is no saving to verify" in found["reason"]
    assert "in production" in found["reason"]
    assert not (tmp_path / "outcomes.jsonl").exists()


def test_a_sweep_without_a_time_is_named(tmp_path: Path) -> None:
    """When the forecast was made isn't known, so nothing is held against it."""
    save_sweep(tmp_path / "made.jsonl", replace(SWEEP, started_at="soon"))
    archive = write_archive(tmp_path / "logs", {"made": calls(days=1)})
    ran = run_here("verify", str(tmp_path / "made.jsonl"), "--logs", str(archive))
    assert "the sweep of made has no time ('soon'): tune again" in one_line(ran)


def test_a_file_that_cannot_be_written_loses_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its folder nothing is read, and a file that fails later comes after the answer."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    save_sweep(tmp_path / "made.jsonl", SWEEP)
    archive = write_archive(tmp_path / "logs", {"made": calls()})
    asked = ("verify", str(tmp_path / "made.jsonl"), "--logs", str(archive), "--json")
    ran = run_here(*asked, "--out", "/nowhere/x.json", TUNER_STATE_DIR=str(tmp_path))
    assert "there is no folder /nowhere" in ran.stderr
    assert not (tmp_path / "outcomes.jsonl").exists()
    ran = run_here(*asked, "--out", str(tmp_path), TUNER_STATE_DIR=str(tmp_path))
    assert "is a folder" in ran.stderr
    assert not (tmp_path / "outcomes.jsonl").exists()
    monkeypatch.setattr("tuner.cli.picture.write_whole", full)
    ran = run_here(*asked, "--out", str(tmp_path / "x.json"), TUNER_STATE_DIR=str(tmp_path))
    assert (ran.returncode, json.loads(ran.stdout)["kind"]) == (1, "verification")
    assert "can't write" in ran.stderr


def test_the_ledger_counts_a_sweep_once(
    verify: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """By its latest verification; a screen and an object."""
    assert "No forecast" in run_here("verify", TUNER_STATE_DIR=str(tmp_path)).stdout
    verify({"made": calls(saving=0.0)})
    verify({"made": calls()})
    found = json.loads(run_here("verify", "--json", TUNER_STATE_DIR=str(tmp_path)).stdout)
    assert (found["outcome_count"], found["held_count"]) == (1, 1)
    assert found["outcomes"][0]["verdict"] == "as_forecast"
    screen = run_here("verify", "--ledger", TUNER_STATE_DIR=str(tmp_path)).stdout
    assert "1 of 1 90% interval held" in screen
    assert "as forecast" in screen


def test_an_account_is_read_as_observe_reads_it(tmp_path: Path) -> None:
    """The same verdict from CloudWatch's log, with code that isn't the sweep's named."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(days=13)
    with moto_process() as url:
        make_function(url, "made", MemorySize=NEW_MB, Timeout=3)
        logs = client("logs", url)
        logs.create_log_group(logGroupName="/aws/lambda/made")
        streams: dict[str, list[dict[str, Any]]] = {}
        for number, each in enumerate(calls(per_day=100)):
            at = start + timedelta(hours=each.hour)
            message = (
                f"REPORT RequestId: {number:08x}-0000-4000-8000-000000000000\tDuration: "
                f"{each.billed_ms}.00 ms\tBilled Duration: {each.billed_ms} ms\t"
                f"Memory Size: {each.memory_mb} MB\tMax Memory Used: 90 MB\t\n"
            )
            stream = f"{start:%Y/%m/%d}/[{each.version}]{0:032x}"
            streams.setdefault(stream, []).append({"timestamp": to_ms(at), "message": message})
        for stream, events in streams.items():
            logs.create_log_stream(logGroupName="/aws/lambda/made", logStreamName=stream)
            logs.put_log_events(
                logGroupName="/aws/lambda/made", logStreamName=stream, logEvents=events
            )
        sweep = replace(SWEEP, started_at="2026-01-01T00:00:00Z")
        save_sweep(tmp_path / "made.jsonl", sweep)
        ran = run_here(
            "verify", str(tmp_path / "made.jsonl"), "--region", REGION, "--endpoint-url", url,
            "--json", TUNER_STATE_DIR=str(tmp_path), AWS_ACCESS_KEY_ID="a",
            AWS_SECRET_ACCESS_KEY="a",
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert (found["verdict"], found["method"]) == ("as_forecast", "before_after")
    assert "code_changed" in codes(found)
    assert found["sources"][0].startswith("CloudWatch Logs")
