"""`tuner cold` with real handlers, on the local Lambda."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import run_here
from tests.docs import json_schema


@pytest.mark.slow
def test_the_slow_import_of_an_example_is_named(tmp_path: object) -> None:
    """heavy-import builds its tables in `rules`; SnapStart and provisioned concurrency have a
    price, and the copy that times imports is gone.
    """
    ran = run_here(
        *("cold", "heavy-import", "--local", "examples/template.yaml", "--rate", "5/h"),
        *("--memory-sizes", "512", "--max-invocations", "14", "--json"),
        TUNER_STATE_DIR=str(tmp_path),
    )
    assert ran.returncode == 0, ran.stderr
    json_schema.check(ran.stdout)
    answer = json.loads(ran.stdout)
    assert answer["slow_imports"][0]["module"] == "rules"
    (size,) = answer["sizes"]
    assert size["sample_count"] == 2
    assert size["parts"]["imports_ms"] > 0.5 * size["init_duration_ms"]["estimate"]
    assert "slow_import" in {each["code"] for each in answer["findings"]}
    named = {each["name"]: each for each in answer["options"]}
    assert set(named) == {"none", "snapstart", "provisioned"}
    assert all(each["cost_usd_per_month"] > 0 for each in named.values())
    assert "copy deleted, nothing left" in ran.stderr
