from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.recorded.replay import load, replay
from tests.recorded.scenarios import FROM_S3, ON_PURPOSE, REAL, SCENARIOS
from tests.recorded.table import by_class, reasons, summary, unaccounted, words

FOLDER = os.environ.get("TUNER_RECORDED_REPLIES")


@pytest.mark.timeout(900)
@pytest.mark.skipif(FOLDER is None, reason="TUNER_RECORDED_REPLIES names no folder of recordings")
def test_the_local_lambda_answers_as_aws_did(capsys: pytest.CaptureFixture[str]) -> None:
    """Every reply is AWS's, field by field, but for what is listed with its reason."""
    recorded = load(Path(FOLDER or ""))
    result = replay(recorded, SCENARIOS, REAL, FROM_S3)
    unexplained = [
        each for each in result.differences if not any(reason.covers(each) for reason in ON_PURPOSE)
    ]
    with capsys.disabled():
        print(f"\n{result.of_operations()}\n\n{summary(result, ON_PURPOSE)}")
        print(f"\n{by_class(recorded, result)}")
        print(f"\nFields and errors that differ on purpose:\n{reasons(result, ON_PURPOSE)}")
        print(f"\nReplies refused by name, and those that would follow:\n{words(result)}")
    assert not unexplained, "\n".join(
        f"{each.scenario} {each.step} {each.operation} {each.path}\n"
        f"  AWS:   {str(each.recorded)[:300]}\n  local: {str(each.local)[:300]}"
        for each in unexplained
    )
    assert not unaccounted(recorded, result)
    assert all(any(map(each.covers, result.differences)) for each in ON_PURPOSE)
