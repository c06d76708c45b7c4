"""Payloads from files, folders, payload sets and the command line."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import PayloadError
from tuner.model.payload import Payload
from tuner.payloads.body import checked, is_json, read_file
from tuner.payloads.making import make_class
from tuner.payloads.payload_set import ClassRecipe, is_set, read_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# What may be repeated in a message: a path, never a payload that was mistaken for one.
_LOOKS_LIKE_PATH: Final = re.compile(r"[\w./~+@-][\w./~+@ -]{0,254}")
_BEGINS_JSON: Final = ("{", "[", '"')


def load_payloads(specs: Sequence[str], *, seed: int = 0, raw: bool = False) -> tuple[Payload, ...]:
    """Return the classes of all specs: files, folders of recorded events, payload sets, JSON.

    A file's payload is named by its stem, a folder by its name, inline JSON by its place
    ("inline-1"), a set's classes as it names them; a name that comes again gets a number. Weights
    are a set's own, else equal. Without specs there is one payload, `{}`, named "empty". Recorded
    bodies are sent as they were written, without a byte order mark; made ones come from `seed`,
    unless a set has its own. `raw` takes files that are not JSON. Raises PayloadError for what
    cannot be read or made, and for more than Lambda's 6 MB; no message holds a payload's content.
    """
    if not specs:
        return (Payload("empty", b"{}"),)
    loaded = [
        payload
        for place, spec in enumerate(specs, start=1)
        for payload in _load(spec, place, seed=seed, raw=raw)
    ]
    names = distinct(payload.name for payload in loaded)
    return tuple(replace(payload, name=name) for name, payload in zip(names, loaded, strict=True))


def _load(spec: str, place: int, *, seed: int, raw: bool) -> tuple[Payload, ...]:
    if not spec.strip():
        raise PayloadError(f"payload {place} is empty: give a file or JSON, such as {{}}")
    if spec.lstrip().startswith(_BEGINS_JSON):
        body = checked(_encoded(spec, place), f"payload {place}")
        return (Payload(f"inline-{place}", body),)
    if (made := _made(spec, seed=seed, raw=raw)) is not None:
        return made
    body_of_file = read_file(spec)
    if body_of_file is not None:
        body = checked(body_of_file, f"payload file {spec!r}", raw=raw)
        return (Payload(Path(spec).stem, body),)
    if is_json(spec):
        return (Payload(f"inline-{place}", checked(_encoded(spec, place), f"payload {place}")),)
    shown = f"{spec!r}" if _LOOKS_LIKE_PATH.fullmatch(spec) else f"number {place}"
    raise PayloadError(f"payload {shown} is neither a file nor JSON: check the path")


def _made(spec: str, *, seed: int, raw: bool) -> tuple[Payload, ...] | None:
    """The classes of a payload set, or the class of a folder; None for anything else."""
    path = Path(spec)
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL in it
        return None
    if is_folder:
        recipes = [ClassRecipe(path.resolve().name, origin="folder", path=path, raw=raw)]
    elif is_file and is_set(path):
        given, own_seed = read_set(path)
        recipes, seed = list(given), seed if own_seed is None else own_seed
    else:
        return None
    return tuple(make_class(recipe, seed=seed) for recipe in recipes)


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
