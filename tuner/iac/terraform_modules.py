"""Terraform's folders: what is in one, and how others call it as a module."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from os import walk
from os.path import normpath, relpath
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import TemplateError
from tuner.iac.document import file_bytes
from tuner.iac.hcl import Block, Value, read_blocks

if TYPE_CHECKING:
    from tuner.iac.setting import Sources

_LOCAL_SOURCE: Final = re.compile(rb'source\s*=\s*"\.{1,2}[/"]')
_SKIPPED: Final = frozenset({".terraform", ".git", "node_modules", ".terragrunt-cache"})
_LEVELS: Final = 3
_MAX_FILES: Final = 3_000
_MAX_CALLS: Final = 200


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder's blocks and files."""

    path: Path
    blocks: tuple[Block, ...]
    files: tuple[Path, ...]
    """Of Terraform, those with variables' values included."""

    def variable(self, name: str) -> Block | None:
        """The declaration of a variable."""
        return next((b for b in self.blocks if b.kind == "variable" and b.labels == (name,)), None)

    def local(self, name: str) -> Value | None:
        """The value of a local."""
        blocks = (each for each in self.blocks if each.kind == "locals")
        return next((b.values[name] for b in blocks if name in b.values), None)


@dataclass(frozen=True, slots=True)
class Scope:
    """A folder as one call sees it, or as the root."""

    folder: Folder
    call: Block | None = None
    parent: Scope | None = None
    call_count: int = 1
    """How many calls the folder has in all."""

    @property
    def prefix(self) -> str:
        """`module.NAME.` of the calls that lead here."""
        outer = "" if self.parent is None else self.parent.prefix
        return "" if self.call is None else f"{outer}module.{self.call.labels[0]}."

    def known(self, kind: str, name: str) -> str | None:
        """A string that the call of the module, or a local, surely gives."""
        if kind == "local":
            value = self.folder.local(name)
            return None if value is None else value.string
        if self.call is None or self.parent is None or name not in self.call.values:
            return None
        return self.parent.resolved(self.call.values[name])[0].string

    def resolved(self, value: Value, levels: int = 8) -> tuple[Value, Scope]:
        """Follow variables and locals to what is written; the value itself where that ends."""
        reference = value.reference
        if reference is None or levels == 0:
            return value, self
        kind, name = reference
        if kind == "local":
            found = self.folder.local(name)
            return (value, self) if found is None else self.resolved(found, levels - 1)
        if self.call is not None and name in self.call.values and self.parent is not None:
            return self.parent.resolved(self.call.values[name], levels - 1)
        variable = self.folder.variable(name)
        default = None if variable is None else variable.values.get("default")
        return (value, self) if default is None else (default, self)


@dataclass(slots=True)
class Folders:
    """Reads folders, and finds the calls of each."""

    sources: Sources
    _folders: dict[Path, Folder] = field(default_factory=dict)
    _calls: dict[Path, dict[Path, list[Block]]] = field(default_factory=dict)

    def folder(self, path: Path) -> Folder:
        """Read a folder. Raises TemplateError."""
        if path not in self._folders:
            files = tuple(sorted(each for each in path.glob("*.tf") if each.is_file()))
            blocks = tuple(b for file in files for b in read_blocks(file, self.sources))
            given = tuple(sorted(path.rglob("*.tfvars")))
            self._folders[path] = Folder(path, blocks, (*files, *given))
        return self._folders[path]

    def scopes(self, path: Path, levels: int = _LEVELS) -> list[Scope]:
        """The folder once for each call; once as it is, where nothing calls it."""
        folder = self.folder(path)
        calls = self._calls_of(path)
        if not calls or levels == 0:
            return [Scope(folder)]
        scopes = [
            Scope(folder, call, parent)
            for call in calls
            for parent in self.scopes(call.path.parent, levels - 1)
        ]
        if len(scopes) > _MAX_CALLS:
            raise TemplateError(f"{path} is called over {_MAX_CALLS} times: name the file")
        return [replace(each, call_count=len(scopes)) for each in scopes]

    def _calls_of(self, path: Path) -> list[Block]:
        """The calls of a folder as a module, in the whole repository."""
        whole = path.resolve()
        root = _repository(whole)
        if root not in self._calls:
            found: dict[Path, list[Block]] = {}
            self._calls[root] = found
            for file in self.sources.listed(root, partial(_calling_files, root)):
                # As the folder itself is written, so that a file has one name.
                shown = Path(normpath(path / relpath(file, whole)))
                for block in read_blocks(shown, self.sources):
                    source = block.values.get("source")
                    written = None if source is None else source.string
                    if block.kind == "module" and written is not None and written[:1] == ".":
                        target = (file.parent / written).resolve()
                        found.setdefault(target, []).append(block)
        return self._calls[root].get(whole, [])


def _calling_files(root: Path) -> list[Path]:
    """Files below a folder that call local folders as modules."""
    found = []
    for parent, folders, names in walk(root):
        folders[:] = [name for name in folders if name not in _SKIPPED]
        for name in names:
            file = Path(parent, name)
            if name.endswith(".tf") and file.is_file():
                with suppress(TemplateError):  # too large to be read
                    if _LOCAL_SOURCE.search(file_bytes(file)):
                        found.append(file)
        if len(found) > _MAX_FILES:
            raise TemplateError(f"{root} has over {_MAX_FILES:,} files that call modules")
    return sorted(found)


def _repository(path: Path) -> Path:
    """The repository's root; without one, two levels up."""
    for folder in (path, *path.parents):
        if (folder / ".git").exists():
            return folder
    return path.parents[1] if len(path.parents) > 3 else path
