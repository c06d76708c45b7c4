"""Serverless Framework: where a service sets its functions' memory.

A function's own value is changed; one of `custom` is too, where nothing else uses it. A value of
the provider, or one that others use, is left, and the function gets its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

import yaml

from tuner.errors import TemplateError
from tuner.iac.setting import (
    ANY,
    STAGE,
    DeclaredFunction,
    Setting,
    Sources,
    Stage,
    is_known,
    unknown,
)
from tuner.iac.yaml_edit import Yaml, is_among

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.iac.document import TemplateNode

DEFAULT_MEMORY_MB: Final = 1024
"""What the framework gives a function for which nothing is written."""
_MEMORY: Final = "memorySize"
_SERVICE: Final = re.compile(r"^service\s*:|^[\s{]*\"service\"\s*:", re.MULTILINE)
_PARTS: Final = re.compile(r"^\s*[\"']?(provider|functions)[\"']?\s*:", re.MULTILINE)
_NUMBER: Final = re.compile(r"(\d{1,6})(\s*MB)?", re.IGNORECASE)
_FILE: Final = re.compile(r"\$\{file\(\s*['\"]?([^()'\"${}]+?)['\"]?\s*\)(?::([\w.-]+))?\}")
_NAMED: Final = re.compile(r"\$\{file\(\s*['\"]?([^()'\"]+?)['\"]?\s*\)")
_VARIABLE: Final = re.compile(r"\\\$\\\{.+?\\\}")
_SELF: Final = re.compile(r"\$\{self:([\w.-]+)\}")
_STAGE: Final = re.compile(
    r"\$\{\s*(?:opt:stage|sls:stage|self:provider\.stage|self:custom\.stage)\s*(?:,[^${}]*)?\}"
)
_SUFFIXES: Final = (".yml", ".yaml", ".json")
_MAX_FILES: Final = 50
_INNERMOST: Final = re.compile(r"\$\{[^${}]*\}")


def is_service(text: str) -> bool:
    """Whether a text may be a service with functions."""
    return _SERVICE.search(text) is not None and {match[1] for match in _PARTS.finditer(text)} == {
        "provider",
        "functions",
    }


def names_file(service: Path, place: Path, sources: Sources) -> bool:
    """Whether a service names a file, or one that it names does; a stage in a name may be any."""
    waiting: list[Path] = [service]
    seen: set[Path] = set()
    while waiting and len(seen) < _MAX_FILES:
        file = waiting.pop()
        seen.add(file)
        for match in _NAMED.finditer(sources.text(file)):
            name = match[1].rpartition("/")[2]
            if re.fullmatch(_VARIABLE.sub(".+", re.escape(name)), place.name):
                return True
            inner = service.parent / match[1]  # relative to the service, wherever it's written
            if inner.suffix in _SUFFIXES and inner not in seen and inner.is_file():
                waiting.append(inner)
    return False


def read_functions(path: Path, sources: Sources, stage: Stage) -> list[DeclaredFunction]:
    """Return a service's functions in its order. Raises TemplateError."""
    service = _Service(Yaml.read(path, sources), sources, stage.name)
    service.read()
    return [
        DeclaredFunction(
            each.key,
            each.yaml.path,
            each.line,
            partial(service.locate, each),
            name=service.literal_name(each),
            made_names=tuple(service.made_names(each)),
            memory=service.memory(each),
        )
        for each in service.functions
    ]


@dataclass(frozen=True, slots=True)
class _Function:
    key: str
    yaml: Yaml
    line: int
    body: TemplateNode
    name: TemplateNode | None = None
    own: tuple[TemplateNode, TemplateNode] | None = None
    """Key and value of its own memorySize."""
    memory: TemplateNode | None = None
    """Its own, a merged one, or the provider's."""
    why_not: str | None = None


@dataclass(slots=True)
class _Service:
    yaml: Yaml
    sources: Sources
    stage: str | None
    functions: list[_Function] = field(default_factory=list)
    _sections: dict[str, TemplateNode] = field(default_factory=dict)
    _others: dict[Path, Yaml] = field(default_factory=dict)

    def read(self) -> None:
        self._sections = self.yaml.root.values("the service")
        provider = self._followed(self.yaml, self._sections.get("provider"))
        settings = {} if provider is None or not provider[1].is_mapping else _values(provider[1])
        kind = settings.get("name")
        if kind is not None and kind.yaml_node.value not in ("aws", "${self:provider.name}"):
            return
        section = self._sections.get("functions")
        if section is None or section.yaml_node.value in ("", "null", "~"):
            return
        for yaml_file, node in self._parts(section):
            for key, (key_node, value) in node.entries("functions").items():
                self._read_function(yaml_file, key, key_node, value, settings.get(_MEMORY))

    def _parts(self, section: TemplateNode, levels: int = 5) -> Iterator[tuple[Yaml, TemplateNode]]:
        """The mappings of functions: one, several in a list, or in files of their own."""
        for part in section.items("functions") if section.is_list else [section]:
            found = self._followed(self.yaml, part)
            if found is not None and found[1].is_list and levels:
                yield from self._parts(found[1], levels - 1)
            elif found is not None and found[1].is_mapping:
                yield found
            else:
                written = str(part.yaml_node.value)[:80]
                part.refuse(
                    f"functions come from {written}: say which stage (`stage`)"
                    if self.stage is None and _STAGE.search(written)
                    else f"functions come from {written}, which is no YAML or JSON file here"
                )

    def _read_function(
        self,
        yaml_file: Yaml,
        key: str,
        key_node: TemplateNode,
        value: TemplateNode,
        shared: TemplateNode | None,
    ) -> None:
        found = self._followed(yaml_file, value)
        if found is None or not found[1].is_mapping:
            why = f"{key} is {str(value.yaml_node.value)[:60]!r}, which isn't followed here"
            self.functions.append(_Function(key, yaml_file, key_node.line, value, why_not=why))
            return
        where, body = found
        line = key_node.line if where is yaml_file else body.line
        own = body.entries(key)
        written = own[_MEMORY] if _MEMORY in own and is_among(body, own[_MEMORY][0]) else None
        memory = own[_MEMORY][1] if _MEMORY in own else shared
        name = own["name"][1] if "name" in own else None
        self.functions.append(_Function(key, where, line, body, name, written, memory))

    def _followed(self, at: Yaml, node: TemplateNode | None) -> tuple[Yaml, TemplateNode] | None:
        """A node, or what is in the file that it names; None for a program, or no such file."""
        if node is None:
            return None
        written = node.yaml_node.value
        if not isinstance(written, str) or not written.strip().startswith("${file("):
            return at, node
        return self._in_file(_STAGE.sub(self._stage, written.strip()))

    def _in_file(self, written: str) -> tuple[Yaml, TemplateNode] | None:
        """What `${file(…)}` names; None for a program, or no such file."""
        match = _FILE.fullmatch(written)
        if match is None:
            return None
        # Paths are relative to the service, wherever they are written.
        file = self.yaml.path.parent / match[1]
        if file.suffix not in _SUFFIXES:
            return None
        if file not in self._others:
            try:
                self._others[file] = Yaml.read(file, self.sources)
            except TemplateError:
                return None
        inner: TemplateNode | None = self._others[file].root
        for key in (match[2] or "").split("."):
            inner = _values(inner).get(key) if inner is not None and key else inner
        return None if inner is None else (self._others[file], inner)

    def memory(self, function: _Function) -> int | str:
        """MB, or the expression where only a deployment knows."""
        if function.memory is None:
            return DEFAULT_MEMORY_MB if function.why_not is None else function.why_not
        written = str(function.memory.yaml_node.value)
        place = self._place(written)
        number = _megabytes(written if place is None else str(place[1].yaml_node.value))
        return written if number is None else number

    def locate(self, function: _Function, memory_mb: int) -> Setting:
        """Where the function's new size goes. Raises TemplateError."""
        if function.why_not is not None:
            function.body.refuse(f"{function.why_not}: set {_MEMORY} to {memory_mb} there")
        if function.own is None:
            shared = () if function.memory is None else self._sharing(function)
            setting = function.yaml.inserting(function.body, _MEMORY)
            return replace(setting, shared_by=shared)
        key, value = function.own
        if value.yaml_node.start_mark.index < key.yaml_node.end_mark.index:  # an alias
            setting = function.yaml.overriding(key, value)
            return replace(setting, shared_by=self._sharing(function))
        written = str(value.yaml_node.value)
        if _megabytes(written) is not None:
            return function.yaml.replacing(value)
        return self._of_variable(function, key, value)

    def _of_variable(self, function: _Function, key: TemplateNode, value: TemplateNode) -> Setting:
        written = str(value.yaml_node.value).strip()
        inner = _STAGE.sub(self._stage, written)
        if self.stage is None and (inner != written or self._is_by_stage(written)):
            value.refuse(
                f"the memory is {written[:80]}, which depends on the stage: say which (`stage`)"
            )
        place = self._place(written)
        if place is None:
            value.refuse(
                f"the memory is {written[:80]}, which is no number in this file: change it where "
                "it is given"
            )
        shared = self._sharing(function)
        path = _SELF.fullmatch(inner)
        is_here = place[0] is self.yaml and path is not None
        if is_here and not shared and path is not None and self._uses(written, path[1]) == 1:
            return self.yaml.replacing(place[1])
        if inner != written or (not is_here and self._is_by_stage(inner)):
            whose = "others use too, by stage" if is_here else f"is by stage in {place[0].path}"
            value.refuse(
                f"the memory is {written[:80]}, which {whose}: give the function an entry of its "
                "own"
            )
        return replace(function.yaml.overriding(key, value), shared_by=shared)

    def _place(self, written: str) -> tuple[Yaml, TemplateNode] | None:
        """The plain number that a `${self:…}` or `${file(…)}` leads to, for the stage."""
        inner = _STAGE.sub(self._stage, written.strip())
        match = _SELF.fullmatch(inner)
        found = self._in_file(inner) if match is None else self._at(match[1])
        if found is None or _megabytes(str(found[1].yaml_node.value)) is None:
            return None
        return found

    def _at(self, path: str) -> tuple[Yaml, TemplateNode] | None:
        """What keys of the service lead to, in its file or those that it names."""
        found: tuple[Yaml, TemplateNode] | None = (self.yaml, self.yaml.root)
        for key in path.split("."):
            inner = found[1] if found is not None and found[1].is_mapping else None
            node = None if inner is None else _values(inner).get(key)
            found = None if found is None or node is None else self._followed(found[0], node)
        return found

    def _is_by_stage(self, written: str) -> bool:
        """Whether the stage chooses the file that a `${self:…}` leads to."""
        match = _SELF.fullmatch(written)
        section = self._sections.get(match[1].partition(".")[0]) if match else None
        named = None if section is None else section.yaml_node.value
        return isinstance(named, str) and _STAGE.search(named) is not None

    def _uses(self, written: str, path: str) -> int:
        """How often a value is referred to, whole or with what it's in."""
        texts = [self.yaml.text, *(each.text for each in self._others.values())]
        count = sum(text.count(written) for text in texts)
        if written != f"${{self:{path}}}":
            return count  # by stage
        section = path.rpartition(".")[0]
        others = (rf"self:{re.escape(path)}(?![\w-])", rf"self:{re.escape(section)}(?![\w.-])")
        return max(count, sum(len(re.findall(each, text)) for text in texts for each in others))

    def _sharing(self, function: _Function) -> tuple[str, ...]:
        """Keys of other functions whose memory is written the same way, at the same place."""
        if function.memory is None:
            return ()
        mine = function.memory.yaml_node
        return tuple(
            each.key
            for each in self.functions
            if each is not function
            and each.memory is not None
            and (
                each.memory.yaml_node is mine
                or (each.memory.yaml_node.value == mine.value and "${" in str(mine.value))
            )
        )

    def literal_name(self, function: _Function) -> str | None:
        """Its name, where nothing of it depends on a deployment."""
        if function.name is None:
            return None
        pattern = self._pattern(str(function.name.yaml_node.value))
        return pattern if is_known(pattern) else None

    def made_names(self, function: _Function) -> list[str]:
        """Its name's known parts, or what the framework makes: `service-stage-key`."""
        if function.name is not None:
            return [self._pattern(str(function.name.yaml_node.value))]
        service = self._sections.get("service")
        if service is not None and service.is_mapping:
            service = _values(service).get("name")
        named = ANY if service is None else self._pattern(str(service.yaml_node.value))
        return [f"{named}-{self._stage}-{function.key}"]

    @property
    def _stage(self) -> str:
        """The stage, as names have it."""
        return self.stage or unknown(STAGE)

    def _pattern(self, text: str, levels: int = 5) -> str:
        """A text with its variables in place, and ANY for those that aren't known."""
        text = _STAGE.sub(self._stage, text)
        while levels and (match := _INNERMOST.search(text)):
            levels -= 1
            found = self._known(match[0])
            text = f"{text[: match.start()]}{found}{text[match.end() :]}"
        return ANY if "${" in text else text

    def _known(self, variable: str) -> str:
        match = _SELF.fullmatch(variable)
        found = self._at(match[1]) if match else None
        node = None if found is None else found[1]
        if node is not None and node.is_mapping:
            node = _values(node).get("name")
        if node is None or not isinstance(node.yaml_node, yaml.ScalarNode):
            return ANY
        text = _STAGE.sub(self._stage, str(node.yaml_node.value))
        return ANY if "${" in text else text


def _megabytes(text: str) -> int | None:
    match = _NUMBER.fullmatch(text.strip())
    return int(match[1]) if match else None


def _values(node: TemplateNode) -> dict[str, TemplateNode]:
    return node.values("a mapping")
