"""samconfig.toml: which values SAM's deployments give to a template's parameters, and where."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import TemplateError
from tuner.iac.setting import byte_span

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tuner.iac.setting import Sources

_NAMES: Final = ("samconfig.toml", "samconfig.yaml", "samconfig.yml")
STACK_NAME: Final = "AWS::StackName"
_SECTION: Final = re.compile(r"^\s*\[([\w.\"'-]+)\]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class GivenValue:
    """A number that a deployment gives to a parameter."""

    path: Path
    line: int
    environment: str
    """The table of the file: `default`, `prod`."""
    memory_mb: int
    span: tuple[int, int]
    """Byte offsets of the number."""


def given_values(template: Path, parameter: str, sources: Sources) -> list[GivenValue]:
    """Return where the files beside a template give a parameter a number.

    Raises TemplateError if one does so in a way that isn't read here.
    """
    found = []
    for name in _NAMES:
        file = template.with_name(name)
        if file.is_file():
            found += _given_in(file, parameter, sources)
    return found


def _given_in(file: Path, parameter: str, sources: Sources) -> list[GivenValue]:
    text = sources.text(file)
    name = re.escape(parameter)
    plain = re.compile(
        rf"(?:\bParameterKey={name},\s*ParameterValue=|(?<![\w-]){name}=)(?:\\?[\"'])?"
        r"(\d{1,9})(?!\w)"
    )
    mentioned = re.compile(rf"(?<![\w-]){name}(?![\w-])\W*[=:,]")
    found = []
    for match in mentioned.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        start = text.rfind("\n", 0, match.start()) + 1
        if text[start : match.start()].lstrip().startswith("#"):
            continue
        number = next(
            (m for m in plain.finditer(text) if m.start() <= match.start() < m.end()), None
        )
        if number is None or file.suffix != ".toml" or not _is_toml(text):
            raise TemplateError(
                f"{file}:{line}: the parameter {parameter}, which sets the memory, is given here: "
                "change it here"
            )
        sections = [m[1] for m in _SECTION.finditer(text) if m.start() < match.start()]
        environment = sections[-1].partition(".")[0].strip("\"'") if sections else ""
        span = byte_span(sources.data(file), text, *number.span(1))
        found.append(GivenValue(file, line, environment, int(number[1]), span))
    return found


def environment_of(template: Path, known: Mapping[str, str], sources: Sources) -> str | None:
    """The one environment of samconfig.toml that a deployment is of, by its stack or parameters."""
    file = template.with_name("samconfig.toml")
    if not file.is_file() or not _is_toml(text := sources.text(file)):
        return None
    fitting = [
        name
        for name, table in tomllib.loads(text).items()
        if isinstance(table, dict) and _fits(table, known)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _fits(table: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    """Whether an environment has the known stack's name, or gives a known parameter its value."""
    deploy = table.get("deploy", {})
    given = deploy.get("parameters", {}) if isinstance(deploy, dict) else {}
    if not isinstance(given, dict):
        return False
    if given.get("stack_name") is not None and given["stack_name"] == known.get(STACK_NAME):
        return True
    overrides = given.get("parameter_overrides", "")
    texts = overrides if isinstance(overrides, list) else [overrides]
    written = " ".join(map(str, texts)).replace('"', "").replace("'", "").split()
    return any(f"{name}={value}" in written for name, value in known.items())


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True
