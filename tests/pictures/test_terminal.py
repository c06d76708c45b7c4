"""The picture of the terminal: what the command says, in a picture that any reader can show."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tests.end_to_end.running import ROOT
from tests.pictures.in_terminal import run_in_terminal
from tests.pictures.renew import COMMAND, PICTURE, shown_today
from tests.pictures.terminal_svg import draw


def test_the_picture_has_the_words_and_the_curves_of_the_terminal() -> None:
    """On a terminal the answer has color; drawn, every word of it is there, and dots and marks."""
    output = run_in_terminal([*COMMAND, "--explain"], columns=100)
    assert "\x1b[1;36mRESIZE" in output or "\x1b[1;32mKEEP" in output
    svg = draw(output, "tuner report")
    drawn = words(svg)
    spoken = re.sub(r"\x1b\[[\d;]*m|[\u2800-\u28ff●◆◇▶│─└┴]", " ", output)
    assert drawn == ["$", "tuner", "report", *spoken.split()]
    assert {"dots", "line dim"} <= {path.get("class", "").strip() for path in paths(svg)}


def test_the_readme_shows_a_picture_of_the_command_that_it_names() -> None:
    """The picture asks for nothing from elsewhere, and says what the command says today."""
    svg = (ROOT / PICTURE).read_text()
    assert words(svg) == words(draw(shown_today(), f"tuner {' '.join(COMMAND)}")), (
        "if that is meant: make pictures"
    )
    assert not re.findall(r"(?:href|src|url|@import)\b", svg)
    assert PICTURE in (ROOT / "README.md").read_text()


def words(svg: str) -> list[str]:
    """All text of a picture, in its order."""
    texts = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return " ".join(text.text or "" for text in texts).split()


def paths(svg: str) -> list[ElementTree.Element]:
    """What is drawn."""
    return [*ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}path")]
