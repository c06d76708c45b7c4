"""A machine's check is remembered, and told to the sweeps that follow on it."""

from __future__ import annotations

import dataclasses
import json
import stat
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import ROOT
from tuner.api import host_check
from tuner.api.target import connect_to
from tuner.errors import InputError
from tuner.local import cpu_check, machine_load
from tuner.local.execution.cpu.choose import choose_control
from tuner.local.execution.host import look_at_host
from tuner.model.host_check import HostCheck, ShareCheck
from tuner.model.request import Target

if TYPE_CHECKING:
    from pathlib import Path


def result(*, off: float, control: str = "cgroup-v1") -> HostCheck:
    shares = (ShareCheck(128, 1, 128 / 1769, 0.0, 1.0), ShareCheck(1769, 1, 1 + off, 0.0, 1.0))
    return HostCheck(control, 0.05, 2, shares, 0.0, 0.0, 0.0)


@pytest.fixture(autouse=True)
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own state is no part of these tests."""
    monkeypatch.setattr(machine_load, "bare_share", lambda *_: 1.0)


def remember(check: HostCheck, state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the host with what is measured given beforehand."""
    monkeypatch.setattr(cpu_check, "check_control", lambda *_, **__: check)
    assert host_check.check_host("portable", state_dir=state_dir) == (check,)


def test_a_failed_check_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep under the same control hears of it, with the size and the day."""
    remember(result(off=-0.3), tmp_path, monkeypatch)
    (finding,) = host_check.host_findings(tmp_path, "cgroup-v1", 2)
    assert (finding.code, finding.severity) == ("host_check_failed", "warning")
    assert "only up to 128 MB (at 1769 MB a handler got 70% of a core" in finding.message
    assert host_check.host_findings(tmp_path, "stop-continue", 2) == ()
    assert host_check.host_findings(tmp_path, "cgroup-v1", 4) == ()


def test_a_later_check_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each control has one result: the newest. The file is its owner's."""
    for check in (result(off=-0.3), result(off=-0.3, control="stop-continue"), result(off=0.0)):
        remember(check, tmp_path, monkeypatch)
    assert host_check.host_findings(tmp_path, "cgroup-v1", 2) == ()
    assert len(host_check.host_findings(tmp_path, "stop-continue", 2)) == 1
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_local_sweep_s_target_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that is started for a template tells of the check, beside what it knows itself."""
    control = choose_control().kind
    cores = look_at_host().core_count
    failed = dataclasses.replace(result(off=-0.3, control=control), core_count=cores)
    remember(failed, tmp_path / "state", monkeypatch)
    template = ROOT / "examples" / "template.yaml"
    with connect_to(
        "mixed", Target(local_template=template), state_dir=tmp_path / "state"
    ) as target:
        assert "host_check_failed" in {finding.code for finding in target.findings}


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"schema_version": 2}', '{"schema_version": 1, "checks": [{}]}']
)
def test_a_file_that_is_none_is_nothing(tmp_path: Path, content: str) -> None:
    """A broken file, or one of a later version, stops no sweep."""
    (tmp_path / "local-check.json").write_text(content, encoding="utf-8")
    assert host_check.host_findings(tmp_path, "cgroup-v1", 2) == ()


def test_another_machines_check_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state folder that several machines share does not mix them up."""
    remember(result(off=-0.3), tmp_path, monkeypatch)
    file = tmp_path / "local-check.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    document["checks"][0]["machine"] = "another"
    file.write_text(json.dumps(document), encoding="utf-8")
    assert host_check.host_findings(tmp_path, "cgroup-v1", 2) == ()


def test_a_busy_machine_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a bare loop lacks just before the sweep, the sweep will lack too."""
    monkeypatch.setattr(machine_load, "bare_share", lambda *_: 0.61)
    (finding,) = host_check.host_findings(tmp_path, "cgroup-v1", 2)
    assert finding.code == "host_busy"
    assert "61% of a core" in finding.message


def test_a_pause_before_the_sweep_is_no_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of five loops two were disturbed, the first of them: the machine isn't busy."""
    shares = iter([0.7, 0.99, 0.98, 0.9, 0.99])
    monkeypatch.setattr(machine_load, "bare_share", lambda *_: next(shares))
    assert host_check.host_findings(tmp_path, "cgroup-v1", 2) == ()


def test_a_state_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says where the result could not be kept."""
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="TUNER_STATE_DIR"):
        remember(result(off=0.0), blocked / "state", monkeypatch)
    assert list(tmp_path.iterdir()) == [blocked]
