"""What notebooks call: the frame, the curve and the figures, from the public names alone."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tuner
from tests.report.views import large_sweep
from tests.sweeps import cpu_bound_ms, made_sweep
from tuner.api.tuning import request_of
from tuner.report.breakeven import to_json as break_even_json
from tuner.report.json import comparison_json, to_json
from tuner.session import analyse
from tuner.session import recommend as recommend_from

if TYPE_CHECKING:
    from collections.abc import Callable

SWEEPS = Path(tuner.__file__).parents[1] / "examples" / "sweeps"
MIXED = SWEEPS / "mixed.jsonl"


def presented() -> list[Any]:
    """Every kind of value that a notebook shows, small and large."""
    mixed, worker = (
        tuner.load_sweep(SWEEPS / f"{name}.jsonl") for name in ("mixed", "queue-worker")
    )
    return [
        *(mixed, worker, analyse(mixed), analyse(worker)),
        *(tuner.recommend(mixed), tuner.recommend(worker), tuner.break_even(mixed, "50/s")),
        tuner.compare(mixed, worker, different_functions=True),
    ]


def test_a_frame_has_every_invocation() -> None:
    """One row each, with what the platform reported; a warm call has no INIT."""
    sweep = made_sweep()
    frame = sweep.to_frame()
    assert len(frame) == len(sweep.invocations)
    assert frame.duration_ms.tolist() == [
        i.report.duration_ms for i in sweep.invocations if i.report
    ]
    assert frame[frame.warm_sample].init_duration_ms.isna().all()
    assert frame.outcome.unique().tolist() == ["success"]


def test_a_frame_of_nothing_has_its_columns() -> None:
    """An empty sweep and one whose replies were lost have the same columns as any other."""
    sweep = made_sweep()
    empty = replace(sweep, invocations=())
    lost = replace(sweep, invocations=(replace(sweep.invocations[0], report=None),))
    columns = sweep.to_frame().columns.tolist()
    assert empty.to_frame().columns.tolist() == columns == lost.to_frame().columns.tolist()
    assert lost.to_frame().duration_ms.isna().all()


def test_a_frame_without_pandas_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the extra."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(tuner.TunerError, match=r"pip install .*\[notebook\]"):
        made_sweep().to_frame()


def test_a_curve_of_a_sweep_is_the_answer_s() -> None:
    """Its mean at a size is the estimate that the recommendation gives for it."""
    sweep = made_sweep()
    curve, answer = tuner.fit_curve(sweep), tuner.recommend(sweep)
    sizes = [each.memory_mb for each in answer.curve]
    estimates = [each.duration_ms.estimate for each in answer.curve]
    assert np.allclose(curve.mean_ms(sizes), estimates)


def test_one_of_several_payloads_must_be_named() -> None:
    """Each has its own curve; without a name, or with a wrong one, the line lists them."""
    sweep = large_sweep()
    with pytest.raises(tuner.TunerError, match="empty, large"):
        tuner.fit_curve(sweep)
    with pytest.raises(tuner.TunerError, match="empty, large"):
        tuner.fit_curve(sweep, "small")
    ratio = tuner.fit_curve(sweep, "large").mean_ms([512]) / tuner.fit_curve(
        sweep, "empty"
    ).mean_ms([512])
    assert ratio[0] == pytest.approx(2, rel=0.1)


def test_what_the_calls_return_can_be_drawn() -> None:
    """A sweep, a comparison and a break-even each become a figure that shows itself as a PNG."""
    sweep = made_sweep()
    slower = made_sweep(lambda mb: 1.2 * cpu_bound_ms(mb), seed=2)
    for each in (sweep, tuner.compare(sweep, slower), tuner.break_even(sweep)):
        assert tuner.plot(each)._repr_png_().startswith(b"\x89PNG")


def test_an_answer_is_drawn_as_its_sweep_is() -> None:
    """A recommendation and an analysis become the sweep's own figure, also of a varied sweep; one
    whose sweep is in no file says what to pass.
    """
    queue = tuner.load_sweep("examples/sweeps/queue-worker.jsonl")
    drawn = [
        tuner.plot(each)._repr_png_() for each in (queue, tuner.recommend(queue), analyse(queue))
    ]
    assert drawn[0] == drawn[1] == drawn[2]
    with pytest.raises(tuner.TunerError, match="pass the sweep first, then the answer"):
        tuner.plot(tuner.recommend(made_sweep()))


def test_values_are_one_short_line() -> None:
    """A cell that ends in one shows what it is, however many invocations and draws it holds."""
    traffic = tuner.Traffic(50, shape=(1.0,) * 720)
    for each in (*presented(), tuner.fit_curve(MIXED)):
        assert len(repr(each)) < 300
        assert "\n" not in repr(each)
    lambda_cost, *_, fargate = tuner.break_even(MIXED, "50/s").platforms
    for long in (traffic, tuner.Terms(traffic), tuner.Goal(), lambda_cost, fargate):
        assert len(repr(long)) < 2000


def test_a_notebook_shows_the_verdict_and_the_options() -> None:
    """A sweep and its analysis show the answer that they give; the card has every option."""
    mixed = tuner.load_sweep(MIXED)
    answer = tuner.recommend(mixed)
    card = answer._repr_html_()
    assert card == mixed._repr_html_() == analyse(mixed)._repr_html_()
    for word in ("RESIZE", "cheapest", "balanced", "fastest", f"{answer.memory_mb} MB"):
        assert word in card


def test_every_value_has_a_card() -> None:
    """Each is one element, small enough for a notebook that is kept."""
    for each in presented():
        card = each._repr_html_()
        assert card.startswith("<div")
        assert card.count("<div") == card.count("</div>")
        assert len(card) < 15_000


def test_a_sweep_without_an_answer_shows_its_repr() -> None:
    """No traceback stands in a notebook where a region has no prices."""
    sweep = made_sweep()
    nowhere = replace(sweep, function=replace(sweep.function, region="nowhere-1"))
    assert nowhere._repr_html_() is None


def test_what_machines_read_is_what_json_prints() -> None:
    """`to_dict` is the promised object, `to_json` its text; an analysis has its answer's."""
    mixed = tuner.load_sweep(MIXED)
    analysis, answer, found = analyse(mixed), tuner.recommend(mixed), tuner.break_even(mixed)
    same = tuner.compare(mixed, mixed)
    assert answer.to_dict() == to_json(recommend_from(analysis)) == analysis.to_dict()
    assert found.to_dict() == break_even_json(found)
    assert same.to_dict() == comparison_json(same)
    for each in presented():
        assert json.loads(each.to_json()) == json.loads(json.dumps(each.to_dict()))
    told = mixed.to_dict()
    assert (told["kind"], len(told["invocations"])) == ("sweep", len(mixed.invocations))


def test_an_answer_has_its_size_and_saving_at_hand() -> None:
    """They are the choice's; an inconclusive answer has neither."""
    answer = tuner.recommend(MIXED)
    assert (answer.verdict, answer.memory_mb) == (answer.choice.verdict, answer.choice.memory_mb)
    assert answer.confidence == answer.choice.confidence
    assert answer.saving == answer.choice.saving_ratio
    empty = tuner.recommend(replace(made_sweep(), invocations=()))
    assert (empty.memory_mb, empty.saving) == (None, None)
    assert "inconclusive" in repr(empty)


def test_paths_names_and_numbers_stand_for_values() -> None:
    """What a person would write gives the same answer as the value that it means."""
    sweep = tuner.load_sweep(MIXED)
    at_50 = tuner.Terms(tuner.Traffic(50.0))
    assert tuner.recommend(str(MIXED), "speed") == tuner.recommend(sweep, tuner.Goal("speed"))
    for rate in ("50/s", "3000/min", 50, tuner.Traffic(50.0)):
        assert tuner.break_even(MIXED, rate) == tuner.break_even(sweep, at_50)
    assert tuner.recommend(sweep, terms="50/s").choice.saving_usd_per_month is not None
    assert tuner.compare(MIXED, str(MIXED), "speed").kind == "same"


def test_payloads_may_be_the_events_themselves() -> None:
    """A dict is inline JSON, a path its name; one alone needs no list."""
    assert request_of("f", {"payloads": {"n": 1}}).measure.payloads == ('{"n": 1}',)
    assert request_of("f", {"payloads": "event.json"}).measure.payloads == ("event.json",)
    many: list[Any] = [Path("event.json"), [1, 2], "sqs"]
    assert request_of("f", {"payloads": many}).measure.payloads == ("event.json", "[1, 2]", "sqs")
    assert request_of("f", {"memory_sizes_mb": 512}).measure.memory_sizes_mb == (512,)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tuner.recommend(3), "an int .* pass a Sweep, a sweep file's path"),
        (lambda: tuner.recommend(None), "^None can't be used here: pass a Sweep"),
        (lambda: tuner.recommend(MIXED, 3), "pass a goal's name such as"),
        (lambda: tuner.recommend(MIXED, "fast"), "'fast' isn't a goal: pass cost, balanced, speed"),
        (lambda: tuner.recommend(MIXED, min_memory_mb="512"), "`min_memory_mb` is '512': pass"),
        (lambda: tuner.break_even(MIXED, "50/y"), "no known unit: write 50/s"),
        (lambda: tuner.break_even(MIXED, "fifty"), "'fifty' isn't a rate: write 50/s, 3000/min"),
        (lambda: tuner.break_even(MIXED, [50]), 'a list .* pass a rate such as "50/s"'),
        (lambda: tuner.break_even(MIXED, -3), "give one above 0"),
        (lambda: tuner.recommend(MIXED, today="soon"), "pass a datetime.date, or text such as"),
        (lambda: tuner.compare(MIXED), "one sweep is given: pass two"),
        (lambda: tuner.plot(tuner.Goal()), "a Goal .* pass a Sweep"),
        (lambda: tuner.plot(MIXED, 3), "pass the sweep's Recommendation"),
        (lambda: tuner.fit_curve(MIXED, draw_count=0), "draw_count=0 is too few: pass"),
        (lambda: tuner.load_sweep(3), "3 isn't a sweep: pass a file's path"),
        (lambda: tuner.Goal(percentile=100), "`percentile` is 100: pass"),
        (lambda: tuner.Goal(time_weight=-1), "`time_weight` is -1: pass a number from 0"),
        (lambda: tuner.Goal(tolerance_ratio="2%"), "`tolerance_ratio` is '2%': pass"),
        (lambda: tuner.Goal(tolerance_ratio=None), "`tolerance_ratio` is None: pass"),
        (lambda: tuner.Goal(max_duration_ms=float("inf")), "`max_duration_ms` is inf: pass"),
        (lambda: tuner.Terms("50/s"), "`traffic` is '50/s': pass a Traffic"),
        (lambda: tuner.Terms(utilization="60%"), "`utilization` is '60%': pass a number"),
        (lambda: tuner.Traffic("50/s"), "`rate_per_s` is '50/s': pass a number"),
        (lambda: tuner.Traffic(50, peak_ratio=0.5), "a peak of 0.5 times the mean"),
        (lambda: tuner.tune(3), "3 isn't a function: pass its name"),
        (lambda: tuner.tune("f", max_invocations="20"), "`max_invocations` is '20': pass a whole"),
        (lambda: tuner.tune("f", payloads=[{1, 2}]), "a set isn't an event: pass JSON"),
    ],
)
def test_a_wrong_value_is_told_with_what_to_pass(call: Callable[[], object], says: str) -> None:
    """One line, an error of the tool's, before anything is done."""
    with pytest.raises(tuner.TunerError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)
