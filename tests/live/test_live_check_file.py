"""The file of a live check, held against what the tool relies on.

One of the local Lambda is kept here. `TUNER_LIVE_CHECK=FILE` adds another, of an account most of
all.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tuner.api.live_check.file import read_check
from tuner.api.live_check.probing import BUDGET_USD
from tuner.model.lambda_limits import vcpu_share

if TYPE_CHECKING:
    from tuner.model.live_check import LiveCheck

RECORDED: Final = Path(__file__).parent / "local.json"
FILES: Final = [RECORDED, *map(Path, filter(None, [os.environ.get("TUNER_LIVE_CHECK")]))]
RELIED_ON: Final = (
    "a function's fields",
    "a version after publishing",
    "LastModified",
    "settings",
    "REPORT lines",
    "reads after an update",
    "an old RevisionId",
    "RevisionId",
    "publishing twice",
    "reply to timeout",
    "reply to out-of-memory",
    "after a sweep, version",
    "after a sweep, clone",
    "a killed sweep, recovered",
    "the report as Text",
    "the report as JSON",
    "at the end",
)
"""Were one of these otherwise, a sweep could do harm or answer from something else."""


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def check(request: pytest.FixtureRequest) -> LiveCheck:
    return read_check(request.param)


def test_what_sweeps_rely_on_was_seen(check: LiveCheck) -> None:
    """None of it differs; what a first step without a function can't see isn't there."""
    states = {each.topic: each.state for each in check.assumptions}
    assert {topic: states[topic] for topic in RELIED_ON if states.get(topic) == "differs"} == {}
    assert states["a killed sweep, recovered"] == "same"


def test_it_left_nothing_and_cost_less_than_a_cent(check: LiveCheck) -> None:
    """The function is deleted, and the bill is what was said."""
    assert check.created
    assert check.left == ()
    assert 0 < check.cost_usd < BUDGET_USD
    assert check.cost_usd < 3 * check.expected_cost_usd


def test_shares_of_cpu_grow_with_memory(check: LiveCheck) -> None:
    """None of the shares is above its credit by more than a tenth: durations aren't flattered."""
    shares = {
        int(found[1]): each.number
        for each in check.figures
        if (found := re.fullmatch(r"cpu_share_([0-9]+)_mb", each.name)) and each.number
    }
    assert shares  # on a busy machine only those of the small sizes are known
    for memory_mb, share in shares.items():
        assert share <= 1.1 * min(vcpu_share(memory_mb), 2.0)


def test_nothing_of_the_account_is_in_it(check: LiveCheck) -> None:
    """Neither an account id nor a request id, a role or a link."""
    for text in (*(each.body for each in check.replies), *(e.seen for e in check.assumptions)):
        assert not re.search(r"(?<![0-9.])(?!0{12})[0-9]{12}(?![0-9])", text)
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-", text)
        assert not re.search(r"role/(?!NAME)", text)
        assert "https://" not in text
