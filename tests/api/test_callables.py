"""A plain Python function as a Lambda function: what is sent of it, and a real run."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import pytest

import tuner
from tuner.api.callables import _payload, _Sources

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCRIPT = """
    from __future__ import annotations
    import dataclasses, functools, math as m, re
    from colorsys import rgb_to_hsv
    from beside import double
    import sys
    from pathlib import Path
    from tuner.api.callables import _Sources

    FACTOR = 3
    DIGITS = re.compile(r"\\d+")

    def cached(function):
        return functools.lru_cache(function)

    @dataclasses.dataclass
    class Box:
        size: int = FACTOR

    @cached
    def hue(red):
        return rgb_to_hsv(red, 0.4, 0.4)[0]

    def work(event, scale=FACTOR):
        def again(n):
            return m.floor(n) if n < 1 else again(n - 1)

        found = [double(int(each)) * scale for each in DIGITS.findall(event["text"])]
        return [found, Box().size, hue(0.2), again(2.5)]

    if __name__ == "__main__":
        _Sources(work).write(Path(sys.argv[1]))
        print(work({"text": "1 and 22"}))
"""


def answered(folder: Path, event: object) -> object:
    """What the handler in a folder returns, in a process that has nothing else."""
    code = f"import json, tuner_handler as t; print(json.dumps(t.handler({event!r}, None)))"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(ran.stdout)


def test_a_script_s_function_is_sent_with_all_that_it_uses(tmp_path: Path) -> None:
    """Imports, functions, classes, decorators, constants and a module beside it come along."""
    (tmp_path / "beside.py").write_text("def double(n):\n    return 2 * n\n")
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    sent = tmp_path / "sent"
    ran = subprocess.run(
        [sys.executable, tmp_path / "script.py", sent], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == answered(sent, {"text": "1 and 22"})
    assert "__main__" not in (sent / "tuner_handler.py").read_text()


def test_a_module_s_function_is_sent_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative imports and what lies in the package are there; caches are not."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "rates.py").write_text("RATE = 7\n")
    (package / "bill.py").write_text(
        "from .rates import RATE\ndef total(event, context):\n    return RATE * event\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from shop.bill import total  # type: ignore[import-not-found] # made above

    _Sources(total).write(tmp_path / "sent")
    assert not list((tmp_path / "sent").rglob("__pycache__"))
    assert answered(tmp_path / "sent", 6) == 42


def test_a_reply_that_is_no_json_is_named(tmp_path: Path) -> None:
    """A function may return what it likes: its reply is not what is measured."""

    def work() -> object:
        return {1, 2}

    _Sources(work).write(tmp_path / "sent")
    assert answered(tmp_path / "sent", {}) == "<set>"


def closure() -> Callable[..., Any]:
    """A function that needs a variable of the one around it."""
    factor = 2

    def work(event: int) -> int:
        return factor * event

    return work


async def coroutine(event: object) -> object:
    """Not to be called as a function."""
    return event


def three(a: object, b: object, c: object) -> None:
    """More than Lambda gives."""


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda event: event, "<lambda> .* write it with def"),
        (closure(), "work .* uses factor of the function around it"),
        (coroutine, "coroutine .* wrap it in a plain function"),
        (three, "three .* more than an event and a context"),
        (print, "pass a function written with def"),
        (functools.partial(three, 1), "a partial .* pass a function written with def"),
        (3, "an int can't be used here: pass a function"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_a_line(function: Any, says: str) -> None:
    """The line says why and what to write instead, before anything is started."""
    with pytest.raises(tuner.TunerError, match=says) as caught:
        tuner.tune_callable(function, {})
    assert "\n" not in str(caught.value)


def test_a_value_that_cannot_be_pickled_is_refused(tmp_path: Path) -> None:
    """It is named; a lock lives in its process alone."""
    scope: dict[str, Any] = {"__name__": "__main__", "LOCK": threading.Lock()}
    source = tmp_path / "cell.py"
    source.write_text("def work(event):\n    return LOCK\n")
    exec(compile(source.read_text(), str(source), "exec"), scope)
    with pytest.raises(tuner.TunerError, match=r"work can't .* LOCK can't be pickled"):
        _Sources(scope["work"]).write(tmp_path / "sent")


def test_several_events_are_one_payload(tmp_path: Path) -> None:
    """One event is inline JSON; a list of them is a folder of recorded ones, sent in turn."""
    assert _payload(None, tmp_path / "no") == "{}"
    assert _payload({"n": 1}, tmp_path / "no") == _payload([{"n": 1}], tmp_path / "no")
    folder = _payload([1, 2, 3], tmp_path / "events")
    assert [path.read_text() for path in sorted((tmp_path / "events").iterdir())] == list("123")
    assert folder == str(tmp_path / "events")
    with pytest.raises(tuner.TunerError, match="a set isn't an event"):
        _payload([{1}, {2}], tmp_path / "more")


def test_what_it_sets_itself_cannot_be_given() -> None:
    """Payloads are the events, and the template is its own."""
    with pytest.raises(tuner.TunerError, match="tune_callable sets `payloads` itself"):
        tuner.tune_callable(three, {}, payloads=["event.json"])


@pytest.mark.slow
@pytest.mark.xdist_group("cores")
def test_a_function_is_measured_here(tmp_path: Path) -> None:
    """The answer is that of `tune`: of real calls of the function, under the sizes asked for."""

    def add(event: dict[str, int]) -> int:
        return sum(range(event["n"]))

    answer = tuner.tune_callable(
        add,
        [{"n": 200_000}, {"n": 200_001}],
        memory_mb=512,
        memory_sizes_mb=(512, 1024),
        max_invocations=6,
        state_dir=tmp_path,
    )
    sweep = tuner.load_sweep("add", state_dir=tmp_path)
    assert (answer.function.name, answer.environment) == ("add", "local")
    assert {each.memory_mb for each in sweep.invocations} == {512, 1024}
    assert {each.outcome.value for each in sweep.invocations} == {"success"}
    assert [payload.name for payload in sweep.plan.payloads] == ["events"]
