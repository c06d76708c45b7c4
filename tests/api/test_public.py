"""The package hands its public names on, and loads nothing until one is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tuner

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
    """Laziness does not hide a misspelt name."""
    with pytest.raises(AttributeError, match="nope"):
        tuner.nope  # noqa: B018 - looking is the test
