"""The documents name what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.running import take_command

ROOT = Path(__file__).parent.parent.parent
GENERATED = {
    "commands.md",
    "json.md",
    "python.md",
}  # by the site itself, whose build checks links to them
DOCUMENTS = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_PATH = re.compile(r"`((?:tuner|tests|docs)/[\w/.-]+)`")
_MODULE = re.compile(r"`(tuner(?!\.toml`)(?:\.[a-z_]+)+)(?:\(\))?`")
SHOWN = r"^(?:\$ )?(tuner [a-z-]+ .*)$"
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def _is_there(dotted: str) -> bool:
    """Whether a dotted name is a package, a module, or a name in one."""
    parts = dotted.split(".")
    whole, parent = ROOT.joinpath(*parts), ROOT.joinpath(*parts[:-1])
    if whole.is_dir() or whole.with_suffix(".py").is_file():
        return True
    home = parent / "__init__.py" if parent.is_dir() else parent.with_suffix(".py")
    return home.is_file() and re.search(rf"\b{parts[-1]}\b", home.read_text()) is not None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_what_documents_name_is_there(document: Path) -> None:
    """Every path, module and link in the documents leads to something."""
    text = document.read_text(encoding="utf-8")
    missing = [path for path in _PATH.findall(text) if not (ROOT / path).exists()]
    missing += [name for name in _MODULE.findall(text) if not _is_there(name)]
    links = set(_LINK.findall(text)) - GENERATED
    missing += [link for link in links if not (document.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
def test_every_make_target_that_documents_name_does_something(document: Path) -> None:
    """A name that is phony and has no commands would end well and do nothing."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    # With commands of its own, or other targets to make before.
    made = r"^([\w-]+):(?: +(?!\$|##)\S.*|.*\n\t.*)$"
    targets = set(re.findall(made, makefile, flags=re.MULTILINE))
    named = re.findall(r"(?:`|\$ )make ([\w-]+)", document.read_text(encoding="utf-8"))
    assert set(named) - targets == set()


def test_every_package_has_its_row() -> None:
    """The architecture's table has every package below `tuner`, and the file to read first: the
    same as the package's own tour.
    """
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `tuner\.(\w+)` \|.*\| `([\w/.]+)`", text, flags=re.MULTILINE))
    packages = {each.parent.name for each in (ROOT / "tuner").glob("*/__init__.py")}
    assert packages <= set(rows)
    for package in packages:
        folder, first = ROOT / "tuner" / package, Path(rows[package])
        assert (folder / first).is_file(), package
        here = "this file" if first.stem == "__init__" else f"`{first.stem}`"
        tour = (folder / "__init__.py").read_text(encoding="utf-8")
        assert re.search(rf"\bread {here}", tour, re.IGNORECASE), package


def test_what_the_tables_of_sources_name_is_there() -> None:
    """Every file in a row of the statistical choices is in its package."""
    text = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    package = ""
    for line in text.splitlines():
        if line.startswith("## "):
            named = re.search(r"`tuner/(\w+)/`", line)
            package = named.group(1) if named else ""
        elif package and line.startswith("| ") and "`" in line:
            for file in re.findall(r"`([\w/]+\.py)`", line.split("|")[2]):
                assert (ROOT / "tuner" / package / file).is_file(), file


@pytest.mark.parametrize(
    "document", [*DOCUMENTS, ROOT / "README.md", ROOT / "examples" / "README.md"], ids=str
)
def test_every_command_that_documents_show_is_taken(
    document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader who copies a command gets no usage error: its options exist and take its values."""
    monkeypatch.chdir(ROOT)
    for line in re.findall(SHOWN, document.read_text(encoding="utf-8"), re.MULTILINE):
        take_command(line)
