"""Where a value in a YAML (or JSON) file is written, and where a new one goes: exact offsets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import yaml

from tuner.iac.document import TemplateNode, decoded, read_document, shifted
from tuner.iac.setting import Setting, byte_span

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.iac.setting import Sources

_NEIGHBORS: Final = ("Timeout", "timeout", "Runtime", "runtime", "Handler", "handler")
"""A new line goes below the first of these that exists."""
_NUMBER: Final = re.compile(r"\d+(?=(\s*MB)?$)", re.IGNORECASE)
_ALIAS: Final = re.compile(r"\s*:\s*(\*[^\s,\]}]+)")
_ANCHOR: Final = re.compile(r"&\S+\s+")
_COLON: Final = re.compile(r"\s*:")


@dataclass(frozen=True, slots=True)
class Yaml:
    """A file, its text and its tree."""

    path: Path
    data: bytes
    text: str
    root: TemplateNode

    @classmethod
    def read(cls, path: Path, sources: Sources) -> Yaml:
        """Read it. Raises TemplateError."""

        def parsed(data: bytes) -> Yaml:
            text, checked = decoded(path, data), path in sources.changed
            return cls(path, data, text, read_document(path, text, checked=checked))

        return sources.parsed(path, parsed)

    def at(self, mark: yaml.Mark) -> int:
        """The character offset of a mark."""
        return shifted(self.text, mark.index)

    def ends(self, node: yaml.Node) -> int:
        """The character offset after a node, without what follows a block."""
        if not isinstance(node, yaml.CollectionNode) or node.flow_style or not node.value:
            return self.at(node.end_mark)
        last = node.value[-1]
        return self.ends(last[1] if isinstance(last, tuple) else last)

    def replacing(self, value: TemplateNode) -> Setting:
        """Replace a plain value's number, keeping quotes. Raises TemplateError."""
        node = value.yaml_node
        start, end = self.at(node.start_mark), self.at(node.end_mark)
        written = self.text[start:end]
        found = _NUMBER.search(str(node.value))
        if found is None or node.value != str(node.value).strip():
            value.refuse(f"{str(node.value)[:40]!r} isn't a number of MB: write one out")
        if anchor := _ANCHOR.match(written):
            start, written = start + anchor.end(), written[anchor.end() :]
        if written.strip("\"'") != node.value:
            value.refuse("the memory isn't written as a plain number on one line: write it so")
        start += written.index(node.value) + found.start()
        return self._setting((start, start + len(found[0])))

    def overriding(self, key: TemplateNode, value: TemplateNode) -> Setting:
        """Replace a whole value, such as a function or an alias, with a number."""
        behind = self.at(key.yaml_node.end_mark)
        node = value.yaml_node
        start, end = self.at(node.start_mark), self.ends(node)
        if start < behind:
            alias = _ALIAS.match(self.text, behind)
            if alias is None:
                key.refuse("the memory comes from a place that no line here names: write it out")
            return self._setting(alias.span(1))
        if "\n" in self.text[behind:start] and "#" not in self.text[behind:start]:
            colon = _COLON.match(self.text, behind)
            if colon is not None:
                return self._setting((colon.end(), end), before=" ")
        return self._setting((start, end))

    def inserting(self, mapping: TemplateNode, name: str) -> Setting:
        """Add `name` to a mapping that doesn't have it. Raises TemplateError."""
        node = mapping.yaml_node
        if not isinstance(node, yaml.MappingNode):
            mapping.refuse(f"there is no mapping here to add {name} to")
        if not node.value and node.start_mark.index == node.end_mark.index:
            mapping.refuse(f"there is nothing here yet: write {name} yourself")
        if node.flow_style:
            return self._inserting_in_flow(node, name)
        beside = [pair for pair in node.value if self._is_own_line(*pair)]
        by_name = {str(key.value): (key, value) for key, value in beside}
        column = node.value[0][0].start_mark.column
        indent = " " * column
        for neighbor in _NEIGHBORS:
            if neighbor in by_name:
                found = self.text.find("\n", self.at(by_name[neighbor][1].end_mark))
                at = len(self.text) if found < 0 else found
                at -= self.text[:at].endswith("\r")
                new_line = self._new_line(at)
                return self._setting((at, at), before=f"{new_line}{indent}{name}: ")
        at = self.at(node.value[0][0].start_mark)
        line = self.text[self.text.rfind("\n", 0, at) + 1 : at]
        if line.strip(" "):
            mapping.refuse(f"{name} can't be added to a mapping that begins within a line")
        return self._setting(
            (at, at),
            before=f"{name}: ",
            after=f"{self._new_line(at)}{indent}",
        )

    def _inserting_in_flow(self, node: yaml.MappingNode, name: str) -> Setting:
        if not node.value:
            at = self.at(node.start_mark)
            at = self.text.index("{", at) + 1
            quote = '"' if self.text.lstrip().startswith("{") else ""
            return self._setting((at, at), before=f"{quote}{name}{quote}: ")
        pairs = {str(key.value): (key, value) for key, value in node.value}
        chosen = next((pairs[each] for each in _NEIGHBORS if each in pairs), node.value[0])
        key, value = chosen
        start, at = self.at(key.start_mark), self.ends(value)
        at = max(at, start)  # an alias has its anchor's place
        quote = self.text[start] if self.text[start] in "\"'" else ""
        line = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        gap = " " if line.strip() else f"{self._new_line(start)}{line}"
        if at == start:
            before, after = f"{quote}{name}{quote}: ", f",{gap}"
        else:
            before, after = f",{gap}{quote}{name}{quote}: ", ""
        return self._setting((at, at), before=before, after=after)

    def _is_own_line(self, key: yaml.Node, value: yaml.Node) -> bool:
        """Whether a pair is a plain value that begins and ends on its key's line."""
        return (
            isinstance(value, yaml.ScalarNode)
            and value.style not in ("|", ">")
            and value.start_mark.index >= key.end_mark.index
            and value.end_mark.line == key.start_mark.line
        )

    def _new_line(self, at: int) -> str:
        """The file's line break after a place, or before its end."""
        found = self.text.find("\n", at)
        found = self.text.rfind("\n") if found < 0 else found
        return "\r\n" if found > 0 and self.text[found - 1] == "\r" else "\n"

    def _setting(
        self,
        span: tuple[int, int],
        *,
        before: str = "",
        after: str = "",
    ) -> Setting:
        return Setting(
            self.path,
            byte_span(self.data, self.text, *span),
            before=before,
            after=after,
        )


def is_among(mapping: TemplateNode | None, key: TemplateNode) -> bool:
    """Whether a key is among a mapping's own, not merged into it."""
    node = None if mapping is None else mapping.yaml_node
    return isinstance(node, yaml.MappingNode) and any(
        each is key.yaml_node for each, _ in node.value
    )
