"""Chalice: `lambda_memory_size` in .chalice/config.json, of an app, a stage or a function.

The innermost one counts. A stage's function that takes a wider value gets one of its own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from tuner.iac.document import plain_number
from tuner.iac.setting import ANY, DeclaredFunction, Setting, Sources, Stage
from tuner.iac.yaml_edit import Yaml
from tuner.model import lambda_limits as limits

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.iac.document import TemplateNode

_MEMORY: Final = "lambda_memory_size"
_FUNCTIONS: Final = "lambda_functions"
_API: Final = "api_handler"
_DECORATED: Final = re.compile(
    r"^@(?:app|[\w.]+)\.(?:lambda_function|schedule|authorizer|on_s3_event|on_sns_message|"
    r"on_sqs_message|on_cw_event|on_kinesis_record|on_dynamodb_record|on_ws_\w+)\b"
    r"(?:\((?:[^()]|\([^()]*\))*?\))?(?:\s*#[^\n]*)?\s*\n(?:@[^\n]*\n)*(?:async\s+)?def\s+(\w+)",
    re.MULTILINE,
)
_NAMED: Final = re.compile(r"""\bname\s*=\s*['"]([\w-]+)['"]""")


def is_config(path: Path) -> bool:
    """Whether it's a Chalice app's configuration."""
    return path.name == "config.json" and path.parent.name == ".chalice"


def read_functions(path: Path, sources: Sources, stage: Stage) -> list[DeclaredFunction]:
    """Return an app's functions, each for each stage. Raises TemplateError."""
    yaml = Yaml.read(path, sources)
    app = yaml.root.values("the configuration")
    stages = app["stages"].entries("stages") if "stages" in app else {}
    name = app["app_name"].text("app_name") if "app_name" in app else ANY
    declared = []
    for stage_name, (key, node) in stages.items():
        if stage.name not in (None, stage_name) or not node.is_mapping:
            continue
        settings = node.values(stage_name)
        inner = settings[_FUNCTIONS].values(_FUNCTIONS) if _FUNCTIONS in settings else {}
        for function in dict.fromkeys([_API, *_names_in_app(path, sources), *inner]):
            deployed = f"{name}-{stage_name}" + ("" if function == _API else f"-{function}")
            levels = [
                inner[function].values(function) if function in inner else {},
                settings,
                app,
            ]
            declared.append(
                DeclaredFunction(
                    f"{stage_name}.{function}",
                    path,
                    key.line,
                    partial(_locate, yaml, node, function, levels),
                    # An app's own handler has the name of the app and the stage.
                    made_names=(deployed, *([f"{deployed}-{_API}"] if function == _API else [])),
                    memory=_memory(levels),
                )
            )
    return declared


def _memory(levels: list[dict[str, TemplateNode]]) -> int | str:
    """MB, or what is written there."""
    value = next((each[_MEMORY] for each in levels if _MEMORY in each), None)
    if value is None:
        return limits.MIN_MEMORY_MB
    written = str(value.yaml_node.value)
    number = plain_number(written)
    return written if number is None else number


def _locate(
    yaml: Yaml,
    stage: TemplateNode,
    function: str,
    levels: list[dict[str, TemplateNode]],
    _memory_mb: int,
) -> Setting:
    """Where the function's new size goes. Raises TemplateError."""
    own, settings, _ = levels
    if _MEMORY in own:
        return yaml.replacing(own[_MEMORY])
    written = f'{{"{_MEMORY}": '
    if _FUNCTIONS not in settings:
        return _wrapped(yaml.inserting(stage, _FUNCTIONS), f'{{"{function}": {written}', "}}")
    functions = settings[_FUNCTIONS]
    known = functions.values(_FUNCTIONS)
    if function in known:
        return yaml.inserting(known[function], _MEMORY)
    return _wrapped(yaml.inserting(functions, function), written, "}")


def _wrapped(setting: Setting, before: str, after: str) -> Setting:
    """The number within an object of its own."""
    return replace(setting, before=f"{setting.before}{before}", after=f"{after}{setting.after}")


def _names_in_app(path: Path, sources: Sources) -> list[str]:
    """Functions that app.py decorates, besides the app's own handler."""
    app = path.parent.parent / "app.py"
    if not app.is_file():
        return []
    text = sources.text(app)
    found = []
    for match in _DECORATED.finditer(text):
        named = _NAMED.search(match[0].partition("\ndef ")[0])
        found.append(named[1] if named else match[1])
    return found
