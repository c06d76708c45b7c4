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
from tuner.iac.document import file_bytes, repository_of
from tuner.iac.hcl import CODE, VALUES, Block, Value, read_blocks
from tuner.iac.hcl_access import ANY_KEY, KEY_OF_EACH, access_of, pairs_of, strings_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.iac.hcl_access import Access
    from tuner.iac.setting import Sources, Stage

_LOCAL_SOURCE: Final = re.compile(r'source\s*=\s*"(\.{1,2}(?:/[^"$]*)?)"')
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
    given: tuple[Path, ...]
    """Those with variables' values, in folders within it too."""

    def variable(self, name: str) -> Block | None:
        """The declaration of a variable."""
        return next((b for b in self.blocks if b.kind == "variable" and b.labels == (name,)), None)

    def local(self, name: str) -> Value | None:
        """The value of a local."""
        blocks = (each for each in self.blocks if each.kind == "locals")
        return next((b.values[name] for b in blocks if name in b.values), None)


@dataclass(frozen=True, slots=True)
class Each:
    """The element of a `for_each` that a block stands for."""

    key: str
    source: Value
    """The expression of `for_each`."""


@dataclass(frozen=True, slots=True)
class Read:
    """A name that was followed, and the keys that were read within its value."""

    scope: Scope
    kind: str
    name: str
    path: tuple[str, ...]

    @property
    def given(self) -> str | None:
        """What is known of it in this deployment."""
        return None if self.path else self.scope.known_values.get(f"{self.kind}.{self.name}")

    @property
    def is_sure(self) -> bool:
        """Whether no deployment gives it another value."""
        if self.kind == "local" or self.name in self.scope.values:
            return True
        return self.scope.call is not None and self.name in self.scope.call.values


@dataclass(frozen=True, slots=True)
class Scope:
    """A folder as one call sees it, or as the root."""

    folder: Folder
    call: Block | None = None
    parent: Scope | None = None
    call_count: int = 1
    """How many calls the folder has in all."""
    each: Each | None = None
    """The element for the block that is read."""
    values: Mapping[str, Value] = field(default_factory=dict)
    """What a deployment's files surely give to variables."""
    known_values: Mapping[str, str] = field(default_factory=dict)
    """What else is known of a deployment, such as `var.environment`."""

    @property
    def root(self) -> Path:
        """The folder that the outermost call is in."""
        return self.folder.path if self.parent is None else self.parent.root

    @property
    def prefix(self) -> str:
        """`module.NAME.` of the calls that lead here."""
        if self.call is None or self.parent is None:
            return ""
        return f"{self.parent.prefix}module.{self.call.labels[0]}{self.parent.element}."

    @property
    def element(self) -> str:
        """`["key"]` of the element of `for_each` that a block stands for."""
        return "" if self.each is None else f'["{self.each.key}"]'

    def known(self, value: Value) -> str | None:
        """The string that an expression surely comes to here."""
        written, each = value.text.strip(), self.each
        if each is not None and (
            written == "each.key"
            or (written == "each.value" and self.leaf(each.source, (each.key,)) is None)
        ):
            return each.key
        plain = self.known_values.get(written, value.string)
        if plain is not None:
            return plain or None
        reads: list[Read] = []
        found = self.leaf(value, (), reads)
        given = [read.given for read in reads if read.given is not None]
        if given or found is None or not all(read.is_sure for read in reads):
            return given[0] if given else None
        place, at = found
        return None if (place.node.id, at) == (value.node.id, self) else at.known(place)

    def resolved(self, value: Value) -> tuple[Value, Scope]:
        """Follow variables and locals to what is written; the value itself where that ends."""
        return self.leaf(value, ()) or (value, self)

    def leaf(
        self,
        value: Value,
        path: tuple[str, ...],
        reads: list[Read] | None = None,
        levels: int = 12,
    ) -> tuple[Value, Scope] | None:
        """What is written where an expression leads, by keys within its value; None if nothing is.

        `reads` takes the names on the way.
        """
        reads = [] if reads is None else reads
        pairs = pairs_of(value.node) if path else None
        if pairs is not None:
            key = self._key(path[0])
            inner = None if key is None else pairs.get(key)
            return inner and self.leaf(value.inner(inner), path[1:], reads, levels)
        access = access_of(value.node) if levels else None
        if access is None or (access.kind, access.name) == ("each", "key"):
            return None if path else (value, self)
        start = self._start(access)
        whole = tuple(self._key(key) or key for key in (*access.path, *path))
        found = None
        if start is not None:
            begun, at, whole = start[0], start[1], (*start[2], *whole)
            if access.kind != "each":
                reads.append(Read(self, access.kind, access.name, whole))
            found = at.leaf(begun, whole, reads, levels - 1)
        if found is None and access.default is not None:
            rest = (*access.after_default, *path)
            return self.leaf(value.inner(access.default), rest, reads, levels - 1)
        return found

    def _start(self, access: Access) -> tuple[Value, Scope, tuple[str, ...]] | None:
        """Where a name gets its value, and what of it is read first."""
        name = access.name
        if access.kind == "each":
            if self.each is None or name != "value":
                return None
            return self.each.source, self, (self.each.key,)
        if access.kind == "local":
            value = self.folder.local(name)
            return None if value is None else (value, self, ())
        if self.call is not None and name in self.call.values and self.parent is not None:
            return self.call.values[name], self.parent, ()
        variable = self.folder.variable(name)
        default = None if variable is None else variable.values.get("default")
        default = self.values.get(name, default)
        return None if default is None else (default, self, ())

    def _key(self, key: str) -> str | None:
        """A key as a text, where it's known."""
        if key == KEY_OF_EACH:
            return None if self.each is None else self.each.key
        if key.startswith(ANY_KEY):
            return self.known_values.get(key.removeprefix(ANY_KEY))
        return key

    def elements(self, block: Block) -> list[Scope]:
        """This scope once for each element of a block's `for_each`; itself if that isn't known."""
        source = block.values.get("for_each")
        found = None if source is None else self.leaf(source, ())
        if source is None or found is None:
            return [self]
        pairs = pairs_of(found[0].node)
        keys = strings_of(found[0].node) if pairs is None else list(pairs)
        return [replace(self, each=Each(key, source)) for key in keys] if keys else [self]


@dataclass(slots=True)
class Folders:
    """Reads folders, and finds the calls of each."""

    sources: Sources
    stage: Stage
    _folders: dict[Path, Folder] = field(default_factory=dict)
    _calls: dict[Path, dict[Path, list[Block]]] = field(default_factory=dict)

    def folder(self, path: Path) -> Folder:
        """Read a folder. Raises TemplateError."""
        if path not in self._folders:
            files = code_files(path)
            given = tuple(files_below(path, VALUES))
            self._folders[path] = Folder(path, self._merged(files), files, given)
        return self._folders[path]

    def _merged(self, files: Sequence[Path]) -> tuple[Block, ...]:
        """The blocks of files; those of override files change what is in the others."""
        found: list[Block] = []
        for file in sorted(files, key=_is_override):
            for block in read_blocks(file, self.sources):
                same = (at for at, b in enumerate(found) if b.is_same(block))
                at = next(same, None) if _is_override(file) and block.labels else None
                if at is not None:
                    found[at] = replace(found[at], values={**found[at].values, **block.values})
                elif _is_override(file):
                    found.insert(0, block)  # locals: the first counts
                else:
                    found.append(block)
        return tuple(found)

    def scopes(self, path: Path, levels: int = _LEVELS) -> list[Scope]:
        """The folder once for each call; once as it is, where nothing calls it."""
        folder = self.folder(path)
        calls = self._calls_of(path)
        if not calls or levels == 0:
            return [Scope(folder, values=self._values(folder), known_values=self.stage.known)]
        scopes = [
            Scope(folder, call, element, known_values=self.stage.known)
            for call in calls
            for parent in self.scopes(call.path.parent, levels - 1)
            for element in parent.elements(call)
        ]
        if len(scopes) > _MAX_CALLS:
            raise TemplateError(f"{path} is called over {_MAX_CALLS} times: name the file")
        return [replace(each, call_count=len(scopes)) for each in scopes]

    def _values(self, folder: Folder) -> dict[str, Value]:
        """What the files of values that a deployment takes give to variables."""
        found: dict[str, Value] = {}
        automatic = (file for file in folder.given if is_automatic(file, folder))
        for file in (*automatic, *filter(self.is_stage, folder.given)):
            for block in read_blocks(file, self.sources):
                found.update(block.values)
        return found

    def is_stage(self, file: Path) -> bool:
        """Whether a file of values is the stage's, by its name or by what it gives."""
        own = file.name.removesuffix(".json").removesuffix(".tfvars")
        names, known = (own, file.parent.name), self.stage.known
        if self.stage.name is not None:
            return self.stage.name in names
        if not known:
            return False
        blocks = read_blocks(file, self.sources)
        given = {f"var.{name}": value.string for b in blocks for name, value in b.values.items()}
        shared = [name for name in known if given.get(name) is not None]
        if shared:
            return all(given[name] == known[name] for name in shared)
        return known.get("terraform.workspace") in names

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


def code_files(folder: Path) -> tuple[Path, ...]:
    """A folder's files; OpenTofu's of the same name count more."""
    found = {file for end in CODE for file in folder.glob(f"*{end}") if file.is_file()}
    tofu = {file.with_suffix(".tf") for file in found if file.suffix == ".tofu"}
    return tuple(sorted(found - tofu))


def _is_override(file: Path) -> bool:
    return file.stem == "override" or file.stem.endswith("_override")


def files_below(folder: Path, suffix: tuple[str, ...]) -> list[Path]:
    """Files of a folder and those in it, without tools' output."""
    found = []
    for parent, folders, names in walk(folder):
        folders[:] = [name for name in folders if name not in _SKIPPED]
        found += [Path(parent, name) for name in names if name.endswith(suffix)]
    return sorted(found)


def called_folders(file: Path, text: str) -> list[Path]:
    """The folders that a file calls as modules."""
    found = (Path(normpath(file.parent / match[1])) for match in _LOCAL_SOURCE.finditer(text))
    return [each for each in dict.fromkeys(found) if each.is_dir()]


def is_automatic(file: Path, folder: Folder) -> bool:
    """Whether Terraform takes a file of values without being told to."""
    if file.parent != folder.path:
        return False
    name = file.name.removesuffix(".json")
    return name == "terraform.tfvars" or name.endswith(".auto.tfvars")


def _calling_files(root: Path) -> list[Path]:
    """Files below a folder that call local folders as modules."""
    found = []
    for file in files_below(root, CODE):
        with suppress(TemplateError):  # too large to be read
            text = file_bytes(file) if file.is_file() else b""
            if _LOCAL_SOURCE.search(text.decode("utf-8", "replace")):
                found.append(file)
    if len(found) > _MAX_FILES:
        raise TemplateError(f"{root} has over {_MAX_FILES:,} files that call modules")
    return found


def _repository(path: Path) -> Path:
    """The repository's root; without one, two levels up."""
    return repository_of(path) or (path.parents[1] if len(path.parents) > 3 else path)
