"""The report page as a file: self-contained, small, the same again."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.report.views import MIXED, large_sweep, mixed, shown
from tuner import Goal, load_sweep
from tuner.api.answers import view
from tuner.breakeven.terms import Terms
from tuner.breakeven.traffic import traffic_of_rate
from tuner.model.recommendation import Tradeoff
from tuner.report.page.html import render
from tuner.report.page.sections import captions
from tuner.session import analyse

RATE = Terms(traffic=traffic_of_rate(50.0))


def data_of(html: str) -> Any:
    [text] = re.findall(r'<script type="application/json" id="tuner-data">(.*?)</script>', html)
    return json.loads(text)


def test_five_hundred_invocations_fit_in_250_kilobytes() -> None:
    """Every invocation is in the page, and so is the chart library with its license."""
    sweep = large_sweep()
    html = render([shown(sweep, rate_per_s=50.0)])
    assert len(html.encode()) < 250_000
    assert len(data_of(html)["sweeps"][0]["samples"]) == len(sweep.invocations) >= 500
    assert "The MIT License (MIT)" in html
    assert "Leon Sorokin" in html


def test_the_page_without_its_data_is_under_150_kilobytes() -> None:
    """What every page carries stays small."""
    html = render([mixed()])
    assert len(html.encode()) - len(json.dumps(data_of(html))) < 150_000


def test_the_same_sweep_gives_the_same_bytes() -> None:
    """No date and no random id is in it, so that a page can be compared with an earlier one."""
    assert render([mixed()]) == render([mixed()])


def test_the_data_are_the_answer_s_own_figures() -> None:
    """To five digits, every size's estimate and interval are those of the recommendation."""
    view = mixed()
    curve = data_of(render([view]))["sweeps"][0]["curve"]
    for number, each in enumerate(view.recommendation.curve):
        assert curve["sizes"][number] == each.memory_mb
        for part, interval in (("duration", each.duration_ms), ("cost", each.cost_usd_per_million)):
            shown_figures = [column[number] for column in curve[part]]
            expected = [interval.estimate, interval.low, interval.high]
            assert shown_figures == pytest.approx(expected, rel=1e-4)


def test_a_page_tells_how_to_get_it_again() -> None:
    """The commands that gave it are shown; without any there is no such line."""
    made = replace(mixed(rate_per_s=20.0), page_command="tuner report x", measure_command="again")
    assert "<code>tuner report x</code>" in render([made])
    assert "from the saved sweep" not in render([mixed()])


def test_a_percentile_that_was_asked_for_is_in_the_table() -> None:
    """With a column of its own, and how many samples a measured one takes."""
    answered = analyse(large_sweep(), Goal(percentile=95))
    html = render([view(answered, source="made")])
    assert '<th scope="col">p95</th>' in html
    assert "measuring p95 takes" in html


def test_a_single_size_on_the_front_is_named() -> None:
    """Without a count or a range; several are counted, from the least to the greatest."""
    view = mixed(rate_per_s=None)
    for front, said in (((1024,), "1024 MB"), ((512, 1024), "2 sizes from 512 to 1024 MB")):
        answer = replace(view.recommendation, tradeoff=Tradeoff(front, None, ()))
        caption = captions(replace(view, recommendation=answer))["front"]
        assert caption == f"No other size beats {said} on both."


def test_a_finding_is_told_once() -> None:
    """What stands beside the platforms does not stand among the findings again."""
    late = view(analyse(large_sweep()), source="made", terms=RATE, today=date(2026, 9, 15))
    assert render([late]).count("<code>old_prices</code>") == 1


def test_the_age_of_prices_is_told_once() -> None:
    """Of all that the page rests on, the oldest; with a rate and without."""
    for terms in (RATE, Terms()):
        made = view(analyse(load_sweep(MIXED)), source="mixed", terms=terms, today=date(2030, 1, 1))
        assert render([made]).count("<code>old_prices</code>") == 1


def test_nothing_of_an_account_is_in_the_page() -> None:
    """Neither the ARN nor the role's settings are shown."""
    html = render([mixed()])
    assert "arn:aws" not in html
    assert "a248882b35b7" not in html
