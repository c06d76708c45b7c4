"""The package hands its public names on, and loads nothing until one is used."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tuner
from tuner.sweep.store import default_state_dir

HEAVY = {"boto3", "botocore", "scipy", "numpy", "matplotlib", "moto", "typer", "rich"}


def test_importing_the_package_loads_nothing_heavy() -> None:
    """`import tuner` costs next to nothing."""
    code = "import sys, tuner; print(*{name.partition('.')[0] for name in sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(ran.stdout.split()) & HEAVY


@pytest.mark.parametrize("name", tuner.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """What __all__ promises can be had, and dir() shows it."""
    assert getattr(tuner, name) is not None
    assert name in dir(tuner)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """Laziness does not hide a misspelled name."""
    with pytest.raises(AttributeError, match="nope"):
        tuner.nope  # noqa: B018 - looking is the test


MEASURES = (pytest.mark.slow, pytest.mark.xdist_group("cores"))
LIVE = {"tune", "tune_callable"}
NAMES = [
    pytest.param(name, marks=MEASURES if name in LIVE else ())
    for name in tuner.__all__
    if name != "__version__"
]


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example_that_holds(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its docstring has one, which says what it says when it is run on a recorded sweep."""
    root = Path(tuner.__file__).parents[1]
    monkeypatch.chdir(root)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert Path(default_state_dir()).is_relative_to(tmp_path) or sys.platform == "darwin"
    named = {"tuner": tuner, "sweep": tuner.load_sweep("examples/sweeps/mixed.jsonl")}
    example = doctest.DocTestParser().get_doctest(
        getattr(tuner, name).__doc__, named, name, os.fspath(root), 0
    )
    assert example.examples
    said: list[str] = []
    ran = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=said.append)
    assert not ran.failed, "".join(said)
