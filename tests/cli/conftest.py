"""A server that plays GitHub, and the environment of a job that comments there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.forge.fake_github import NUMBER, REPOSITORY, FakeGithub, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def github() -> Iterator[FakeGithub]:
    with serving() as server:
        yield server


@pytest.fixture
def job(github: FakeGithub, tmp_path: Path) -> dict[str, str]:
    """What a workflow on a pull request finds in its environment."""
    return {
        "GITHUB_TOKEN": "ghs_secret",
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_REF": f"refs/pull/{NUMBER}/merge",
        "GITHUB_API_URL": github.url,
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_EVENT_PATH": "",
    }
