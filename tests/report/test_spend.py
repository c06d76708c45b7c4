"""What is shown of where the money goes, as text, Markdown, JSON, figure and card."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.docs import json_schema
from tests.report.spends import made_spend
from tuner.report.card import spend_card
from tuner.report.figures.canvas import render_figure
from tuner.report.figures.spend import draw_spend
from tuner.report.spend import render, render_markdown
from tuner.report.spend_days import by_day, relative_prices

if TYPE_CHECKING:
    from tuner.model.spend import Spend


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_change_is_told_in_one_sentence() -> None:
    """Function, deployment, when, by how much, dollars a month, and that traffic isn't in it."""
    text = words(render(made_spend(), width=100))
    assert (
        "search, deploy 42 on 10 March 14:05: +20% an invocation (+18% to +22%), +$60.80 a month "
        "(90%: +$55.00 to +$67.00); traffic +50%, which isn't in it"
    ) in text
    assert "mail, no deployment known, about 15 March 02:00: −10% an invocation" in text


def test_keys_stand_in_order_of_cost_with_what_moved_them() -> None:
    """Costs, shares and the week's difference by traffic and by invocation."""
    lines = render(made_spend(), width=100).splitlines()
    [search] = [line.split() for line in lines if line.strip().startswith("search ")][:1]
    assert search[1:5] == ["$220.00", "96%", "200,000", "1,100"]
    assert search[5:8] == ["+$2.00/day", "+$0.50/day", "+$1.50/day"]
    assert words(render(made_spend(), width=100)).count("cost per $1") == 1


def test_the_bill_and_its_difference_are_told() -> None:
    """Both sums, the price of a GB-second and each reason."""
    text = words(render(made_spend(), width=100))
    assert "the bill has $200.00, the logs add up to $230.00 at list price: $30.00 less." in text
    assert "A GB-second is billed at 85% of that." in text
    assert "price −$33.00 off" in text


def test_nothing_is_said_of_what_is_not_there() -> None:
    """Without changes, revenue and bill the answer is short, and says that nothing changed."""
    bare = replace(made_spend(), changes=(), revenue=(), bill=None, movements=(), findings=())
    text = render(bare, width=80)
    assert "No change of what an invocation costs was found." in text
    assert "bill" not in text
    assert all(len(line) <= 120 for line in text.splitlines())


def test_ascii_is_enough() -> None:
    """A terminal without Unicode gets no bars and no question marks in place of them."""
    text = render(made_spend(), width=100, encoding="ascii")
    assert text.isascii()
    assert "?" not in text


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "\x1b[31m|*_`", "\u202e"])
def test_foreign_names_are_inert(hostile: str) -> None:
    """In the terminal, in Markdown and on a card."""
    answer = made_spend(hostile=hostile)
    for text in (render(answer, width=100), render_markdown(answer), spend_card(answer)):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "<script>" not in render_markdown(answer)
    assert "<script>" not in spend_card(answer)


def test_json_is_the_promised_object() -> None:
    """Every key of the schema, with times in UTC."""
    answer = made_spend()
    json_schema.check(answer.to_json())
    found = answer.to_dict()
    assert found["changes"][0]["cause"] == {
        "at": "2026-03-10T14:05:00Z", "function": "search", "version": "42", "source": "version",
    }  # fmt: skip
    assert found["changes"][1]["cause"] is None
    assert found["days"][0] == {
        "day": "2026-03-01", "key": "mail", "invocation_count": 1000, "cost_usd": 0.5,
        "cost_usd_per_million": 500.0,
    }  # fmt: skip


def test_the_figure_shows_each_key_and_change() -> None:
    """A line a key and the labels of the changes; the same answer is the same picture."""
    answer = made_spend()
    figure = draw_spend(answer)
    costs, prices = figure.axes
    [*_, legend] = [each for each in (costs.get_legend(),) if each]
    assert [each.get_text() for each in legend.get_texts()] == ["search", "mail"]
    said = [each.get_text() for each in prices.texts]
    assert said == ["+20% deploy 42", "−10% no deployment"]
    assert render_figure(figure, "svg") == render_figure(draw_spend(answer), "svg")


def test_many_keys_share_a_band() -> None:
    """Six have one of their own, the others are together, and nothing is lost."""
    answer = many_keys(9)
    days = sorted({each.day for each in answer.days})
    rest, _ = by_day(answer, days)
    own = sum(by_day(answer, days, key)[0].sum() for key in answer.keys[:6])
    assert rest.sum() > 0
    assert own + rest.sum() == pytest.approx(answer.cost_usd)
    draw_spend(answer)


def test_the_first_week_is_a_hundred_percent() -> None:
    """By hand: 10 cents a hundred invocations for a week, then 12."""
    answer = made_spend()
    days = sorted({each.day for each in answer.days})
    ratios = relative_prices(*by_day(answer, days, "search"))
    assert ratios[0] == pytest.approx(1.0)
    assert ratios[-1] == pytest.approx(1.2)


def many_keys(count: int) -> Spend:
    answer = made_spend()
    keys = tuple(f"key-{number}" for number in range(count))
    days = tuple(
        replace(each, key=key, cost_usd=each.cost_usd * (count - number))
        for number, key in enumerate(keys)
        for each in answer.days
        if each.key == "mail"
    )
    return replace(answer, keys=keys, days=days, changes=(), movements=(), revenue=())
