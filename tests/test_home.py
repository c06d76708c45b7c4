"""What the owner of the machine keeps is neither read nor written by the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import ROOT, run_here, variables_for
from tests.cli.scripted import at, server
from tests.end_to_end.running import environment
from tuner.cli.config import state_dir

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tuner.local import LocalLambda

__all__ = ["server"]
PLACES = """
import botocore.session
from tuner.pricing.renewal import default_data_dir
from tuner.cli.config import users_own_path
from tuner.cli.config import state_dir

session = botocore.session.Session()
files = map(session.get_config_variable, ("config_file", "credentials_file"))
for place in (state_dir(), default_data_dir(), users_own_path(), *files):
    print(place)
"""


@pytest.mark.parametrize(
    "variables", [lambda _home: dict(os.environ), lambda _home: variables_for(), environment]
)
def test_every_process_keeps_its_things_in_a_temporary_home(
    temporary_home: Path, variables: Callable[[Path], dict[str, str]]
) -> None:
    """Sweeps, prices, settings and the SDK's files, however a test starts the process."""
    ran = subprocess.run(
        [sys.executable, "-c", PLACES],
        cwd=ROOT, env=variables(temporary_home), capture_output=True, text=True, check=True,
    )  # fmt: skip
    places = [line.replace("~", str(temporary_home), 1) for line in ran.stdout.splitlines()]
    assert len(places) == 5
    for place in places:
        assert place.startswith((str(temporary_home), "/nonexistent")), place


def test_a_sweep_without_a_folder_of_its_own_is_kept_there(
    temporary_home: Path, server: LocalLambda
) -> None:
    """As a test starts it that gives no state folder."""
    ran = run_here("tune", "other", *at(server), "--max-invocations", "4", "--yes")
    assert ran.returncode == 0, ran.stderr
    found = [str(path) for path in temporary_home.rglob("sweeps/other/*.jsonl")]
    assert len(found) == 1
    assert str(state_dir()).startswith(str(temporary_home))
