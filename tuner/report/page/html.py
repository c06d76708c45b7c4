"""Puts the page together: words, numbers, styles and scripts in one file that asks for nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from tuner.report import numbers
from tuner.report.comparison import KINDS
from tuner.report.page.data import THRESHOLDS, chart_data
from tuner.report.page.sections import comparison_data, comparison_section, section
from tuner.report.page.tables import Row, Table
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.comparison import Comparison
    from tuner.report.page.data import SweepView

_OPTION: Final = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
_ASSETS: Final = Path(__file__).parent / "assets"


def render(
    views: Sequence[SweepView], *, version: str, comparison: Comparison | None = None
) -> str:
    """The page of one or several sweeps, UTF-8. What others named is inert in it.

    A comparison comes first, and the views are its two sides.

    Text goes through the template's escaping, data cannot end its block, and the page's own policy
    lets no other script run than the page's own, and nothing be fetched.
    """
    sections = [section(each, number) for number, each in enumerate(views, start=1)]
    data: dict[str, Any] = {
        "thresholds": THRESHOLDS,
        "sweeps": [chart_data(each) for each in views],
        "comparison": None if comparison is None else comparison_data(comparison),
    }
    style, script = _style(), _script()
    return (
        _templates()
        .get_template("page.html.j2")
        .render(
            version=version,
            title=_title(views, comparison),
            policy=_policy(style, script),
            style=Markup(style),  # noqa: S704 - shipped with the package
            script=Markup(script),  # noqa: S704 - as above
            data=_embedded(data),
            sections=sections,
            overview=_overview(views),
            overlay=sum(bool(each.recommendation.curve) for each in views) > 1,
            level=1 if len(views) == 1 else 2,
            sources=", ".join(each.source for each in views),
            comparison=None if comparison is None else comparison_section(comparison),
        )
    )


def _title(views: Sequence[SweepView], comparison: Comparison | None) -> str:
    if comparison is not None:
        return f"{comparison.b.function.name}: {KINDS[comparison.kind]}"
    if len(views) > 1:
        return f"{len(views)} sweeps"
    return f"{views[0].recommendation.function.name}: how much memory"


def _overview(views: Sequence[SweepView]) -> Table:
    """One row a sweep: its verdict and what that changes."""
    rows = []
    for number, view in enumerate(views):
        answer = view.recommendation
        choice, function = answer.choice, answer.function
        saved = choice.saving_ratio if choice.verdict == "resize" else None
        cells = (
            function.name,
            choice.verdict,
            numbers.memory(answer.current.memory_mb),
            "–" if choice.memory_mb is None else numbers.memory(choice.memory_mb),
            "–" if saved is None else numbers.saving(saved),
            f"{function.architecture}, code {function.code_sha256[:7]}",
        )
        rows.append(Row(cells, swatch=number, link=f"sweep-{number + 1}"))
    return Table(("function", "verdict", "now", "recommended", "saving", "of"), tuple(rows))


def _embedded(data: dict[str, Any]) -> Markup:
    """JSON that no HTML parser can read a tag in."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - nothing that ends the block is left


def _policy(style: str, script: str) -> str:
    """Only these very characters may style and run; nothing may be fetched (CSP level 2)."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _style() -> str:
    return f"{_asset('uPlot.min.css')}\n{_asset('page.css')}"


@cache
def _script() -> str:
    licence = _asset("uPlot.LICENSE.txt").replace("*/", "* /")
    return f"/*!\n{licence}*/\n{_asset('uPlot.iife.min.js')}\n{_asset('charts.js')}"


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_inert,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["held"] = _prose
    return environment


def _prose(text: str) -> Markup:
    """Prose that breaks no line within an option or before a unit."""
    safe = str(escape(numbers.held(plain(text))))
    return Markup(_OPTION.sub(r'<span class="option">\g<0></span>', safe))  # noqa: S704 - escaped


def _inert(value: object) -> object:
    """Foreign text without control characters; what is markup already stays."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else plain(value)
