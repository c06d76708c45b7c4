"""A machine without a browser: what is tried, and what is said where nothing helps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.chromium import MISSING, launch, use_own_downloads

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_last_line_says_what_was_skipped(tmp_path: Path) -> None:
    """The reasons for skipping, how many tests each, come after pytest's own sums."""
    skipping = 'import pytest\ndef test_one():\n    pytest.skip("no browser: get one")\n'
    (tmp_path / "test_any.py").write_text(skipping + skipping.replace("one()", "two()"))
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", str(tmp_path)]
    ran = subprocess.run(
        [*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.splitlines()[-1] == "skipped: no browser: get one (2)"


@pytest.mark.slow
def test_it_goes_without_where_nothing_is_reachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither apt-get nor the download helps: status 1, and one line that says how to get one."""
    called = tmp_path / "called"
    fake = tmp_path / "apt-get"
    fake.write_text(f'#!/bin/sh\necho "$@" >>{called}\nexit 100\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_DOWNLOAD_HOST", "http://127.0.0.1:9")
    use_own_downloads()
    with sync_playwright() as playwright:
        if launch(playwright) is not None:
            pytest.skip("Playwright's own browser is installed")
    command = [sys.executable, "-m", "tests.browser.chromium"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", MISSING + "\n")
    if os.geteuid() == 0:
        assert called.read_text() == "update\n"
