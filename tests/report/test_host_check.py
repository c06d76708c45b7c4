"""What a check of the machine says: up to which size it is true, and why no further."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.model.host_check import HostCheck, ShareCheck
from tuner.report import host_check

SIZES = (128, 512, 1769)


def share(memory_mb: int, off: float = 0.0, *, bare: float = 1.0, workers: int = 1) -> ShareCheck:
    expected = min(memory_mb / 1769, workers)
    return ShareCheck(memory_mb, workers, expected * (1 + off), 0.012, bare)


def checked(*shares: ShareCheck, steal: float | None = 0.01) -> HostCheck:
    return HostCheck("cgroup-v1", 0.05, 2, shares, 0.001, steal, steal)


def test_a_true_machine_says_so() -> None:
    """Every share within the tolerance: true up to the largest size."""
    text = host_check.render([checked(*map(share, SIZES))])
    assert "ACCURATE up to 1769 MB, within 5%" in text
    assert "untrue" not in text
    assert "busy" not in text
    assert "   128 MB    7.2%      7.2%  +0.0%    1.2%       100%" in text


def test_the_first_size_that_is_off_ends_the_trust() -> None:
    """A larger size that happens to be right is not trusted again."""
    check = checked(share(128), share(512, -0.2), share(1769))
    text = host_check.render([check])
    assert check.trusted_up_to_mb == 128
    assert "ACCURATE up to 128 MB, within 5%: at 512 MB a handler got 23%" in text
    assert [line.endswith("untrue") for line in text.splitlines() if " MB  " in line] == [
        False, True, False
    ]  # fmt: skip


def test_a_machine_that_is_true_nowhere() -> None:
    """The smallest size being off leaves nothing to trust, and a busy machine is called one."""
    text = host_check.render([checked(share(128, 0.4, bare=0.5), share(512))])
    assert "NOT ACCURATE at any size: at 128 MB a handler got 10%" in text
    assert "! the machine is busy" in text


def test_several_cores_are_expected_of_several_workers() -> None:
    """Above a core the share is what the workers can use of it."""
    assert share(3538, workers=2).expected_cores == 2
    assert share(3538, workers=1).expected_cores == 1


def test_json_has_the_same_figures() -> None:
    """One object, plain numbers, null where the machine does not tell."""
    document = host_check.to_json([checked(*map(share, SIZES), steal=None)])
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    (check,) = document["checks"]
    assert (check["trusted_up_to_mb"], check["busy"], check["steal_ratio"]) == (1769, False, None)
    assert [size["memory_mb"] for size in check["sizes"]] == list(SIZES)
    assert "steal and load can't be read here" in host_check.render([checked(steal=None)])


def test_ascii_terminals_get_ascii() -> None:
    """Without the signs of the table it is still a table."""
    host_check.render([checked(*map(share, SIZES))], encoding="ascii").encode("ascii")


@pytest.mark.parametrize("tolerance", [0.05, 0.1])
@given(offs=st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=6))
def test_trust_ends_where_truth_does(tolerance: float, offs: list[float]) -> None:
    """Every size up to the trusted one is within the tolerance; the next one is not."""
    shares = tuple(share(128 * (1 + place), off) for place, off in enumerate(offs))
    check = HostCheck("stop-continue", tolerance, 1, shares, 0.0, None, None)
    trusted = check.trusted_up_to_mb or 0
    assert all(abs(one.off_ratio) <= tolerance for one in shares if one.memory_mb <= trusted)
    following = [one for one in shares if one.memory_mb > trusted]
    assert not following or abs(following[0].off_ratio) > tolerance
