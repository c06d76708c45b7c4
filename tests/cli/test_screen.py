"""stdout and stderr get what they can show; questions need somebody to answer."""

from __future__ import annotations

import io
import sys

import pytest

from tests.report import answers
from tuner.cli import screen
from tuner.errors import InputError


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal, in an encoding of choice."""

    def __init__(self, text: str = "", encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(text.encode()), encoding=encoding)

    def isatty(self) -> bool:
        return True

    def written(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


def test_without_a_terminal_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal names the flag that agrees beforehand."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(InputError, match="--yes"):
        screen.agree("Proceed?")


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [("y\n", True), ("YES\n", True), ("\n", False), ("n\n", False), ("", False)],
)
def test_only_a_yes_is_a_yes(monkeypatch: pytest.MonkeyPatch, answer: str, agreed: bool) -> None:
    """Anything else, the end of input too, is a no; the question goes to stderr."""
    asked = Terminal()
    with Terminal(answer) as typed:
        monkeypatch.setattr(sys, "stdin", typed)
        monkeypatch.setattr(sys, "stderr", asked)
        assert screen.agree("Proceed?") is agreed
    assert asked.written() == "Proceed? [y/N] "
    asked.close()


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], wanted: bool
) -> None:
    """NO_COLOR (if not empty) and dumb terminals get none; files never do."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with Terminal() as stream:
        assert screen.takes_color(stream) is wanted
    assert not screen.takes_color(io.StringIO())


@pytest.mark.parametrize("format_name", ["text", "json", "markdown"])
def test_no_encoding_breaks_an_answer(monkeypatch: pytest.MonkeyPatch, format_name: str) -> None:
    """On an ASCII stdout every format still comes out whole."""
    with Terminal(encoding="ascii") as out:
        monkeypatch.setattr(sys, "stdout", out)
        screen.show_answer(answers.resize(), format_name)
        assert out.written().isascii()
        assert len(out.written()) > 500


def test_several_answers_as_json_are_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Every line can be read on its own."""
    screen.show_answers([answers.resize(), answers.keep()], "json", ["", ""])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_foreign_text_cannot_act_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Escape sequences in what is said become blanks."""
    screen.say("x\x1b[31m\ny")
    assert capsys.readouterr().err == "x [31m y\n"
