"""What CDK and Pulumi programs have in common in every language: classes that make functions, the
names that they get, and how often code runs.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from os import walk
from os.path import normpath, relpath
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from tuner.errors import TemplateError
from tuner.iac.document import MAX_TEMPLATE_BYTES, file_bytes
from tuner.iac.setting import ANY, DIGEST, INNER, SUFFIX, TAIL

if TYPE_CHECKING:
    from collections.abc import Sequence

from tuner.iac.setting import Sources

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


def made_names(construct_id: str) -> tuple[str, ...]:
    """STACK-IdDIGEST-SUFFIX, as CDK and CloudFormation name a function right in a stack."""
    return (f"{ANY}-{_PLAIN.sub('', construct_id)}{DIGEST}-{SUFFIX}",)


def pulumi_names(its_id: str) -> tuple[str, ...]:
    """The id and seven digits, as Pulumi names a function."""
    return (f"{its_id}-{TAIL}",)


def names_of(pattern: str | None, construct_id: str | None, *, by_pulumi: bool) -> tuple[str, ...]:
    """A function's names as a deployment may have made them: by what is known of its name, else of
    its id; nothing if neither is written.
    """
    if pattern is not None:
        return (pattern,)
    if construct_id is None:
        return ()
    return pulumi_names(construct_id) if by_pulumi else made_names(construct_id)


def nested_names(construct_id: str) -> tuple[str, ...]:
    """The same within other constructs, whose ids come first."""
    return (f"{ANY}-{INNER}{_PLAIN.sub('', construct_id)}{DIGEST}-{SUFFIX}",)


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


class Language(Protocol):
    """What a language's reader tells of other places in an app's code."""

    suffixes: Sequence[str]

    def around_of(self, use: Use) -> Around:
        """What a use is in."""

    def is_use(self, use: Use) -> bool:
        """Whether it's one, and no definition, text or comment."""


def why_not_one(
    around: Around,
    path: Path,
    sources: Sources,
    language: Language,
    *,
    computed_id: str | None,
    remedy: str,
) -> str | None:
    """Why a place in an app's code makes several functions; None if it makes one.

    `computed_id` is how an id is written that isn't plain text, `remedy` what to do instead.
    """
    if around.in_loop:
        return "a loop makes this function, and others with it"
    why = _why_several(around, path, sources, language, needs_use=computed_id is not None)
    if why is None:
        return None
    written = "" if computed_id is None else f"its id is {computed_id}, and "
    return f"{written}{why}: {remedy}"


def _why_several(
    around: Around, path: Path, sources: Sources, language: Language, *, needs_use: bool
) -> str | None:
    """Why a place in an app's code runs several times; None if it runs once.

    Whatever it's in must be used once, outside loops, and so on outward. With `needs_use` it must
    be used: a library's class may be used anywhere.
    """
    waiting = [(path, *each) for each in around.names]
    seen = set[str]()
    while waiting:
        place, name, is_class = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        written = _uses_of(place, re.escape(name), sources, language.suffixes, is_class=is_class)
        uses = [use for use in written if language.is_use(use)]
        shown = ", ".join(f"{use.path}:{use.line}" for use in uses[:4])
        if len(uses) > 1:
            return f"{name} is used {len(uses)} times ({shown}), and each makes this function"
        if not uses and needs_use:
            return f"nothing here uses {name}, which may be used several times elsewhere"
        for use in uses:
            further = language.around_of(use)
            if further.in_loop:
                return f"{name} is used in a loop ({shown}), which makes this function each time"
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
    repository = next((each for each in root.parents if (each / ".git").exists()), None)
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
