"""CDK and Pulumi in Python: calls of the classes that make functions.

Python's own parser gives exact byte offsets, so nothing else is needed.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.errors import TemplateError
from tuner.iac.cdk import AppFile, Around, Call, classes_of, is_pulumi
from tuner.iac.python_code import (
    Offsets,
    around_of_nodes,
    assigned,
    covers,
    dotted,
    imported_number,
    number_of,
    text_of,
)
from tuner.iac.setting import ANY, DeclaredFunction, Setting, Sources, Stage
from tuner.model import lambda_limits as limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tuner.iac.cdk import Use

_MEMORY: Final = "memory_size"
_MODULE: Final = re.compile(rb"(\w+)\.$")
_LIBRARIES: Final = b"(?:aws_cdk|pulumi_aws)"
_BESIDE: Final = ("timeout", "runtime", "handler")


def has_functions(text: str) -> bool:
    """Whether a Python file may declare functions."""
    return ("aws_cdk" in text or "pulumi_aws" in text) and "Function(" in text


def read_functions(path: Path, sources: Sources, _stage: Stage) -> list[DeclaredFunction]:
    """Return a file's functions in its order. Raises TemplateError."""
    return _AppFile(path, sources).functions()


@dataclass(frozen=True, slots=True)
class _Call(Call):
    node: ast.Call
    around: tuple[ast.AST, ...]
    """What the call is in, from the module inward."""
    values: Mapping[str, ast.keyword]


def _is_librarys(before: bytes, data: bytes) -> bool:
    """Whether a class that is made is CDK's or Pulumi's own: `sfn.StateMachine(…)`."""
    module = _MODULE.search(before)
    if module is None:
        return False
    name = re.escape(module[1])
    imported = rb"(?:from\s+%b[\w.]*\s+import\s[^)]*?|import\s+%b[\w.]*\s+as\s)\b%b\b(?!\s+as\b)"
    return re.search(imported % (_LIBRARIES, _LIBRARIES, name), data) is not None


class _AppFile(AppFile[_Call]):
    suffixes = (".py",)
    name_key = "function_name"
    remedy = "give it the memory as an argument"
    text = staticmethod(text_of)
    written = staticmethod(ast.unparse)

    def __init__(self, path: Path, sources: Sources) -> None:
        super().__init__(path, sources)
        try:
            self._tree = ast.parse(self.data)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            raise TemplateError(f"{self.path}:{line}: not valid Python for this version") from None
        self._offsets = Offsets(self.data)
        self._modules: dict[str, str] = {}
        """What a name stands for: `aws_cdk.aws_lambda`, `aws_cdk.aws_lambda.Function`."""
        for node in ast.walk(self._tree):
            self._read_import(node)
        self._visit(self._tree, ())

    def _read_import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for each in node.names:
                name = each.asname or each.name.partition(".")[0]
                self._modules[name] = each.name if each.asname else name
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for each in node.names:
                if each.name == "*":
                    for known in classes_of(node.module.rpartition(".")[2]):
                        self._modules[known] = f"{node.module}.{known}"
                else:
                    self._modules[each.asname or each.name] = f"{node.module}.{each.name}"

    def _visit(self, node: ast.AST, around: tuple[ast.AST, ...]) -> None:
        by_pulumi = self._by_pulumi(node.func) if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Call) and by_pulumi is not None:
            values = {each.arg: each for each in node.keywords if each.arg is not None}
            place, name = (0, "resource_name") if by_pulumi else (1, "id")
            its_id = node.args[place] if len(node.args) > place else None
            if its_id is None and name in values:
                its_id = values[name].value
            if its_id is not None and not isinstance(its_id, ast.Starred):
                self.calls.append(_Call(node, its_id, by_pulumi, around, values))
        for child in ast.iter_child_nodes(node):
            self._visit(child, (*around, node))

    def _by_pulumi(self, node: ast.expr) -> bool | None:
        """Whether Pulumi makes a function by this call, or CDK; None where none is made."""
        name = dotted(node)
        if name is None:
            return None
        first, dot, rest = name.partition(".")
        module, _, kind = f"{self._modules.get(first, first)}{dot}{rest}".rpartition(".")
        if is_pulumi(module, kind):
            return True
        is_cdk = module.startswith("aws_cdk") and kind in classes_of(module.rpartition(".")[2])
        return False if is_cdk else None

    def memory(self, each: _Call) -> int | str:
        if _MEMORY in each.values:
            value = each.values[_MEMORY].value
            constant = self._constant(value) if isinstance(value, ast.Name) else None
            number = number_of(value if constant is None else constant) or self._imported(value)
            return number or ast.unparse(value)
        extra = self._extra(each)
        if isinstance(extra, ast.expr):
            return f"**{ast.unparse(extra)}"
        if _MEMORY not in extra:
            return limits.MIN_MEMORY_MB
        return number_of(extra[_MEMORY]) or ast.unparse(extra[_MEMORY])

    def locate(self, each: _Call, _memory_mb: int) -> Setting:
        self.check_single(each, around_of_nodes(each.around))
        if each.by_pulumi and len(each.node.args) > 1:
            self.refuse(each.node, "its arguments are in an object, which isn't read: change it")
        if _MEMORY in each.values:
            return self._of_value(each.values[_MEMORY].value)
        extra = self._extra(each)
        if isinstance(extra, ast.expr):
            self.refuse(
                extra,
                f"other arguments come from {ast.unparse(extra)[:60]}, which isn't known here",
            )
        if _MEMORY in extra:
            shared = self._with_same_extra(each)
            if shared:
                self.refuse(
                    extra[_MEMORY],
                    f"{', '.join(shared)} get their memory here too: take it out and give each "
                    "function its own",
                )
            return self._of_value(extra[_MEMORY])
        return self._inserted(each)

    def _of_value(self, value: ast.expr) -> Setting:
        # Others may use an imported one: the function gets its own.
        if number_of(value) is not None or self._imported(value) is not None:
            return Setting(self.path, self._offsets.span(value))
        constant = self._constant(value) if isinstance(value, ast.Name) else None
        if constant is None or not isinstance(value, ast.Name) or number_of(constant) is None:
            self.refuse(
                value,
                f"the memory is {ast.unparse(value)[:60]}, which is no number in this file: write "
                "one, or change it where it comes from",
            )
        names = [n for n in ast.walk(self._tree) if isinstance(n, ast.Name) and n.id == value.id]
        if len(names) == 2 and not self._is_public(value.id):  # its assignment, and this
            return Setting(self.path, self._offsets.span(constant))
        shared = tuple(
            self.label(each)
            for each in self.calls
            if _MEMORY in each.values
            and each.values[_MEMORY].value is not value
            and ast.unparse(each.values[_MEMORY].value) == value.id
        )
        return Setting(self.path, self._offsets.span(value), shared_by=shared)

    def _imported(self, value: ast.expr) -> int | None:
        """The number that a name of another module stands for."""
        name = dotted(value)
        if name is None:
            return None
        first, dot, rest = name.partition(".")
        module = self._modules.get(first)
        if module is None:
            return None
        return imported_number(self.path, f"{module}{dot}{rest}", self.sources)

    def _is_public(self, name: str) -> bool:
        """Whether another file may use it: a module's constant without an underscore."""
        return not name.startswith("_") and any(
            isinstance(node, (ast.Assign, ast.AnnAssign))
            and name in ast.unparse(node).split("=")[0]
            for node in self._tree.body
        )

    def _inserted(self, each: _Call) -> Setting:
        beside = [name for name in (*_BESIDE, *each.values) if name in each.values]
        if not beside or beside[0] in ("id", "resource_name"):
            self.refuse(each.node, f"this call has no keyword to put {_MEMORY} beside: write it")
        keyword = each.values[beside[0]]
        at, _ = self._offsets.span(keyword)
        line = self.data[self._offsets.at(keyword.lineno, 0) : at]
        gap = " "
        if not line.strip():
            end = self.data.find(b"\n", at)
            gap = ("\r\n" if self.data[end - 1 : end] == b"\r" else "\n") + line.decode()
        before, after = f"{_MEMORY}=", f",{gap}"
        return Setting(self.path, (at, at), before=before, after=after)

    def is_use(self, use: Use) -> bool:
        # None in a comment: what a definition is, is known by its word.
        data = self.sources.data(use.path)
        before = data[data.rfind(b"\n", 0, use.at) + 1 : use.at]
        return b"#" not in before and not _is_librarys(before, data)

    def around_of(self, use: Use) -> Around:
        data = self.sources.data(use.path)
        try:
            tree = ast.parse(data)
        except (SyntaxError, ValueError):
            return Around((), in_loop=False)
        place = (use.line, use.at - data.rfind(b"\n", 0, use.at) - 1)
        return around_of_nodes([node for node in ast.walk(tree) if covers(node, place)])

    def value(self, each: _Call, name: str) -> ast.expr | None:
        return each.values[name].value if name in each.values else None

    def line(self, node: ast.expr) -> int:
        return node.lineno

    def pattern(self, value: ast.expr) -> str | None:
        if isinstance(value, ast.Name):
            value = self._constant(value) or value
        if isinstance(value, ast.JoinedStr):
            return "".join(text_of(part) or ANY for part in value.values)
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
            return "".join(self.pattern(part) or ANY for part in (value.left, value.right))
        return text_of(value)

    def _extra(self, each: _Call) -> dict[str, ast.expr] | ast.expr:
        """What `**` adds: its values where they are written in this file, else the expression."""
        found: dict[str, ast.expr] = {}
        for star in (keyword.value for keyword in each.node.keywords if keyword.arg is None):
            value = self._constant(star) if isinstance(star, ast.Name) else star
            if isinstance(value, ast.Dict):
                for key, inner in zip(value.keys, value.values, strict=True):
                    text = None if key is None else text_of(key)
                    if text is None:
                        return star
                    found[text] = inner
            elif isinstance(value, ast.Call) and dotted(value.func) == "dict" and not value.args:
                for keyword in value.keywords:
                    if keyword.arg is None:
                        return star
                    found[keyword.arg] = keyword.value
            else:
                return star
        return found

    def _with_same_extra(self, each: _Call) -> list[str]:
        mine = {ast.unparse(k.value) for k in each.node.keywords if k.arg is None}
        return [
            self.label(other)
            for other in self.calls
            if other is not each
            and mine & {ast.unparse(k.value) for k in other.node.keywords if k.arg is None}
        ]

    def _constant(self, name: ast.Name) -> ast.expr | None:
        """What a name is assigned, if that happens once in the file and nothing else changes it."""
        stores = 0
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Name) and node.id == name.id:
                stores += not isinstance(node.ctx, ast.Load)
            elif isinstance(node, ast.arg) and node.arg == name.id:
                return None
            elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                if isinstance(node.value, ast.Name) and node.value.id == name.id:
                    return None
            elif isinstance(node, ast.Call) and dotted(node.func) == f"{name.id}.update":
                return None
        values = assigned(self._tree, name.id)
        return values[0] if len(values) == 1 and stores == 1 else None
