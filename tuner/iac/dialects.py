"""Which files declare functions, and in which dialect, by name and content."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from tuner.errors import TemplateError
from tuner.iac import (
    cdk_python,
    cdk_typescript,
    chalice,
    cloudformation,
    serverless,
    terraform,
    terraform_functions,
    typescript_code,
)
from tuner.iac.cdk import is_compiled
from tuner.iac.hcl import CODE
from tuner.iac.setting import Sources, Stage, not_too_deep
from tuner.iac.terraform_modules import called_folders, code_files, files_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tuner.iac.setting import DeclaredFunction

Dialect = Literal[
    "cloudformation", "terraform", "serverless", "cdk_python", "cdk_typescript", "chalice", "unread"
]
_SKIPPED: Final = frozenset(
    {
        *(".git", ".aws-sam", ".serverless", ".terraform", ".terragrunt-cache", ".venv", "venv"),
        *("node_modules", "cdk.out", "__pycache__", "site-packages", ".tox", ".mypy_cache"),
        *("dist", "build", ".build", ".pulumi", ".next"),
    }
)
"""Folders with tools' output."""
_YAML: Final = frozenset({".yaml", ".yml", ".json", ".template"})
_SUFFIXES: Final = _YAML | {*CODE, ".py", *typescript_code.SUFFIXES}
_MAX_FILES: Final = 100_000
_UNREAD: Final = {
    "Terraform's JSON": re.compile(r".*\.tf\.json"),
    "Serverless as a program": re.compile(r"serverless\.[cm]?[jt]s"),
    "SST": re.compile(r"sst\.config\.[cm]?[jt]s"),
    "Zappa": re.compile(r"zappa_settings\.json"),
}
"""What may declare functions and isn't read, by files' names."""


def _read_nothing(path: Path, _sources: Sources, _stage: Stage) -> list[DeclaredFunction]:
    """Say that a file isn't read. Raises TemplateError."""
    what = next(what for what, name in _UNREAD.items() if name.fullmatch(path.name))
    raise TemplateError(f"{path}: {what} isn't read: change the memory there by hand")


_READERS: Final[Mapping[Dialect, Callable[[Path, Sources, Stage], list[DeclaredFunction]]]] = {
    "cdk_python": cdk_python.read_functions,
    "cdk_typescript": cdk_typescript.read_functions,
    "chalice": chalice.read_functions,
    "cloudformation": cloudformation.read_functions,
    "serverless": serverless.read_functions,
    "terraform": terraform.read_functions,
    "unread": _read_nothing,
}


@dataclass(frozen=True, slots=True)
class Unit:
    """What is read at once: a file, or a folder for Terraform."""

    path: Path
    dialect: Dialect
    only: Path | None = None
    """The one file whose functions are meant, where it was named."""
    within: Path | None = None
    """Where the module must be called from, for one that lies elsewhere."""

    def has(self, function: DeclaredFunction) -> bool:
        """Whether a function that was read is meant."""
        if self.within is not None and function.root is not None:
            return function.root.resolve().is_relative_to(self.within.resolve())
        return self.only is None or self.only.resolve() == function.path.resolve()


def find_units(places: Sequence[Path]) -> list[Unit]:
    """Return what may declare functions among files and folders, each once.

    Raises TemplateError for a named file of an unknown dialect.
    """
    found: dict[Unit, None] = {}
    for place in places:
        if place.is_dir():
            found.update(dict.fromkeys((*_units_within(place), *_units_called(place))))
            continue
        unit = _unit(place, Sources().text(place))
        if unit is None and (called := _units_called(place)):
            found.update(dict.fromkeys(called))
            continue
        if unit is None and (service := _service_of(place)):
            found[Unit(service, "serverless", only=place)] = None
            continue
        if unit is None:
            raise TemplateError(
                f"{place} declares no function that is known here: CloudFormation, SAM, "
                "Terraform, Serverless, CDK and Pulumi in Python, TypeScript or JavaScript, and "
                "Chalice are read"
            )
        found[replace(unit, only=place) if unit.path != place else unit] = None
    return list(found)


def read_unit(unit: Unit, sources: Sources, stage: Stage) -> list[DeclaredFunction]:
    """Return a unit's functions. Raises TemplateError."""
    with not_too_deep(unit.path):
        return _READERS[unit.dialect](unit.path, sources, stage)


def _units_within(folder: Path) -> Iterator[Unit]:
    count = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(names):
            path = Path(parent, name)
            if path.suffix not in _SUFFIXES or is_compiled(name, names):
                continue
            count += 1
            if count > _MAX_FILES:
                raise TemplateError(
                    f"{folder} has over {_MAX_FILES:,} files to look into: name the file or its "
                    "folder (`template`)"
                )
            try:
                unit = _unit(path, Sources().text(path))
            except TemplateError:  # too large, or no text
                continue
            if unit is not None:
                yield unit


def _service_of(place: Path) -> Path | None:
    """The service that has its functions, or some, in a file."""
    if place.suffix not in _YAML:
        return None
    whole = place.resolve()
    for folder in whole.parents[:6]:
        for name in ("serverless.yml", "serverless.yaml", "serverless.json"):
            file = Path(
                os.path.normpath(place.parent / os.path.relpath(folder / name, whole.parent))
            )
            if file.is_file():
                return file if serverless.names_file(file, whole, Sources()) else None
        if (folder / ".git").exists():
            break
    return None


def _units_called(place: Path, levels: int = 3) -> list[Unit]:
    """Terraform's modules elsewhere that a file, or those of a folder, call."""
    root = place if place.is_dir() else place.parent
    if (place / ".git").exists():  # then nothing is elsewhere
        return []
    found: dict[Path, None] = {}
    files = files_below(place, CODE) if place.is_dir() else [place] * (place.suffix in CODE)
    for _ in range(levels):
        folders: dict[Path, None] = {}
        for file in files:
            with suppress(TemplateError):  # too large, or no text
                folders.update(dict.fromkeys(called_folders(file, Sources().text(file))))
        inside = root.resolve()
        new = [f for f in folders if f not in found and not f.resolve().is_relative_to(inside)]
        found.update(dict.fromkeys(new))
        files = [file for folder in new for file in code_files(folder)]
    units = []
    for folder in found:
        with suppress(TemplateError):
            texts = (Sources().text(file) for file in code_files(folder))
            if any(terraform_functions.has_functions(text) for text in texts):
                units.append(Unit(folder, "terraform", within=root))
    return units


def _unit(path: Path, text: str) -> Unit | None:
    """The dialect of a file, by its name and content."""
    is_yaml, suffix = path.suffix in _YAML, path.suffix
    known: dict[Dialect, bool] = {
        "chalice": chalice.is_config(path),
        "cloudformation": is_yaml and cloudformation.is_template(text),
        "serverless": is_yaml and serverless.is_service(text),
        "terraform": suffix in CODE and terraform_functions.has_functions(text),
        "cdk_python": suffix == ".py" and cdk_python.has_functions(text),
        "cdk_typescript": suffix in typescript_code.SUFFIXES
        and not path.name.endswith(".d.ts")
        and cdk_typescript.has_functions(text),
        "unread": any(name.fullmatch(path.name) for name in _UNREAD.values())
        and (path.suffixes[-2:] != [".tf", ".json"] or "lambda" in text),
    }
    dialect = next((each for each, fits in known.items() if fits), None)
    if dialect is None:
        return None
    return Unit(path.parent if dialect == "terraform" else path, dialect)
