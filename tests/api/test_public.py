"""The package hands its public names on, and loads nothing until one is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tuner
from tuner import api

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


@pytest.mark.parametrize("name", api.__all__)
def test_every_name_of_the_api_is_there_and_callable(name: str) -> None:
    """Names come from the room's modules, and none is hidden by a module of its name."""
    assert callable(getattr(api, name))


@pytest.mark.parametrize("package", [tuner, api])
def test_an_unknown_name_is_an_attribute_error(package: object) -> None:
    """Laziness does not hide a misspelt name."""
    with pytest.raises(AttributeError, match="nope"):
        package.nope  # noqa: B018 - looking is the test
