"""Payload sets: named classes with weights, in a TOML, YAML or JSON file.

    seed = 7
    [classes.order]
    weight = 80
    template = "order.json.j2"      # or file, folder, schema; or a source alone
    source = "sqs"
    parameters = { batch_size = 5 }

Paths are taken from the set's own folder, and stay in it: a set may come from somebody else.
"""

from __future__ import annotations

import json
import math
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from tuner.errors import PayloadError
from tuner.payloads.body import is_inside

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SET_SUFFIXES: Final = (".toml", ".yaml", ".yml")
SET_JSON: Final = "payloads.json"
"""A JSON file is an event, unless it's named payloads.json or ends in .payloads.json."""
_ORIGINS: Final = ("file", "folder", "template", "schema")
_KEYS: Final = (*_ORIGINS, "source", "weight", "parameters", "size", "raw", "records")
_MOST_BYTES: Final = 4 * 1024 * 1024
_MOST_CLASSES: Final = 1000
_MOST_DEPTH: Final = 60
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class ClassRecipe:
    """How the events of one class are made."""

    name: str
    weight: float = 1.0
    origin: str | None = None
    """file, folder, template or schema; None: the source's own body."""
    path: Path | None = None
    within: Path | None = None
    """The folder that its files must be in, following links; None: anywhere."""
    source: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    size: str | None = None
    raw: bool = False
    records: int | str | None = None
    """How many records an event has, or the parameter that says so; None: the batch size."""


def is_set(path: Path) -> bool:
    """Whether a file is a payload set, by its name."""
    name = path.name.lower()
    return name.endswith((*SET_SUFFIXES, f".{SET_JSON}")) or name == SET_JSON


def read_set(
    path: Path, *, allow_outside: bool = False
) -> tuple[tuple[ClassRecipe, ...], int | None]:
    """Return a set's classes and its seed, if it has one.

    Raises PayloadError, also for a path that leaves the set's folder, unless `allow_outside`.
    """
    what = f"payload set {str(path)!r}"
    table = _table(_parsed(path, what), what)
    if unknown := sorted(map(str, table.keys() - {"classes", "seed"})):
        raise PayloadError(f"{what}: unknown key {unknown[0]!r}: known are classes and seed")
    seed = table.get("seed")
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise PayloadError(f"{what}: seed must be a whole number, 0 or more")
    classes = _table(table.get("classes", {}), f"{what}, classes")
    if not classes:
        raise PayloadError(f"{what} has no classes: name one, [classes.order]")
    if len(classes) > _MOST_CLASSES:
        raise PayloadError(
            f"{what} has {len(classes):,} classes, over {_MOST_CLASSES:,}: put events of one kind "
            "in a folder, or make them from a template"
        )
    recipes = tuple(
        _recipe(path, str(name), given, within=None if allow_outside else path.parent)
        for name, given in classes.items()
    )
    if not any(recipe.weight for recipe in recipes):
        raise PayloadError(f"{what}: the weights are all 0: give one above it")
    return tuple(recipe for recipe in recipes if recipe.weight), seed


def _parsed(path: Path, what: str) -> Any:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise PayloadError(f"{what} is over 4 MB: refer to files instead")
        text = data.decode("utf-8-sig")
        if path.suffix.lower() == ".toml":
            return tomllib.loads(text)
        return json.loads(text) if path.suffix.lower() == ".json" else _read_yaml(text, what)
    except OSError as error:
        why = f" can't be read: {error.strerror}"
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        why = f", line {line}: {error.problem}"
    except json.JSONDecodeError as error:
        why = f", line {error.lineno}: {error.msg}"
    except tomllib.TOMLDecodeError as error:
        why = f" is not valid TOML: {error}"
    except UnicodeDecodeError as error:
        why = f" is not UTF-8 (at byte {error.start})"
    except yaml.YAMLError:
        why = " contains control characters"
    except (ValueError, RecursionError, TypeError):
        why = " can't be read: it is nested too deeply, or a number in it is out of range"
    raise PayloadError(f"{what}{why}")


def _read_yaml(text: str, what: str) -> Any:
    """Read YAML without aliases: a few aliases of aliases expand to any size."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        where = f"{what}, line {event.start_mark.line + 1 if event.start_mark else 1}"
        if isinstance(event, yaml.AliasEvent):
            raise PayloadError(
                f"{where}: the alias *{event.anchor} is not supported: write the values out"
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MOST_DEPTH:
            raise PayloadError(f"{where}: nested deeper than {_MOST_DEPTH} levels")
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except (AttributeError, KeyError):  # PyYAML's own, of `!!timestamp noon` and `!!bool maybe`
        raise PayloadError(
            f"{what} has a value that doesn't match its tag: leave out the tag"
        ) from None


def _table(given: Any, where: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise PayloadError(f"{where}: this must be a table, such as [classes.order]")
    return given


def _recipe(path: Path, name: str, given: Any, *, within: Path | None) -> ClassRecipe:
    where = f"payload set {str(path)!r}, class {name!r}"
    table = _table(given, where)
    unknown = sorted(map(str, table.keys() - set(_KEYS)))
    if unknown:
        raise PayloadError(f"{where}: unknown key {unknown[0]!r}: known are {', '.join(_KEYS)}")
    origins = [key for key in _ORIGINS if key in table]
    if len(origins) > 1 or not (origins or "source" in table):
        raise PayloadError(
            f"{where}: give one of {', '.join(_ORIGINS)}, or a source"
            + (f" (there are {' and '.join(origins)})" if origins else "")
        )
    for key, kind in {**dict.fromkeys([*origins, "source", "size"], str), "raw": bool}.items():
        if key in table and not isinstance(table[key], kind):
            raise PayloadError(f"{where}: {key} is a {'yes or no' if kind is bool else 'text'}")
    return ClassRecipe(
        name=name,
        weight=_weight(table.get("weight", 1), where),
        origin=origins[0] if origins else None,
        path=_own_path(path, table[origins[0]], where, within) if origins else None,
        within=within,
        source=table.get("source"),
        parameters=_table(table.get("parameters", {}), f"{where}, parameters"),
        size=table.get("size"),
        raw=table.get("raw", False),
        records=_records(table.get("records"), where),
    )


def _own_path(path: Path, given: str, where: str, within: Path | None) -> Path:
    found = path.parent / given
    if within is not None and not is_inside(found, within):
        raise PayloadError(
            f"{where}: {given!r} is outside the set's folder: keep it there, or give "
            "`allow_outside=True` if you trust the set"
        )
    return found


def _records(given: Any, where: str) -> int | str | None:
    if given is None or (isinstance(given, str) and given):
        return given
    if isinstance(given, int) and not isinstance(given, bool) and given >= 1:
        return given
    raise PayloadError(f"{where}: records must be a whole number, 1 or more, or a parameter's name")


def _weight(given: Any, where: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise PayloadError(f"{where}: the weight is not a number")
    if given < 0:
        raise PayloadError(f"{where}: the weight {given:g} is negative: 0 leaves the class out")
    return float(given)
