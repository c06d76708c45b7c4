"""The figure holds what the answer and the sweep say, at the right memory sizes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.report import answers
from tests.sweeps import made_function, made_sweep
from tuner.errors import InputError
from tuner.model.invocation import Outcome
from tuner.model.plan import PayloadClass
from tuner.report.figures.canvas import FigureFormat, render_figure
from tuner.report.figures.curves import draw_recommendation

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep

VERDICTS = [answers.resize, answers.keep, answers.inconclusive]


def sweep_of(**changes: Any) -> Sweep:
    """A sweep at the answers' sizes; every invocation at 128 MB dies for lack of memory."""
    made = made_sweep(sizes_mb=answers.SIZES_MB, warm_count=2, current_mb=3008)
    invocations = tuple(
        replace(each, outcome=Outcome.OUT_OF_MEMORY) if each.memory_mb == 128 else each
        for each in made.invocations
    )
    return replace(made, **{"invocations": invocations, **changes})


def scattered(panel: Axes, kind: str) -> list[tuple[float, float]]:
    """Where a panel's marks of one kind stand, in the order in which they are drawn."""
    return [
        (x, y)
        for each in panel.collections
        if each.get_label() == kind
        for x, y in np.asarray(each.get_offsets()).tolist()
    ]


def line_of(panel: Axes, label: str) -> list[tuple[float, float]]:
    [line] = [each for each in panel.lines if each.get_label() == label]
    return [(x, y) for x, y in np.asarray(line.get_xydata()).tolist()]


def words_on(drawn: Figure) -> list[str]:
    """Every annotation above and in the panels."""
    return [text.get_text() for panel in drawn.axes for text in panel.texts]


@pytest.mark.parametrize(
    ("answer", "format_name"), [*((each, "svg") for each in VERDICTS), (answers.resize, "png")]
)
def test_the_same_answer_is_the_same_bytes(
    answer: Callable[[], Recommendation], format_name: FigureFormat
) -> None:
    """Every verdict draws, and twice gives one file, without a date or a random id."""
    first, second = (
        render_figure(draw_recommendation(answer(), sweep_of()), format_name) for _ in range(2)
    )
    assert first == second
    assert b"<dc:date>" not in first


def test_a_users_own_settings_change_nothing() -> None:
    """A matplotlibrc neither leaks into the figure nor is changed by it."""
    import matplotlib as mpl

    plain = render_figure(draw_recommendation(answers.resize(), sweep_of()), "svg")
    with mpl.rc_context({"font.size": 20, "svg.hashsalt": "mine", "axes.facecolor": "black"}):
        assert render_figure(draw_recommendation(answers.resize(), sweep_of()), "svg") == plain
        assert mpl.rcParams["svg.hashsalt"] == "mine"


def test_pixels_are_900_by_620_on_opaque_paper() -> None:
    """The picture fits a README and does not depend on the page's color."""
    drawn = draw_recommendation(answers.resize(), sweep_of())
    data = render_figure(drawn, "png")
    size = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])  # PNG's IHDR
    assert size == (900, 620)
    assert drawn.get_facecolor() == (1.0, 1.0, 1.0, 1.0)


def test_samples_are_at_their_sizes_and_durations() -> None:
    """Warm and cold ones at what was measured, failures at their size and nowhere as a sample."""
    sweep = sweep_of()
    duration, _, cost = draw_recommendation(answers.resize(), sweep).axes
    warm = [each for each in sweep.invocations if each.is_warm_sample]
    cold = [each for each in sweep.invocations if each.cold_start and each.memory_mb != 128]
    for kind, chosen in (("warm", warm), ("cold", cold)):
        assert scattered(duration, kind) == [
            (each.memory_mb, each.report.duration_ms) for each in chosen if each.report
        ]
        assert scattered(cost, kind) == []
    assert {x for x, _ in scattered(duration, "failed")} == {128}


def test_duration_and_cost_are_two_axes_of_one_chart() -> None:
    """Each with its own scale, over the same memory: estimate and band pass through every size."""
    answer = answers.resize()
    duration, _, cost = draw_recommendation(answer, sweep_of()).axes
    assert cost.get_position().bounds == duration.get_position().bounds
    assert cost.get_xlim() == duration.get_xlim()
    assert cost.yaxis.get_label_position() == "right"
    assert line_of(duration, "duration") == [
        (each.memory_mb, each.duration_ms.estimate) for each in answer.curve
    ]
    assert line_of(cost, "cost") == [
        (each.memory_mb, each.cost_usd_per_million.estimate) for each in answer.curve
    ]
    [band] = [each for each in cost.collections if each.get_label() == "band"]
    corners = {(x, y) for x, y in np.asarray(band.get_paths()[0].vertices).tolist()}
    for each in answer.curve:
        assert (each.memory_mb, each.cost_usd_per_million.low) in corners
        assert (each.memory_mb, each.cost_usd_per_million.high) in corners


def test_the_order_is_that_of_sending() -> None:
    """Invocations are numbered by when they were sent, not by when their replies came."""
    sent_backwards = sweep_of()
    count = len(sent_backwards.invocations)
    sent_backwards = replace(
        sent_backwards,
        invocations=tuple(
            replace(each, started_s=float(count - each.index))
            for each in sent_backwards.invocations
        ),
    )
    order = draw_recommendation(answers.resize(), sent_backwards).axes[1]
    assert line_of(order, "_thread") == [
        (each.memory_mb, number)
        for number, each in enumerate(reversed(sent_backwards.invocations), start=1)
    ]
    assert {(x, y) for kind in ("warm", "cold", "failed") for x, y in scattered(order, kind)} == (
        set(line_of(order, "_thread"))
    )


def test_every_option_and_the_current_size_are_marked_on_both_curves() -> None:
    """Each with its label, at the curve's own values; names of one size share a mark."""
    answer = answers.resize()
    drawn = draw_recommendation(answer, sweep_of())
    duration, _, cost = drawn.axes
    at = {each.memory_mb: each for each in answer.curve}
    for label, memory_mb in (("now", 3008), ("▶ balanced, fastest", 1792), ("cheapest", 192)):
        [point] = line_of(duration, f"_{label}")
        assert point == (memory_mb, at[memory_mb].duration_ms.estimate)
        [point] = line_of(cost, f"_{label}")
        assert point == (memory_mb, at[memory_mb].cost_usd_per_million.estimate)
        assert f"{label} {memory_mb} MB" in words_on(drawn)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answers.keep(), "▶ now 1024 MB"),
        (answers.resize(options=()), "▶ recommended 1792 MB"),
        (
            replace(answers.keep(), options=(answers.option("cheapest", 1024),)),
            "▶ now, cheapest 1024 MB",
        ),
        (
            replace(
                answers.inconclusive(),
                choice=replace(answers.inconclusive().choice, best_so_far_mb=512),
            ),
            "best so far 512 MB",
        ),
    ],
)
def test_one_size_is_one_mark(answer: Recommendation, words: str) -> None:
    """What falls on one size shares a label; an inconclusive answer recommends nothing."""
    drawn = draw_recommendation(answer, sweep_of())
    labels = [text for text in words_on(drawn) if text.endswith(" MB")]
    assert words in labels
    assert len(labels) == len({text.split()[-2] for text in labels})


def test_close_marks_keep_their_labels_apart() -> None:
    """Labels of neighboring sizes do not lie on one another, nor outside the picture."""
    answer = replace(answers.resize(), options=(answers.option("cheapest", 1728),))
    answer = replace(answer, current=replace(answer.current, memory_mb=1856))
    drawn = draw_recommendation(answer, sweep_of())
    labels = [text for text in drawn.axes[0].texts if text.get_text().endswith(" MB")]
    boxes = [label.get_window_extent() for label in labels]
    assert len(boxes) == 3
    for number, box in enumerate(boxes):
        assert 0 <= box.x0 < box.x1 <= 900
        assert not any(box.overlaps(other) for other in boxes[:number])


def test_core_thresholds_in_sight_are_named() -> None:
    """Those beyond the ends of the memory axis are not drawn."""
    narrow = words_on(draw_recommendation(answers.resize(), sweep_of()))
    assert "1 core" in narrow
    assert "3 cores" in narrow
    assert "4" not in narrow
    wide = made_sweep(sizes_mb=(128, 10_240), warm_count=1)
    names = [
        word for word in words_on(draw_recommendation(answers.resize(), wide)) if "MB" not in word
    ]
    assert names[:5] == ["1 core", "3", "4", "5", "6 cores"]


def test_a_hostile_name_is_text() -> None:
    """Markup, formulae, foreign scripts and line breaks in a name stay letters in a valid SVG."""
    name = "--><script>alert(1)</script>$\\frac{1}{2}$\u202e]]>\n日本" + "n" * 5000
    answer = replace(answers.resize(), function=made_function(3008, name=name))
    data = render_figure(draw_recommendation(answer, sweep_of()), "svg")
    root = ElementTree.fromstring(data)
    assert not [each for each in root.iter() if each.tag.endswith(("script", "foreignObject"))]
    assert b"<script" not in data
    title = root.findtext("{http://www.w3.org/2000/svg}title") or ""
    assert title.startswith("--><script>alert(1)</script>$\\frac{1}{2}$ ]]> ??nn")
    assert len(title) < 100


def test_what_is_no_sample_is_only_in_the_order() -> None:
    """A success that was set aside and a lost reply have a number, but no place on a curve."""
    sweep = sweep_of()
    lost, aside, *rest = sweep.invocations[-2:] + sweep.invocations[:-2]
    lost = replace(lost, outcome=Outcome.LOST_REPLY, report=None)
    aside = replace(aside, discarded="after a crash")
    sweep = replace(sweep, invocations=(*rest, lost, aside))
    duration, order, _ = draw_recommendation(answers.resize(), sweep).axes
    assert scattered(duration, "set aside") == []
    assert len(scattered(order, "set aside")) == 2


def test_an_empty_sweep_still_draws() -> None:
    """Without invocations and without a curve there are the axes and the current size."""
    drawn = draw_recommendation(answers.inconclusive(), sweep_of(invocations=()))
    assert "now 3008 MB" in words_on(drawn)
    assert render_figure(drawn, "svg")


def test_several_payloads_are_named_in_the_key() -> None:
    """The curve is the mix's while each mark is one payload's, and the key says so."""
    sweep = sweep_of()
    both = tuple(PayloadClass(name, 1.0, 2, "0" * 64) for name in ("small", "large"))
    drawn = draw_recommendation(
        answers.resize(), replace(sweep, plan=replace(sweep.plan, payloads=both))
    )
    [key] = drawn.legends
    assert [text.get_text() for text in key.get_texts()] == [
        "mean duration of the mix",
        "cost per million",
        "90% band",
        "warm (one payload)",
        "cold start",
        "failed: out of memory",
    ]


def test_without_the_extra_its_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where matplotlib is missing, the one line names what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"pip install .*\[plot\]"):
        draw_recommendation(answers.resize(), sweep_of())


def test_matplotlib_is_loaded_by_drawing_alone() -> None:
    """Importing the figure's modules costs none of it."""
    code = (
        "import sys, tuner.report.figures.curves, tuner.report.figures.breakeven\n"
        "import tuner.cli.picture\n"
        "sys.exit('matplotlib' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
