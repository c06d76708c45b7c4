"""Payloads from files, folders, payload sets and the command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import PayloadError
from tuner.model.payload import Payload
from tuner.payloads.body import checked, is_json, read_file
from tuner.payloads.named import Options, asks_for_test_events, named_recipe, shareable
from tuner.payloads.payload_set import ClassRecipe, is_set, read_set
from tuner.payloads.sources import close_source
from tuner.payloads.vary import Asked, parse_vary, vary_classes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# What may be repeated in a message: a path, never a payload that was mistaken for one.
_LOOKS_LIKE_PATH: Final = re.compile(r"[\w./~+@-][\w./~+@ -]{0,254}")
_BEGINS_JSON: Final = ("{", "[", '"')


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
    """Return the classes of all specs: files, folders of recorded events, templates (*.j2),
    schemas (*.schema.json), payload sets, event sources by their names, inline JSON.

    A file's payload is named by its stem, a folder by its name, inline JSON by its place
    ("inline-1"), a set's classes as it names them; a name that comes again gets a number. Weights
    are a set's own, else equal. Without specs there is one payload, `{}`, named "empty". Recorded
    bodies are sent as they were written, without a byte order mark; made ones come from `seed`,
    unless a set has its own. `raw` takes files that are not JSON, `batch_size` is for sources that
    are named, `size` for schemas (p50=2kB,p99=200kB), and `vary` (batch_size=1,5,10) makes each
    class that uses the parameter once for each value. `allow_outside` lets sets and folders name
    files that lie elsewhere. `test_events` are the function's shareable ones, by name, for the spec
    "test-events" (all of them) or "test-events:NAME".

    Raises PayloadError for what cannot be read or made, for more than Lambda's 6 MB, UsageError for
    an option that nothing takes; no message holds a payload's content.
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
        each for place, spec in enumerate(specs, start=1) for each in _load(spec, place, options)
    ] or [(Payload("empty", b"{}"), seed)]
    options.check_taken([what for what, _ in found])
    names = distinct(what.name for what, _ in found)
    classes = [Asked(name, *each) for name, each in zip(names, found, strict=True)]
    if vary is not None:
        return vary_classes(classes, parse_vary(vary))
    return tuple(each.made() for each in classes)


def _load(spec: str, place: int, options: Options) -> Sequence[tuple[ClassRecipe | Payload, int]]:
    """What a spec stands for, with the seed of each class."""
    if not spec.strip():
        raise PayloadError(f"payload {place} is empty: give a file or JSON, such as {{}}")
    if spec.lstrip().startswith(_BEGINS_JSON):
        body = checked(_encoded(spec, place), f"payload {place}")
        return [(Payload(f"inline-{place}", body), options.seed)]
    if asks_for_test_events(spec):
        return [(each, options.seed) for each in shareable(spec, options)]
    if (recipes := _recipes(spec, options)) is not None:
        return recipes
    body_of_file = read_file(spec)
    if body_of_file is not None:
        body = checked(body_of_file, f"payload file {spec!r}", raw=options.raw)
        return [(Payload(Path(spec).stem, body), options.seed)]
    if is_json(spec):
        body = checked(_encoded(spec, place), f"payload {place}")
        return [(Payload(f"inline-{place}", body), options.seed)]
    shown = f"{spec!r}" if _LOOKS_LIKE_PATH.fullmatch(spec) else f"number {place}"
    close = close_source(spec)
    advice = f"did you mean the event source {close}?" if close else "check the path"
    raise PayloadError(f"payload {shown} is neither a file nor JSON: {advice}")


def _recipes(spec: str, options: Options) -> Sequence[tuple[ClassRecipe, int]] | None:
    """The classes of a payload set, of a folder, of a template, schema or source by its name;
    None for anything else.
    """
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


def _encoded(text: str, place: int) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise PayloadError(f"payload {place} is not UTF-8") from None


def distinct(names: Iterable[str]) -> list[str]:
    """Return the names, a second "event" as "event-2"."""
    distinct: list[str] = []
    for name in names:
        new, number = name, 1
        while new in distinct:
            number += 1
            new = f"{name}-{number}"
        distinct.append(new)
    return distinct
