"""Tunes a plain Python function: turns it into a Lambda function that runs on this machine."""

from __future__ import annotations

import ast
import contextlib
import inspect
import json
import pickle
import re
import shutil
import site
import symtable
import sys
import sysconfig
import tempfile
import textwrap
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final, cast

from tuner.api.given import unusable
from tuner.api.tuning import event_text, tune
from tuner.errors import UsageError
from tuner.model.number_fields import check_number
from tuner.sweep.io import tell_nobody

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from tuner.api.given import GoalLike, TermsLike
    from tuner.api.tuning import TuneOptions
    from tuner.model.progress import ProgressHook
    from tuner.model.recommendation import Recommendation

_OWN: Final = ("payloads", "local_template", "endpoint_url", "profile", "code")
_HANDLER: Final = "tuner_handler"
_VALUES: Final = "tuner_values.pickle"
_LOAD: Final = f"""import pickle
with open(__file__.replace("{_HANDLER}.py", "{_VALUES}"), "rb") as file:
    globals().update(pickle.load(file))"""
# The return value goes back as JSON, which an array or a frame may not be.
_ENTRY: Final = """

def handler(event, context):
    import json

    returned = {name}(*(event, context)[:{count}])
    try:
        json.dumps(returned)
    except (TypeError, ValueError):
        return f"<{{type(returned).__name__}}>"
    return returned
"""
_NOT_COPIED: Final = shutil.ignore_patterns("__pycache__", ".*", "node_modules")


def tune_callable(
    function: Callable[..., object],
    events: object = None,
    *,
    goal: GoalLike | None = None,
    terms: TermsLike | None = None,
    memory_mb: int = 1024,
    timeout_s: int = 60,
    state_dir: Path | str | None = None,
    on_progress: ProgressHook = tell_nobody,
    **options: Unpack[TuneOptions],
) -> Recommendation:
    """Say how much memory a Python function should have on Lambda, without deploying it.

    It runs here, under Lambda's CPU share and memory limit, with this interpreter's packages, as
    `function(event)` or `function(event, context)`. `events` is one event (anything that is JSON)
    or a list of them, sent in turn. `memory_mb` is the size to compare the answer with. The other
    keywords are those of `tune`. Needs `pip install 'lambda-tuner[local]'`.

    A function from a module is sent with its module and the loaded ones beside it. One from a
    notebook or script is sent as source, with the imports, functions, classes and values that it
    uses by name. What can't be sent is refused in one line: a lambda, a closure, a method, a
    coroutine or generator, a class defined in a notebook, a value that can't be pickled. Files that
    it reads aren't sent.

    Raises UsageError, and whatever `tune` raises.

    >>> from colorsys import rgb_to_hsv
    >>> def hue(event):
    ...     return [rgb_to_hsv(*event["rgb"])[0] for _ in range(100_000)][-1]
    >>> answer = tuner.tune_callable(hue, {"rgb": [0.2, 0.4, 0.4]}, max_invocations=8)
    >>> answer.function.name, answer.environment, answer.current.memory_mb
    ('hue', 'local', 1024)
    """
    for name in _OWN:
        if name in options:
            raise UsageError(f"tune_callable sets `{name}` itself: leave it out")
    check_number("memory_mb", memory_mb, "int")
    check_number("timeout_s", timeout_s, "int")
    sources = _Sources(function)
    called = re.sub(r"[^A-Za-z0-9_-]", "-", sources.name)[:64]
    with tempfile.TemporaryDirectory(prefix="tuner-") as made:
        folder = Path(made)
        sources.write(folder / "code")
        template = folder / "template.yaml"
        template.write_text(_template(called, memory_mb, timeout_s), encoding="utf-8")
        wanted: TuneOptions = {
            **options,
            "payloads": _payload(events, folder / "events"),
            "local_template": template,
        }
        return tune(
            called, goal=goal, terms=terms, state_dir=state_dir, on_progress=on_progress, **wanted
        )


def _template(function_name: str, memory_mb: int, timeout_s: int) -> str:
    """The function's template, as JSON, which is also YAML."""
    properties = {
        "FunctionName": function_name,
        "Runtime": f"python{sys.version_info.major}.{sys.version_info.minor}",
        "Handler": f"{_HANDLER}.handler",
        "CodeUri": "code/",
        "MemorySize": memory_mb,
        "Timeout": timeout_s,
    }
    resource = {"Type": "AWS::Serverless::Function", "Properties": properties}
    return json.dumps(
        {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Function": resource}}
    )


def _payload(events: object, folder: Path) -> str:
    """One event as JSON, several as a folder of recorded events."""
    if not isinstance(events, list | tuple) or not events:
        return event_text({} if events is None else events)
    if len(events) == 1:
        return event_text(events[0])
    folder.mkdir()
    for number, event in enumerate(events):
        (folder / f"{number:05}.json").write_text(event_text(event), encoding="utf-8")
    return str(folder)


class _Sources:
    """What is sent of a function: a handler file, and what it imports and loads."""

    def __init__(self, function: Callable[..., object]) -> None:
        inner = inspect.unwrap(function) if callable(function) else function
        self.name = str(getattr(inner, "__name__", type(inner).__name__))
        if not isinstance(inner, FunctionType):
            raise unusable(function, "a function written with def")
        if self.name == "<lambda>":
            raise self._refusal("it has no name: write it with def")
        if inspect.iscoroutinefunction(inner) or inspect.isgeneratorfunction(inner):
            raise self._refusal("it is a coroutine or generator: wrap it in a plain function")
        if not _is_importable(function) and (names := inner.__code__.co_freevars):
            raise self._refusal(
                f"it uses {', '.join(names)} of the function around it: pass it in the event"
            )
        self._function, self._inner = function, inner
        self._argument_count = self._count_arguments()
        self._lines: list[str] = []
        self._values: dict[str, object] = {}
        self._modules: set[str] = set()
        self._sent: set[str] = set()

    def write(self, folder: Path) -> None:
        """Create the folder of the Lambda function. Raises UsageError."""
        folder.mkdir()
        if _is_importable(self._function):
            module = self._inner.__module__
            self._modules.add(module)
            self._lines.append(f"from {module} import {self.name}")
        else:
            self._send(self._inner, self.name, self._inner.__globals__)
        if self._values:
            (folder / _VALUES).write_bytes(self._pickled())
        head = ["from __future__ import annotations", *([_LOAD] if self._values else [])]
        text = "\n".join([*head, *self._lines])
        entry = _ENTRY.format(name=self.name, count=self._argument_count)
        (folder / f"{_HANDLER}.py").write_text(text + entry, encoding="utf-8")
        for name in self._modules:
            _copy_module(name.partition(".")[0], folder)

    def _send(self, value: Any, name: str, scope: dict[str, Any]) -> None:
        """Send what a name refers to, once, after everything that its own source uses by name."""
        if name in self._sent:
            return
        self._sent.add(name)
        if isinstance(value, ModuleType):
            self._modules.add(value.__name__)
            self._lines.append(f"import {value.__name__} as {name}")
            return
        inner = inspect.unwrap(value) if callable(value) else value
        if not isinstance(inner, FunctionType | type) or _is_importable(value):
            self._modules.add(getattr(value, "__module__", None) or type(value).__module__)
            self._values[name] = value
            return
        try:
            source = textwrap.dedent(inspect.getsource(inner))
            [defined] = ast.parse(source).body
        except (OSError, TypeError, SyntaxError, ValueError):
            raise self._refusal(
                f"the source of {name} can't be read: put it into a module"
            ) from None
        for used in sorted(_globals_in(source) & scope.keys()):
            self._send(scope[used], used, scope)
        written = getattr(defined, "name", name)
        self._lines += [source, *([] if written == name else [f"{name} = {written}"])]

    def _pickled(self) -> bytes:
        for name, value in self._values.items():
            try:
                data = pickle.dumps(value)
            except Exception as error:  # foreign code may raise anything
                raise self._refusal(
                    f"{name} can't be pickled ({error}): make it within the function"
                ) from None
            if b"__main__" in data:
                raise self._refusal(
                    f"{name} holds something that exists only here: put it into a module"
                )
        return pickle.dumps(self._values)

    def _count_arguments(self) -> int:
        """How many of event and context it takes: the event alone if that's enough."""
        for count in (1, 2, 0):
            with contextlib.suppress(TypeError):
                inspect.signature(self._inner).bind(*(None, None)[:count])
                return count
        raise self._refusal("it takes more than an event and a context")

    def _refusal(self, why: str) -> UsageError:
        return UsageError(f"{self.name} can't be run as a Lambda function: {why}")


def _is_importable(value: Any) -> bool:
    """Whether another process can import it from its module; a notebook has none."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    if module is None or module.__name__ == "__main__":
        return False
    return getattr(module, getattr(value, "__qualname__", ""), None) is value


def _globals_in(source: str) -> set[str]:
    """Names that a definition uses but doesn't define, including builtins."""
    top = symtable.symtable(source, "<source>", "exec")
    tables, found = [top], set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if symbol.is_global() or (table is top and symbol.is_referenced()):
                found.add(symbol.get_name())
    return found


def _copy_module(top: str, folder: Path) -> None:
    """Copy a module that isn't in the interpreter's own folders, and the loaded ones beside it."""
    place = _place_of(top)
    if place is None:
        return
    is_installed = place.parent.name in {"site-packages", "dist-packages"}
    beside = [] if is_installed else [name for name in tuple(sys.modules) if "." not in name]
    for path in filter(None, map(_place_of, {top, *beside})):
        if path.parent == place.parent and not (folder / path.name).exists():
            if path.is_dir():
                shutil.copytree(path, folder / path.name, ignore=_NOT_COPIED)
            else:
                shutil.copy(path, folder)


def _place_of(top: str) -> Path | None:
    """A module's file or a package's folder; None if every process of this Python has it."""
    module = sys.modules.get(top)
    paths = [*getattr(module, "__path__", ())] or [getattr(module, "__file__", None)]
    if top == "__main__" or paths[0] is None:
        return None
    place = Path(cast("str", paths[0])).resolve()
    known = {*site.getsitepackages(), *map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib"))}
    return None if any(place.is_relative_to(Path(each).resolve()) for each in known) else place
