"""Writes events of all classes to a folder, with the seed and digest to make them again."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuner.errors import PayloadError
from tuner.payloads.sampling import interleaved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tuner.model.payload import Payload

MANIFEST = "manifest.json"
_SHOWN_NAMES = 4


@dataclass(frozen=True, slots=True)
class ClassSummary:
    """What the events of one class are like."""

    name: str
    weight: float
    share: float
    event_count: int
    median_bytes: int
    largest_bytes: int
    shape: str
    """Of the first event: names at its top level, the length of a list; never a value."""
    sha256: str


def summarize(payloads: Sequence[Payload], count: int) -> tuple[ClassSummary, ...]:
    """Make `count` events of each class (one if all are the same) and describe them.

    Raises PayloadError for the first that can't be made.
    """
    total = sum(payload.weight for payload in payloads)
    found = []
    for payload in payloads:
        asked = count if payload.events is not None else 1
        sizes = sorted(len(payload.body_at(index)) for index in range(asked))
        found.append(
            ClassSummary(
                payload.name,
                payload.weight,
                payload.weight / total,
                asked,
                sizes[len(sizes) // 2],
                sizes[-1],
                _shape(payload.body),
                payload.sha256,
            )
        )
    return tuple(found)


def _shape(body: bytes) -> str:
    """`{Records[5]}`, `{id, kind, …}`, `[3]`, `text`; `raw` if it isn't JSON."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return "raw"
    if isinstance(event, dict):
        names = [f"{n}[{len(v)}]" if isinstance(v, list) else str(n) for n, v in event.items()]
        more = ["…"] if len(names) > _SHOWN_NAMES else []
        return "{" + ", ".join([*names[:_SHOWN_NAMES], *more]) + "}"
    if isinstance(event, list):
        return f"[{len(event)}]"
    return {str: "text", bool: "true or false", type(None): "null"}.get(type(event), "number")


def write_corpus(
    payloads: Sequence[Payload], folder: Path, *, count: int, seed: int
) -> dict[str, Any]:
    """Write `count` events and manifest.json to an empty or new folder; return the manifest.

    Classes are interleaved by weight. The digest is SHA-256 over class, length and body of every
    event in order. `seed` is the run's; sets with their own seeds have them in the manifest. Raises
    PayloadError for a folder that isn't empty, a file that can't be written, and an event that
    can't be made.
    """
    digest, counts = hashlib.sha256(), Counter[str]()
    by_name = {payload.name: payload for payload in payloads}
    weights = {payload.name: payload.weight for payload in payloads}
    seeds = {each.seed for each in payloads if each.seed is not None} or {seed}
    with _new_folder(folder):
        for number, name in enumerate(interleaved(weights, count), start=1):
            body = by_name[name].body_at(counts[name])
            digest.update(f"{name}\0{len(body)}\0".encode())
            digest.update(body)
            counts[name] += 1
            class_folder = folder / _file_name(name)
            class_folder.mkdir(exist_ok=True)
            (class_folder / f"{number:06d}.json").write_bytes(body)
        manifest = {
            "schema_version": 1,
            "kind": "payload_corpus",
            "seed": seeds.pop() if len(seeds) == 1 else None,
            "event_count": count,
            "sha256": digest.hexdigest(),
            "classes": [
                {
                    "name": each.name,
                    "weight": each.weight,
                    "event_count": counts[each.name],
                    "record_count": each.record_count,
                    "seed": each.seed,
                }
                for each in payloads
            ],
        }
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def write_bodies(payloads: Sequence[Payload], folder: Path) -> None:
    """Write the first event of each payload to a new folder, as NAME.json. Raises PayloadError."""
    with _new_folder(folder):
        for number, payload in enumerate(payloads, start=1):
            path = folder / f"{_file_name(payload.name)}.json"
            if path.exists():
                path = folder / f"{_file_name(payload.name)}-{number}.json"
            path.write_bytes(payload.body)


@contextmanager
def _new_folder(folder: Path) -> Iterator[None]:
    """Make an empty folder; if it can't be written, raise PayloadError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise PayloadError(f"folder {str(folder)!r} is not empty: give a new one")
        yield
    except OSError as error:
        raise PayloadError(f"folder {str(folder)!r} can't be written: {error.strerror}") from None


def _file_name(name: str) -> str:
    """A class's name as a folder name, with unusual characters as underscores."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)[:100] or "_"
