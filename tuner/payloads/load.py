"""Payloads from files, folders, payload sets, event sources by name, and the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import PayloadError, UsageError
from tuner.model.payload import Payload
from tuner.payloads.body import checked, is_json, read_file
from tuner.payloads.event_sources import SOURCES, close_source
from tuner.payloads.payload_set import ClassRecipe, is_set, read_set
from tuner.payloads.vary import RequestedClass, parse_vary, vary_classes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TEST_EVENTS: Final = "test-events"
_TEMPLATE_SUFFIXES: Final = (".j2", ".jinja", ".jinja2")
_SCHEMA_SUFFIX: Final = ".schema.json"


# Only a path may be repeated in a message, never a payload mistaken for one.
_LOOKS_LIKE_PATH: Final = re.compile(r"[\w./~+@-][\w./~+@ -]{0,254}")
_BEGINS_JSON: Final = ("{", "[", '"')


@dataclass(frozen=True, slots=True)
class Options:
    """Options that apply to all payloads, as `load_payloads` takes them."""

    seed: int
    raw: bool
    batch_size: int | None
    size: str | None
    allow_outside: bool
    test_events: Mapping[str, bytes] | None
    """None if no function was asked."""

    def check_taken(self, classes: Sequence[ClassRecipe | Payload]) -> None:
        """Raise UsageError for an option that no class takes."""
        recipes = [each for each in classes if isinstance(each, ClassRecipe)]
        if self.batch_size is not None and not any(
            each.origin is None and each.parameters.get("batch_size") == self.batch_size
            for each in recipes
        ):
            raise UsageError(
                "no payload here takes `batch_size`: name an event source, such as sqs"
            )
        if self.size is not None and all(each.size != self.size for each in recipes):
            raise UsageError(
                f"no payload here takes `payload_size`: name a schema, a file *{_SCHEMA_SUFFIX}"
            )


def asks_for_test_events(spec: str) -> bool:
    """Whether a spec means shareable test events: `test-events`, or `test-events:NAME`."""
    return spec.partition(":")[0] == TEST_EVENTS and not Path(spec).exists()


def shareable(spec: str, options: Options) -> tuple[Payload, ...]:
    """Return the shareable test events that a spec means. Raises PayloadError."""
    events, name = options.test_events, spec.partition(":")[2]
    if events is None:
        raise PayloadError(
            "test-events belong to a function: `payloads=test-events` sends them, "
            "`tuner payload events` writes them to files"
        )
    if not events:
        raise PayloadError(
            "the function has no shareable test events: save one as shareable in the console, or "
            "give `payloads=FILE`"
        )
    if name and name not in events:
        raise PayloadError(
            f"the function has no shareable test event {name!r}: it has {', '.join(sorted(events))}"
        )
    return tuple(
        Payload(each, checked(body, f"the shareable test event {each!r}"))
        for each, body in sorted(events.items())
        if name in ("", each)
    )


def named_recipe(spec: str, options: Options, *, is_file: bool) -> ClassRecipe | None:
    """Return the recipe for a name, None if there is none. Raises UsageError."""
    path = Path(spec)
    if spec in SOURCES and not is_file:
        given = {} if options.batch_size is None else {"batch_size": options.batch_size}
        most = SOURCES[spec].max_batch
        if options.batch_size is not None and options.batch_size > most:
            raise UsageError(f"`batch_size={options.batch_size}`: {spec} sends at most {most}")
        return ClassRecipe(spec, source=spec, parameters=given)
    if spec.endswith(_SCHEMA_SUFFIX):
        name = path.name.removesuffix(_SCHEMA_SUFFIX)
        return ClassRecipe(name, origin="schema", path=path, size=options.size)
    if spec.endswith(_TEMPLATE_SUFFIXES):
        return ClassRecipe(path.name.partition(".")[0], origin="template", path=path)
    return None


def load_payloads(
    specs: Sequence[str],
    *,
    seed: int = 0,
    raw: bool = False,
    batch_size: int | None = None,
    size: str | None = None,
    vary: str | None = None,
    allow_outside: bool = False,
    test_events: Mapping[str, bytes] | None = None,
) -> tuple[Payload, ...]:
    """Return the classes of all specs: files, folders of recorded events, templates (*.j2), schemas
    (*.schema.json), payload sets, event sources by name, inline JSON.

    A file's payload is named by its stem, a folder by its name, inline JSON by its position
    ("inline-1"), a set's classes as in the set; a repeated name gets a number. Weights are a set's
    own, otherwise equal. Without specs there is one payload, `{}`, named "empty". Recorded bodies
    are sent as they were written, without a byte order mark; made ones come from `seed`, unless a
    set has its own. `raw` accepts files that aren't JSON, `batch_size` is for named sources, `size`
    for schemas (p50=2kB,p99=200kB), and `vary` (batch_size=1,5,10) makes each class that uses the
    parameter once for each value. `allow_outside` lets sets and folders use files elsewhere.
    `test_events` are the function's shareable ones, by name, for the spec "test-events" (all of
    them) or "test-events:NAME".

    Raises PayloadError for what can't be read or made, or exceeds Lambda's 6 MB, UsageError for an
    option that nothing uses; no message has a payload's content.
    """
    options = Options(
        seed,
        raw=raw,
        batch_size=batch_size,
        size=size,
        allow_outside=allow_outside,
        test_events=test_events,
    )
    found = [
        each
        for position, spec in enumerate(specs, start=1)
        for each in _load(spec, position, options)
    ] or [(Payload("empty", b"{}"), seed)]
    options.check_taken([what for what, _ in found])
    names = distinct(what.name for what, _ in found)
    classes = [RequestedClass(name, *each) for name, each in zip(names, found, strict=True)]
    if vary is not None:
        return vary_classes(classes, parse_vary(vary))
    return tuple(each.made() for each in classes)


def _load(
    spec: str, position: int, options: Options
) -> Sequence[tuple[ClassRecipe | Payload, int]]:
    """What a spec means, with the seed of each class."""
    if not spec.strip():
        raise PayloadError(f"payload {position} is empty: give a file or JSON, such as {{}}")
    if spec.lstrip().startswith(_BEGINS_JSON):
        return [(_inline(spec, position), options.seed)]
    if asks_for_test_events(spec):
        return [(each, options.seed) for each in shareable(spec, options)]
    if (recipes := _recipes(spec, options)) is not None:
        return recipes
    body_of_file = read_file(spec)
    if body_of_file is not None:
        body = checked(body_of_file, f"payload file {spec!r}", raw=options.raw)
        return [(Payload(Path(spec).stem, body), options.seed)]
    if is_json(spec):
        return [(_inline(spec, position), options.seed)]
    shown = f"{spec!r}" if _LOOKS_LIKE_PATH.fullmatch(spec) else f"number {position}"
    close = close_source(spec)
    advice = f"did you mean the event source {close}?" if close else "check the path"
    raise PayloadError(f"payload {shown} is neither a file nor JSON: {advice}")


def _recipes(spec: str, options: Options) -> Sequence[tuple[ClassRecipe, int]] | None:
    """The classes of a set, folder, template, schema or named source; None for anything else."""
    path = Path(spec)
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL in it
        return None
    if is_folder:
        recipe = ClassRecipe(
            path.resolve().name,
            origin="folder",
            path=path,
            within=None if options.allow_outside else path,
            raw=options.raw,
        )
        return [(recipe, options.seed)]
    if is_file and is_set(path):
        given, own_seed = read_set(path, allow_outside=options.allow_outside)
        return [(each, options.seed if own_seed is None else own_seed) for each in given]
    named = named_recipe(spec, options, is_file=is_file)
    return None if named is None else [(named, options.seed)]


def _inline(text: str, position: int) -> Payload:
    what = f"payload {position}"
    try:
        return Payload(f"inline-{position}", checked(text.encode(), what))
    except UnicodeEncodeError:
        raise PayloadError(f"{what} is not UTF-8") from None


def distinct(names: Iterable[str]) -> list[str]:
    """Return the names, with a second "event" as "event-2"."""
    distinct: list[str] = []
    for name in names:
        new, number = name, 1
        while new in distinct:
            number += 1
            new = f"{name}-{number}"
        distinct.append(new)
    return distinct
