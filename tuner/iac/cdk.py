"""What CDK and Pulumi programs have in common in every language: classes that make functions, the
names that they get, and how often code runs.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from os import walk
from os.path import normpath, relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, NoReturn, TypeVar

from tuner.errors import TemplateError
from tuner.iac.cdk_assembly import of_construct, synthesized
from tuner.iac.document import MAX_TEMPLATE_BYTES, file_bytes, repository_of
from tuner.iac.setting import ANY, DIGEST, INNER, SUFFIX, TAIL, DeclaredFunction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.iac.cdk_assembly import Synthesized
    from tuner.iac.setting import Setting, Sources

MODULES: Final = {
    "aws_lambda": ("Function", "DockerImageFunction", "SingletonFunction", "CfnFunction"),
    "aws_sam": ("CfnFunction",),
    "aws_lambda_python": ("PythonFunction",),
    "aws_lambda_nodejs": ("NodejsFunction",),
    "aws_lambda_go": ("GoFunction",),
}
"""Classes that make functions, by module; an alpha module's name ends in `_alpha` besides."""
_OF_PULUMI: Final = ("Function", "CallbackFunction")
_SKIPPED: Final = frozenset(
    {"node_modules", "cdk.out", ".git", ".venv", "venv", "dist", "build", "site-packages"}
)
_TESTS: Final = re.compile(r"(^|[/_.])(tests?|spec|__tests__)([/_.]|$)")
_MAX_FILES: Final = 2_000
_MAX_IMPORTERS: Final = 20_000
_PLAIN: Final = re.compile(r"[^A-Za-z0-9\0]")


def is_pulumi(module: str, kind: str) -> bool:
    """Whether a class of a module is Pulumi's for functions."""
    return module.rstrip("_") == "pulumi_aws.lambda" and kind in _OF_PULUMI


def classes_of(module: str) -> tuple[str, ...]:
    """The classes of a module that make functions; none of another module's."""
    return MODULES.get(module.replace("-", "_").removesuffix("_alpha"), ())


def names_of(pattern: str | None, its_id: str | None, *, by_pulumi: bool) -> tuple[str, ...]:
    """A function's names as a deployment may have made them: by what is known of its name, else of
    its id; nothing if neither is written.

    Pulumi adds seven digits to the id; CDK's is STACK-IdDIGEST-SUFFIX for one right in a stack.
    """
    if pattern is not None:
        return (pattern,)
    if its_id is None:
        return ()
    return (f"{its_id}-{TAIL}" if by_pulumi else _made_name(its_id),)


def _made_name(construct_id: str, inner: str = "") -> str:
    return f"{ANY}-{inner}{_PLAIN.sub('', construct_id)}{DIGEST}-{SUFFIX}"


@dataclass(frozen=True, slots=True)
class Use:
    """Where code makes an object of a class, or calls a function."""

    path: Path
    line: int
    at: int
    """Byte offset."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a place in code is in."""

    names: tuple[tuple[str, bool], ...]
    """Of functions and classes, and whether it's a class."""
    in_loop: bool


@dataclass(frozen=True, slots=True)
class Call:
    """What makes a function."""

    node: Any
    """The whole call."""
    id: Any
    """The expression of the function's id."""
    by_pulumi: bool
    """Whether it's Pulumi's, and not CDK's."""


AnyCall = TypeVar("AnyCall", bound=Call)


class AppFile(ABC, Generic[AnyCall]):
    """A file of an app: the calls in it that make functions, and where these get their memory.

    What a node is, only the language's own class knows.
    """

    suffixes: ClassVar[Sequence[str]]
    name_key: ClassVar[str]
    """What CDK calls a function's name."""
    remedy: ClassVar[str]
    """What to do where one call makes several functions."""
    text: Callable[[Any], str | None]
    """A node's plain text."""
    written: Callable[[Any], str]
    """An expression as it's written."""

    def __init__(self, path: Path, sources: Sources) -> None:
        self.path = path
        self.sources = sources
        self.data = sources.data(path)
        self.calls: list[AnyCall] = []

    def functions(self) -> list[DeclaredFunction]:
        """The file's functions in its order."""
        known = synthesized(project_of(self.path), self.sources)
        return [self._declared(each, known) for each in self.calls]

    def _declared(self, call: AnyCall, known: list[Synthesized]) -> DeclaredFunction:
        memory, its_id = self.memory(call), self.pattern(call.id)
        handler = self.value(call, "handler")
        handler = None if handler is None else self.text(handler)
        found = [] if call.by_pulumi else of_construct(known, its_id, handler, memory)
        named = self.value(call, "name" if call.by_pulumi else self.name_key)
        name = None if named is None else self.pattern(named) or ANY
        made = names_of(name, self.text(call.id), by_pulumi=call.by_pulumi)
        return DeclaredFunction(
            self.label(call),
            self.path,
            self.line(call.node),
            partial(self.locate, call),
            name=None if name is None or ANY in name else name,
            made_names=(*made, *(each.deployed for each in found)),
            # Within other constructs, whose ids come first.
            nested_names=(_made_name(its_id, INNER),) if its_id else (),
            memory=memory,
            logical_ids=tuple(each.logical_id for each in found),
        )

    def label(self, call: AnyCall) -> str:
        """A function's id, as it's written if it's no plain text."""
        return self.text(call.id) or self.written(call.id)

    def shown(self, node: Any) -> str:
        """The beginning of what is written, for messages."""
        return self.written(node)[:60]

    def refuse(self, node: Any, why: str) -> NoReturn:
        """Raise TemplateError with file and line."""
        raise TemplateError(f"{self.path}:{self.line(node)}: {why}")

    @abstractmethod
    def memory(self, call: AnyCall) -> int | str:
        """MB, or the expression where only the program knows."""

    @abstractmethod
    def locate(self, call: AnyCall, memory_mb: int) -> Setting:
        """Where the function's new size goes. Raises TemplateError."""

    @abstractmethod
    def value(self, call: AnyCall, name: str) -> Any:
        """The expression that a call gives for a name; None without one."""

    @abstractmethod
    def pattern(self, node: Any) -> str | None:
        """What is known of a text."""

    @abstractmethod
    def line(self, node: Any) -> int:
        """From 1."""

    @abstractmethod
    def around_of(self, use: Use) -> Around:
        """What a use is in."""

    @abstractmethod
    def is_use(self, use: Use) -> bool:
        """Whether it's one, and no definition, text or comment."""

    def check_single(self, call: AnyCall, around: Around) -> None:
        """Refuse a call that makes several functions; `around` is what it's in."""
        if around.in_loop:
            self.refuse(call.node, "a loop makes this function, and others with it")
        is_computed = self.text(call.id) is None
        why = self._why_several(around, needs_use=is_computed)
        if why is not None:
            written = f"its id is {self.shown(call.id)}, and " if is_computed else ""
            self.refuse(call.node, f"{written}{why}: {self.remedy}")

    def _why_several(self, around: Around, *, needs_use: bool) -> str | None:
        """Why a place in an app's code runs several times; None if it runs once.

        Whatever it's in must be used once, outside loops, and so on outward. With `needs_use` it
        must be used: a library's class may be used anywhere.
        """
        waiting = [(self.path, *each) for each in around.names]
        seen = set[str]()
        while waiting:
            place, name, is_class = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            escaped = re.escape(name)
            written = _uses_of(place, escaped, self.sources, self.suffixes, is_class=is_class)
            uses = [use for use in written if self.is_use(use)]
            shown = ", ".join(f"{use.path}:{use.line}" for use in uses[:4])
            if len(uses) > 1:
                return f"{name} is used {len(uses)} times ({shown}), and each makes this function"
            if not uses and needs_use:
                return f"nothing here uses {name}, which may be used several times elsewhere"
            for use in uses:
                further = self.around_of(use)
                if further.in_loop:
                    return (
                        f"{name} is used in a loop ({shown}), which makes this function each time"
                    )
                waiting += [(use.path, *each) for each in further.names]
        return None


def _uses_of(
    path: Path, name: str, sources: Sources, suffixes: Sequence[str], *, is_class: bool
) -> list[Use]:
    """Where the app makes an object of a class, or calls a function.

    Tests are left out: they make stacks that nobody deploys. So are files with one of their own of
    that name.
    """
    root = project_of(path)
    whole = path.resolve()
    files = sources.listed(root / "".join(suffixes), lambda: _files_of(root, suffixes))
    is_typescript = ".ts" in suffixes
    if is_typescript:
        others = sources.listed(root / "importers", lambda: _importers_of(root, suffixes))
        files = [*files, *others]
    new = rf"new\s+(?:[\w.]+\.)?{name}\s*[(<]"
    made = new if is_typescript and is_class else rf"\b{name}\s*\("
    if is_class:  # a class made of it makes the function too
        inherits = rf"class\s+\w+\((?:[\w.]+,\s*)*{name}\s*[,)]"
        made += rf"|\bextends\s+(?:[\w.]+\.)?{name}\b" if is_typescript else f"|{inherits}"
    pattern = re.compile(made.encode())
    own = re.compile(rf"\b(?:class|def|function|const|let)\s+{name}\b".encode())
    defined = re.compile(rb"(\bclass|\bdef|\bfunction|\basync|\bnew)\s+$")
    found = []
    for file in files:
        shown = Path(normpath(path.parent / relpath(file, whole.parent)))
        data = sources.data(shown)
        if file != whole and own.search(data):
            continue
        for match in pattern.finditer(data):
            before = data[max(0, match.start() - 20) : match.start()]
            if defined.search(before) and not (is_typescript and is_class):
                continue
            line_start = data.rfind(b"\n", 0, match.start()) + 1
            if data[line_start : match.start()].lstrip().startswith((b"#", b"//", b"*")):
                continue
            line = data.count(b"\n", 0, match.start()) + 1
            found.append(Use(shown, line, match.start()))
    return found


def is_compiled(name: str, beside: Sequence[str]) -> bool:
    """Whether a file is what TypeScript made of the one beside it."""
    return name.endswith(".js") and f"{name[:-3]}.ts" in beside


def project_of(path: Path) -> Path:
    """The app's folder: that of cdk.json, or of a package; else the file's."""
    whole = path.resolve().parent
    for name in ("cdk.json", "package.json"):
        for folder in (whole, *whole.parents[:5]):
            if (folder / name).is_file() and (name == "cdk.json" or path.suffix != ".py"):
                return folder
    return whole


def _importers_of(root: Path, suffixes: Sequence[str]) -> list[Path]:
    """Files elsewhere in the repository that import from a project by its package's name."""
    try:
        package = json.loads((root / "package.json").read_bytes())["name"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    repository = repository_of(root.parent)
    if repository is None or not isinstance(package, str):
        return []
    imports = re.compile(
        rf"(?:from|\(|import)\s*['\"]{re.escape(package)}(?:/[^'\"]*)?['\"]".encode()
    )
    return [
        file
        for file in _files_of(repository, suffixes, most=_MAX_IMPORTERS, besides=root)
        if imports.search(file_bytes(file))
    ]


def _files_of(
    root: Path, suffixes: Sequence[str], *, most: int = _MAX_FILES, besides: Path | None = None
) -> list[Path]:
    found: list[Path] = []
    for parent, folders, names in walk(root):
        folders[:] = [
            name for name in folders if name not in _SKIPPED and Path(parent, name) != besides
        ]
        for name in names:
            file = Path(parent, name)
            if file.suffix not in suffixes or is_compiled(name, names):
                continue
            if not name.endswith(".d.ts") and file.is_file():
                tests = _TESTS.search(file.relative_to(root).as_posix())
                if not tests and file.stat().st_size < MAX_TEMPLATE_BYTES:
                    found.append(file)
        if len(found) > most:
            raise TemplateError(f"{root} has over {most:,} files: the app is too large")
    return sorted(found)
