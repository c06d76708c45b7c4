"""What every page is: one file with its styles, scripts and data, which requests nothing.

Text goes through the template's escaping, data can't end its block, and the page's own policy
allows only the page's own scripts, and no requests.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from tuner import __version__
from tuner.report import numbers
from tuner.report.sanitize import plain

_OPTION: Final = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
_ASSETS: Final = Path(__file__).parent / "assets"


def fill(
    template: str, scripts: tuple[str, ...] = (), data: dict[str, Any] | None = None, **words: Any
) -> str:
    """The page that a template makes of words; its scripts run in this order, uPlot first.

    The template places `policy`, `style`, `data` and `script` as they are.
    """
    style, script = _style(), _script(scripts)
    return (
        _templates()
        .get_template(template)
        .render(
            version=__version__,
            policy=_policy(style, script),
            style=Markup(style),  # noqa: S704 - shipped with the package
            script=Markup(script),  # noqa: S704 - as above
            data=_embedded(data or {}),
            **words,
        )
    )


def _embedded(data: dict[str, Any]) -> Markup:
    """JSON in which no HTML parser can find a tag."""
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
def _script(names: tuple[str, ...]) -> str:
    licence = _asset("uPlot.LICENSE.txt").replace("*/", "* /")
    own = "\n".join(_asset(name) for name in names)
    return f"/*!\n{licence}*/\n{_asset('uPlot.iife.min.js')}\n{own}"


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
    """Prose that doesn't break lines within an option or before a unit."""
    safe = str(escape(numbers.held(plain(text))))
    return Markup(_OPTION.sub(r'<span class="option">\g<0></span>', safe))  # noqa: S704 - escaped


def _inert(value: object) -> object:
    """Foreign text without control characters; what is markup already stays."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else plain(value)
