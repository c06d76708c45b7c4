"""The main job from the installed package alone."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import run_here
from tests.end_to_end.running import ROOT
from tuner.cli.config import examples_dir
from tuner.cli.values import template
from tuner.iac import read_template
from tuner.model.optional_import import install_command

if TYPE_CHECKING:
    from pathlib import Path


def test_a_recorded_sweep_is_answered_without_running_anything() -> None:
    """It has a verdict, from the examples' own sweep."""
    ran = run_here("demo", "--recorded")
    assert ran.returncode == 0
    assert "mixed · local" in ran.stdout


def test_demo_names_the_examples_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From any folder, unless it has a file of that name."""
    monkeypatch.chdir(tmp_path)
    assert "mixed" in {each.name for each in read_template(template("demo")).functions}
    (tmp_path / "demo").touch()
    assert template("demo").samefile(tmp_path / "demo")


@pytest.mark.parametrize(
    ("source", "command"),
    [
        (None, "pip install 'lambda-tuner[local]'"),
        (
            {"url": "file:///srv/my%20tools", "dir_info": {"editable": True}},
            "pip install -e '/srv/my tools[local]'",
        ),
        (
            {"url": "file:///srv/t-0.1.whl", "archive_info": {}},
            "pip install '/srv/t-0.1.whl[local]'",
        ),
        (
            {"url": "https://forge.example/t.git", "vcs_info": {"vcs": "git", "commit_id": "1"}},
            "pip install 'lambda-tuner[local] @ git+https://forge.example/t.git'",
        ),
    ],
)
def test_an_extra_comes_from_where_the_package_came(
    source: dict[str, object] | None,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An index is named only where the package came from one."""
    info = tmp_path / "lambda_tuner-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lambda-tuner\nVersion: 9\n")
    if source is not None:
        (info / "direct_url.json").write_text(json.dumps(source))
    monkeypatch.syspath_prepend(str(tmp_path))
    assert install_command("local") == command


@pytest.mark.slow
def test_the_wheel_has_what_the_demo_needs(tmp_path: Path) -> None:
    """Installed elsewhere, it answers from its recorded sweep, and has the examples' handlers."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--target", str(tmp_path), str(ROOT)], check=True)
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {sysconfig.get_path('purelib')!r}]\n"
        "from tuner.cli.main import main; import tuner\n"
        f"assert tuner.__file__.startswith({str(tmp_path)!r})\n"
        "sys.argv[1:] = ['demo', '--recorded']; main()"
    )
    argv = [sys.executable, "-I", "-S", "-c", code]
    ran = subprocess.run(argv, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "mixed · local" in ran.stdout
    for name in ("template.yaml", "mixed/app.py", "sweeps/mixed.jsonl"):
        installed = tmp_path / "tuner" / "examples" / name
        assert installed.read_bytes() == (examples_dir() / name).read_bytes()
