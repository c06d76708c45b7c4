"""Makes a payload class from its recipe."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tuner.errors import PayloadError
from tuner.model.payload import Payload
from tuner.payloads.body import checked, read_file
from tuner.payloads.envelope import SourceEvents
from tuner.payloads.event_sources import find_source
from tuner.payloads.event_stream import FolderEvents
from tuner.payloads.jinja_template import TemplateEvents
from tuner.payloads.sampling import parse_distribution
from tuner.payloads.schema import SchemaEvents

if TYPE_CHECKING:
    from tuner.payloads.envelope import Source
    from tuner.payloads.payload_set import ClassRecipe


def make_class(recipe: ClassRecipe, *, seed: int) -> Payload:
    """Return the class with its first event made, which shows what is wrong with it.

    Raises PayloadError, which names the file, the line if there is one, and the class.
    """
    events = _events(recipe, f"{seed}/{recipe.name}")
    if events is None:
        what = f"payload file {str(recipe.path)!r}"
        body = checked(_content(recipe, what), what, raw=recipe.raw)
        return Payload(recipe.name, body, recipe.weight, record_count=record_count(recipe))
    return Payload(
        recipe.name,
        events.body(0),
        recipe.weight,
        events,
        record_count=record_count(recipe),
        seed=seed,
    )


def takes_parameter(recipe: ClassRecipe, name: str, value: Any) -> bool:
    """Whether a parameter changes a class's events: its source's, or in its template.

    Raises PayloadError for a class that can't be made.
    """
    source = find_source(recipe.source) if recipe.source is not None else None
    if source is not None and name == "batch_size":
        return source.max_batch > 1
    if source is not None and name in dict(source.parameters):
        return True
    if recipe.origin == "template" or (source is not None and recipe.origin is None):
        given = replace(recipe, parameters={**recipe.parameters, name: value})
        return name not in _bodies(given, "", source).unused_parameters
    return False


def record_count(recipe: ClassRecipe) -> int:
    """How many records an event of the class has. Raises PayloadError."""
    count = "batch_size" if recipe.records is None and recipe.source else recipe.records
    if isinstance(count, str):
        count = recipe.parameters.get(count, 1 if recipe.records is None else None)
    if count is None and recipe.records is None:
        return 1
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise PayloadError(
            f"class {recipe.name!r}: records names a parameter whose value isn't a whole number "
            "of 1 or more: give the number, or another parameter"
        )
    return count


def _events(recipe: ClassRecipe, key: str) -> Any:
    """What makes the events; None: a file, sent as it is."""
    if recipe.size is not None and recipe.origin != "schema":
        raise PayloadError(
            f"class {recipe.name!r}: size goes with a schema (templates have size())"
        )
    if recipe.raw and (recipe.source or recipe.origin not in {"file", "folder"}):
        raise PayloadError(f"class {recipe.name!r}: raw goes with a file or a folder only")
    source = find_source(recipe.source) if recipe.source is not None else None
    own = {*(dict(source.parameters) if source else ()), *(("batch_size",) if source else ())}
    bodies = _bodies(recipe, key, source)
    used = own & recipe.parameters.keys()
    unused = sorted(recipe.parameters.keys() - own)
    if recipe.origin == "template" or (source and recipe.origin is None):
        unused = [name for name in bodies.unused_parameters if name not in used]
    if unused:
        known = f" (known to {source.name}: {', '.join(sorted(own))})" if source else ""
        raise PayloadError(
            f"class {recipe.name!r}: nothing uses the parameter {unused[0]!r}{known}: "
            "use it in the template, or leave it out"
        )
    if source is None:
        return bodies if not isinstance(bodies, _Fixed) else None
    given = {name: recipe.parameters[name] for name in used}
    return SourceEvents(source, bodies, key=key, parameters=given)


def _bodies(recipe: ClassRecipe, key: str, source: Source | None) -> Any:
    """What makes the bodies, inside a source's envelope or alone."""
    if recipe.origin == "folder":
        assert recipe.path is not None
        return FolderEvents(
            recipe.path, key=key, raw=recipe.raw or source is not None, within=recipe.within
        )
    if recipe.origin == "template" or recipe.origin is None:
        given = dict(recipe.parameters)
        if recipe.origin is None:
            assert source is not None
            return TemplateEvents(source.body, file=f"<{source.name}>", key=key, parameters=given)
        text = _text(recipe, f"template {str(recipe.path)!r}")
        return TemplateEvents(text, file=str(recipe.path), key=key, parameters=given)
    if recipe.origin == "schema":
        size = parse_distribution(recipe.size) if recipe.size is not None else None
        text = _text(recipe, f"schema {str(recipe.path)!r}")
        return SchemaEvents(text, file=str(recipe.path), key=key, size=size)
    return _Fixed(_text(recipe, f"payload file {str(recipe.path)!r}") if source else "")


@dataclass(frozen=True, slots=True)
class _Fixed:
    """The same body every time."""

    text: str
    event_count: int = 1

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def part(self, _index: int, _part: int) -> str:
        return self.text


def _content(recipe: ClassRecipe, what: str) -> bytes:
    body = read_file(str(recipe.path))
    if body is None:
        raise PayloadError(f"{what} of class {recipe.name!r} is not there: check the path")
    return body


def _text(recipe: ClassRecipe, what: str) -> str:
    try:
        return checked(_content(recipe, what), what, raw=True).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PayloadError(f"{what} is not UTF-8 (at byte {error.start})") from None
