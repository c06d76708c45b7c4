"""Draws what a terminal shows as one SVG that follows the reader's light or dark scheme.

Text stays text, each run pinned to its columns. Braille dots, marks and rules are drawn as paths:
they look alike whatever fonts a reader has.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING, Final

from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

CELL_WIDTH: Final = 8.0
CELL_HEIGHT: Final = 17
MARGIN: Final = 16
_STYLE: Final = """
text{font:13.3px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
white-space:pre}
.back{fill:#fff;stroke:#d0d7de}text,.solid{fill:#1f2328}.line{stroke:#1f2328}
.bold{font-weight:700}.dim{opacity:.62}
text.cyan,.solid.cyan{fill:#0b6e8f}.line.cyan{stroke:#0b6e8f}
text.magenta,.solid.magenta{fill:#a626a4}.line.magenta{stroke:#a626a4}
text.green,.solid.green{fill:#1a7f37}.line.green{stroke:#1a7f37}
text.yellow,.solid.yellow{fill:#8a6100}.line.yellow{stroke:#8a6100}
text.red,.solid.red{fill:#cf222e}.line.red{stroke:#cf222e}
.line{fill:none;stroke-width:1.3}.dots{fill:none;stroke:#1f2328;stroke-width:2.1;
stroke-linecap:round}
@media (prefers-color-scheme:dark){
.back{fill:#0d1117;stroke:#30363d}text,.solid{fill:#e6edf3}.line,.dots{stroke:#e6edf3}
text.cyan,.solid.cyan{fill:#56d4dd}.line.cyan{stroke:#56d4dd}
text.magenta,.solid.magenta{fill:#e48bf0}.line.magenta{stroke:#e48bf0}
text.green,.solid.green{fill:#3fb950}.line.green{stroke:#3fb950}
text.yellow,.solid.yellow{fill:#d29922}.line.yellow{stroke:#d29922}
text.red,.solid.red{fill:#ff7b72}.line.red{stroke:#ff7b72}
}""".replace("\n", "")
_DOTS: Final = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""(column, row) of the bits of a braille cell."""
_RULES: Final = {
    "│": ("M{mid} {top}V{bottom}",),
    "─": ("M{left} {middle}H{right}",),
    "└": ("M{mid} {top}V{middle}H{right}",),
    "┴": ("M{left} {middle}H{right}M{mid} {top}V{middle}",),
}
_SHAPES: Final = {
    "●": "M{mid} {middle}m-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0",
    "◆": "M{mid} {middle}m0-4.6l4.6 4.6l-4.6 4.6l-4.6-4.6z",
    "▶": "M{left} {middle}m.5-4.6l7.4 4.6l-7.4 4.6z",
}
_COLORS: Final = {1: "red", 2: "green", 3: "yellow", 5: "magenta", 6: "cyan"}
_DIAMOND: Final = "M{mid} {middle}m0-4.2l4.2 4.2l-4.2 4.2l-4.2-4.2z"


def draw(output: str, command: str) -> str:
    """The SVG of a command and of what it wrote, ANSI escapes in it."""
    shown = Text.from_ansi(f"\x1b[2m$\x1b[0m {command}\n{output.rstrip()}")
    lines = list(shown.split("\n", allow_blank=True))
    columns = max(len(line.plain.rstrip()) for line in lines)
    width, height = columns * CELL_WIDTH + 2 * MARGIN, len(lines) * CELL_HEIGHT + 2 * MARGIN
    paths: dict[tuple[str, str], list[str]] = defaultdict(list)
    texts = [run for row, line in enumerate(lines) for run in _row(row, line, paths)]
    drawn = [f'<path class="{kind} {look}" d="{"".join(d)}"/>' for (kind, look), d in paths.items()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img">'
        f"<title>{escape(command)}</title><style>{_STYLE}</style>"
        f'<rect class="back" x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>\n'
        + "\n".join([*texts, *drawn])
        + "\n</svg>\n"
    )


def _row(row: int, line: Text, paths: dict[tuple[str, str], list[str]]) -> Iterator[str]:
    """Text runs of one line; what is drawn goes into `paths`."""
    cells = [(column, char, _look(line, column)) for column, char in enumerate(line.plain)]
    for look, group in itertools.groupby(cells, key=lambda cell: (cell[2], _is_drawn(cell[1]))):
        run = list(group)
        if look[1]:
            for column, char, name in run:
                _draw_cell(paths, row, column, char, name)
        elif "".join(char for _, char, _ in run).strip():
            yield _text(row, run)


def _text(row: int, run: list[tuple[int, str, str]]) -> str:
    text = "".join(char for _, char, _ in run)
    column = run[0][0] + len(text) - len(text.lstrip())
    text = text.strip()
    return (
        f'<text class="{run[0][2]}" x="{MARGIN + column * CELL_WIDTH:g}" '
        f'y="{MARGIN + row * CELL_HEIGHT + 13}" textLength="{len(text) * CELL_WIDTH:g}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
    )


def _draw_cell(
    paths: dict[tuple[str, str], list[str]], row: int, column: int, char: str, look: str
) -> None:
    left, top = MARGIN + column * CELL_WIDTH, MARGIN + row * CELL_HEIGHT
    at = {
        "left": f"{left:g}",
        "right": f"{left + CELL_WIDTH:g}",
        "mid": f"{left + CELL_WIDTH / 2:g}",
        "top": f"{top}",
        "bottom": f"{top + CELL_HEIGHT}",
        "middle": f"{top + CELL_HEIGHT / 2:g}",
    }
    if char in _RULES:
        paths["line", look] += [rule.format(**at) for rule in _RULES[char]]
    elif char in _SHAPES:
        paths["solid", look].append(_SHAPES[char].format(**at))
    elif char == "◇":
        paths["line", look].append(_DIAMOND.format(**at))
    else:
        for bit, (across, down) in enumerate(_DOTS):
            if ord(char) - 0x2800 >> bit & 1:
                x, y = left + 2 + 4 * across, top + 2.1 + CELL_HEIGHT / 4 * down
                paths["dots", look].append(f"M{x:g} {y:.4g}h0")


def _is_drawn(char: str) -> bool:
    return char in _RULES or char in _SHAPES or char == "◇" or 0x2800 <= ord(char) < 0x2900


def _look(line: Text, column: int) -> str:
    """The classes of the style at a column."""
    styles = [span.style for span in line.spans if span.start <= column < span.end]
    found = Style.combine([Style.null(), *(each for each in styles if isinstance(each, Style))])
    number = None if found.color is None else found.color.number
    named = [] if number is None else [_COLORS[number]]
    return " ".join(["bold"] * bool(found.bold) + ["dim"] * bool(found.dim) + named)
