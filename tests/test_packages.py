"""What holds for every package of the project: no circles of imports, and a tour that is right."""

from __future__ import annotations

import ast
import graphlib
import re
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path

import grimp
import pytest

import tuner

ROOT = Path(tuner.__file__).parent
PACKAGES = sorted(file.parent for file in ROOT.rglob("__init__.py") if file.parent != ROOT)
QUOTED = re.compile(r"`([^`]+)`")
PATH = re.compile(r"[A-Za-z_]\w*([./]\w+)*/?")


def test_no_module_imports_what_imports_it() -> None:
    """No module needs one that needs it: not for types, not a package and its own modules."""
    graph = grimp.build_graph("tuner", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    imports["tuner"] = set()  # the facade hands public names on, lazily

    graphlib.TopologicalSorter(imports).prepare()  # raises CycleError, which names the modules


@pytest.mark.parametrize("package", PACKAGES, ids=lambda it: it.relative_to(ROOT).as_posix())
def test_a_package_begins_with_a_tour(package: Path) -> None:
    """A package's docstring says which file to read first, and all that it names is there."""
    tour = ast.get_docstring(ast.parse(Path(package, "__init__.py").read_text("utf-8"))) or ""
    first = re.search(r"\bread (?:`(\w+)`|this file)", tour, re.IGNORECASE)
    assert first, "it does not say which file to read first"

    paths = {name.rstrip("/") for name in QUOTED.findall(tour) if PATH.fullmatch(name)}
    assert paths >= {first[1]} - {None}
    assert sorted(path for path in paths if not is_there(path, package)) == []


def is_there(path: str, package: Path) -> bool:
    """Whether it is a module of the package or the project, or a name that a module here has."""
    parts = path.replace("/", ".").removeprefix("tuner.").split(".")
    files = [Path(base, *parts) for base in (package, ROOT)]
    if any(file.is_dir() or file.with_suffix(".py").is_file() for file in files):
        return True
    return any(path in (file.stem, *names_in(file)) for file in package.rglob("*.py"))


@cache
def names_in(file: Path) -> frozenset[str]:
    """Functions and classes that a module has or imports."""
    nodes = [*ast.walk(ast.parse(file.read_text("utf-8")))]
    made = {each.name for each in nodes if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    imports = (each for each in nodes if isinstance(each, ast.ImportFrom))
    return frozenset(made | {alias.name for each in imports for alias in each.names})


@pytest.mark.parametrize("name", ["numpy", "pandas", "moto", "python-gitlab"])
def test_a_dependency_whose_major_releases_broke_users_has_an_upper_bound(name: str) -> None:
    """Wherever it is required, in the core or in an extra, its next major release is left out."""
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text("utf-8"))["project"]
    required = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    mine = [each for each in required if re.match(rf"{name}[<>=\s]", each)]
    assert mine
    assert all(re.search(r",<\d+", each) for each in mine), mine
