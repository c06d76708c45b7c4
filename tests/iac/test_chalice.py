"""In a Chalice app a function of one stage gets its memory, and no other one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.iac.editing import check_lines, edited, refusal

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
{
  "version": "2.0",
  "app_name": "shop",
  "lambda_memory_size": 256,
  "stages": {
    "dev": {
      "api_gateway_stage": "api"
    },
    "prod": {
      "lambda_memory_size": 512,
      "lambda_functions": {
        "nightly": {"lambda_memory_size": 1024, "lambda_timeout": 3},
        "hourly": {"lambda_timeout": 3}
      }
    }
  }
}
"""
DEV = """\
      "api_gateway_stage": "api",
      "lambda_functions": {"api_handler": {"lambda_memory_size": 320}}"""
APP = """\
from chalice import Chalice
app = Chalice(app_name="shop")

@app.route("/")
def index(): return {}

@app.schedule("rate(1 day)")
def nightly(event): ...

@app.lambda_function(name="hourly")
def runs_hourly(event, context): ...

@app.on_s3_event(bucket="b")
def on_upload(event): ...
"""


def write(folder: Path) -> Path:
    path = folder / ".chalice" / "config.json"
    path.parent.mkdir()
    path.write_text(CONFIG)
    (folder / "app.py").write_text(APP)
    return path


@pytest.mark.parametrize(
    ("name", "was_mb", "place", "after"),
    [
        ("shop-prod-nightly", 1024, ("prod", "nightly"), None),
        ("shop-prod-hourly", 512, ("prod", "hourly"), None),
        ("shop-prod-on_upload", 512, ("prod", "on_upload"), None),
        ("shop-prod", 512, ("prod", "api_handler"), None),
        (
            "shop-dev",
            256,
            ("dev", "api_handler"),
            DEV,
        ),
    ],
)
def test_a_function_of_a_stage_is_set_on_its_own(
    tmp_path: Path, *, name: str, was_mb: int, place: tuple[str, str], after: str | None
) -> None:
    """Its own value is changed; a stage's or the app's is overridden; the rest stays."""
    path = write(tmp_path)
    found, data = edited(tmp_path, name, 320)
    assert found.was_mb == was_mb
    assert after is None or found.after == after
    check_lines(found, path.read_bytes(), data)
    stage, function = place
    new, old = json.loads(data), json.loads(CONFIG)
    settings = new["stages"][stage]["lambda_functions"]
    assert settings[function].pop("lambda_memory_size") == 320
    before = old["stages"][stage].setdefault("lambda_functions", {}).setdefault(function, {})
    before.pop("lambda_memory_size", None)
    assert new == old


def test_a_name_that_two_stages_have_asks_for_the_stage(tmp_path: Path) -> None:
    """A key alone doesn't say which."""
    path = write(tmp_path)
    assert "say which (`template`, `stage`" in refusal(path, "nightly")
    assert edited(path, "nightly", stage="prod")[0].was_mb == 1024
