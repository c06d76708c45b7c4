"""Which imports an INIT waits for: a package that times them, and what its answer says. Pure.

The function's own module is kept beside a stand-in of the same name, which loads it, times what it
imports, and answers with that in place of the handler. So it runs as the function does: the same
files, variables, layers and CPU share; what the runtime has loaded by itself isn't counted.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from tuner.cold.result import SlowImport
from tuner.model.record import read_object

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST_MS: Final = 5.0
"""Below it, timing a module is mostly timing its neighbors."""
_LEAST_RATIO: Final = 0.05
"""Of the INIT: without it, the rest is within the spread of one INIT from the next."""
_MOST: Final = 10
_PREFIX: Final = "tuner_timed_"
_BEGIN: Final = f"{_PREFIX}begin"
"""What an ES module calls first of its own, once its imports are done; on its first line."""
_FIRST_LINE: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:#![^\n]*\n)?")
_NAME: Final = re.compile(r"[A-Za-z_$][\w$]*")
_NODE_ENDINGS: Final = ("", ".js", ".mjs", ".cjs")
_MOST_ROWS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Import:
    """One module that was loaded: with what it loaded first, and without; how deep in others."""

    module: str
    ms: float
    self_ms: float
    depth: int


@dataclass(frozen=True, slots=True)
class ImportTimes:
    """All of an INIT, in the order in which they were done: what is imported before who imports."""

    imports: tuple[Import, ...]
    init_ms: float | None = None
    """That INIT; None if its REPORT didn't come."""

    @property
    def own(self) -> Import:
        """The function's own module: the last one done."""
        return self.imports[-1]


def package_sizes(package: bytes) -> tuple[int, int]:
    """Bytes of a ZIP package, and of its files."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return len(package), sum(each.file_size for each in archive.infolist())


def timed_package(package: bytes, handler: str, runtime: str | None) -> bytes | None:
    """The package whose handler answers with the times of its imports; None for what can't be
    timed: other languages, compiled modules, and handlers that aren't in the package.
    """
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        names = set(archive.namelist())
        if (runtime or "").startswith("python"):
            found = _python(names, handler)
        elif (runtime or "").startswith("nodejs"):
            found = _node(archive, names, handler)
        else:
            found = None
        return None if found is None else _replaced(archive, *found)


def read_times(answer: bytes, init_ms: float | None) -> ImportTimes | None:
    """What a timed package answered, and its INIT; None if it isn't that."""
    try:
        rows = json.loads(answer)
        if not isinstance(rows, list) or not 0 < len(rows) <= _MOST_ROWS:
            return None
        found = [
            Import(str(module), float(ms), max(0.0, float(self_ms)), int(depth))
            for module, ms, self_ms, depth in rows
        ]
    except (ValueError, TypeError, RecursionError):
        return None
    return ImportTimes(tuple(found), init_ms) if found[-1].depth == 0 else None


def scaled(times: ImportTimes, init_ms: float) -> ImportTimes:
    """The same shares of another INIT: one INIT differs from the next by a sixth and more."""
    if not times.init_ms:
        return times
    factor = init_ms / max(times.init_ms, times.own.ms)
    each = (replace(i, ms=i.ms * factor, self_ms=i.self_ms * factor) for i in times.imports)
    return ImportTimes(tuple(each), init_ms)


def slow_imports(times: ImportTimes, init_ms: float) -> tuple[SlowImport, ...]:
    """The slowest, by package: 5 ms and 5% of the INIT or more, at most ten of them.

    `ms` is what wouldn't be waited for without the package, unless something else imports a part
    of it as well; `self_ms` is its own modules alone. A package most of whose own time is one
    module's is named by that module. The function's own module counts with what it does itself.
    """
    own = times.own
    groups: dict[str, list[Import]] = {}
    for each in times.imports[:-1]:
        groups.setdefault(_package_of(each.module), []).append(each)
    outermost_ms = _outermost_ms(times.imports[:-1])
    found = [
        SlowImport(_named(name, members), outermost_ms[name], sum(m.self_ms for m in members))
        for name, members in groups.items()
    ]
    found.append(SlowImport(own.module, own.self_ms, own.self_ms))
    least_ms = max(_LEAST_MS, _LEAST_RATIO * init_ms)
    kept = sorted((each for each in found if each.ms >= least_ms), key=lambda each: -each.ms)
    return tuple(kept[:_MOST])


def _outermost_ms(imports: Sequence[Import]) -> dict[str, float]:
    """For each package, the time of its modules that no module of the same package loads."""
    found: dict[str, float] = {}
    above: list[str] = []  # the packages that load the present one, outermost first
    for each in reversed(imports):  # whoever imports comes first now
        name = _package_of(each.module)
        del above[max(0, each.depth - 1) :]
        if name not in above:
            found[name] = found.get(name, 0.0) + each.ms
        above.append(name)
    return found


def _named(package: str, members: Sequence[Import]) -> str:
    """The package, or the one module of it that most of its own time is spent in."""
    whole_ms = sum(each.self_ms for each in members)
    slowest = max(members, key=lambda each: each.self_ms)
    return slowest.module if slowest.self_ms >= 0.5 * whole_ms else package


def _package_of(module: str) -> str:
    """numpy of numpy.linalg; @aws-sdk/client-s3 of its files; a Node file of the function itself
    stays.
    """
    if module.startswith("@"):
        return "/".join(module.split("/")[:2])
    if "/" in module or module.endswith((".js", ".cjs", ".mjs", ".json", ".node")):
        return module.split("/", maxsplit=1)[0] if not module.startswith(".") else module
    return module.split(".", maxsplit=1)[0]


def _python(names: set[str], handler: str) -> tuple[str, str, str] | None:
    """(file of the handler's module, where it is kept, the stand-in)."""
    path, _, function = handler.rpartition(".")
    stem = path.replace(".", "/")
    if not _NAME.fullmatch(function) or not stem:
        return None
    for file in (f"{stem}/__init__.py", f"{stem}.py"):  # a package goes before a module
        if file in names:
            return _stand_in("timed_imports.py", file, function, path.replace("/", "."))
    return None


def _node(archive: zipfile.ZipFile, names: set[str], handler: str) -> tuple[str, str, str] | None:
    folder, slash, base = handler.rpartition("/")
    stem, _, function = base.partition(".")
    if not _NAME.fullmatch(function):
        return None
    for ending in _NODE_ENDINGS:
        file = f"{folder}{slash}{stem}{ending}"
        if file in names:
            is_module = ending == ".mjs" or (
                ending == ".js" and _is_module(archive, names, PurePosixPath(file).parent)
            )
            hook = "timed_imports.mjs" if is_module else "timed_imports.cjs"
            return _stand_in(hook, file, function)
    return None


def _is_module(archive: zipfile.ZipFile, names: set[str], folder: PurePosixPath) -> bool:
    """Whether the nearest package.json says that .js is an ES module."""
    for at in (folder, *folder.parents):
        file = str(at / "package.json")
        if file in names:
            return (read_object(archive.read(file)) or {}).get("type") == "module"
    return False


def _stand_in(hook: str, file: str, handler: str, module: str = "") -> tuple[str, str, str]:
    """(file of the handler's module, where it is kept, the stand-in)."""
    kept = PurePosixPath(file).with_name(_PREFIX + PurePosixPath(file).name)
    text = (files("tuner.cold") / "hooks" / hook).read_text(encoding="utf-8")
    names = {"MODULE": module, "FILE": kept.name, "HANDLER": handler, "BEGIN": _BEGIN}
    for name, value in names.items():
        text = text.replace(f"@{name}@", value)
    return file, str(kept), text


def _replaced(archive: zipfile.ZipFile, file: str, kept: str, stand_in: str) -> bytes:
    """The archive with a file renamed, and another in its place; files keep their modes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for each in archive.infolist():
            content = archive.read(each)
            if each.filename == file:
                if f"globalThis.{_BEGIN}" in stand_in:
                    content = _beginning_with_call(content)
                _write(made, each, kept, content)
                _write(made, each, file, stand_in.encode())
            else:
                _write(made, each, each.filename, content)
    return buffer.getvalue()


def _beginning_with_call(module: bytes) -> bytes:
    """An ES module that says when its imports are done, with every line where it was."""
    match = _FIRST_LINE.match(module)
    end = 0 if match is None else match.end()
    return module[:end] + f"globalThis.{_BEGIN}?.();".encode() + module[end:]


def _write(made: zipfile.ZipFile, like: zipfile.ZipInfo, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, like.date_time)
    member.external_attr, member.compress_type = like.external_attr, zipfile.ZIP_DEFLATED
    made.writestr(member, content)
