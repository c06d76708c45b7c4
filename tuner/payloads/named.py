"""Payload specs of the payload commands: also a source by its name, and a schema with sizes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.errors import PayloadError
from tuner.payloads.load import distinct, load_payloads
from tuner.payloads.making import make_class
from tuner.payloads.payload_set import ClassRecipe
from tuner.payloads.sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.payload import Payload

_TEMPLATE_SUFFIXES = (".j2", ".jinja", ".jinja2")
_SCHEMA_SUFFIX = ".schema.json"


def load_named(
    specs: Sequence[str],
    *,
    seed: int = 0,
    raw: bool = False,
    batch_size: int | None = None,
    size: str | None = None,
) -> tuple[Payload, ...]:
    """Return the classes of all specs: what load_payloads takes, and by their names event sources,
    templates (*.j2) and schemas (*.schema.json). Raises PayloadError, also where nothing takes
    `batch_size` or `size`.
    """
    recipes = [_recipe(spec, batch_size=batch_size, size=size) for spec in specs]
    if batch_size is not None and not any(each and each.parameters for each in recipes):
        raise PayloadError("nothing here takes --batch-size: name an event source, such as sqs")
    if size is not None and not any(each and each.size for each in recipes):
        raise PayloadError(
            f"nothing here takes --payload-size: name a schema, a file *{_SCHEMA_SUFFIX}"
        )
    loaded = [
        payload
        for spec, recipe in zip(specs, recipes, strict=True)
        for payload in (
            load_payloads([spec], seed=seed, raw=raw)
            if recipe is None
            else [make_class(recipe, seed=seed)]
        )
    ]
    names = distinct(payload.name for payload in loaded)
    return tuple(replace(each, name=name) for name, each in zip(names, loaded, strict=True))


def _recipe(spec: str, *, batch_size: int | None, size: str | None) -> ClassRecipe | None:
    path = Path(spec)
    if spec in SOURCES:
        given = {} if batch_size is None else {"batch_size": batch_size}
        return ClassRecipe(spec, source=spec, parameters=given)
    if spec.endswith(_SCHEMA_SUFFIX):
        name = path.name.removesuffix(_SCHEMA_SUFFIX)
        return ClassRecipe(name, origin="schema", path=path, size=size)
    if spec.endswith(_TEMPLATE_SUFFIXES):
        return ClassRecipe(path.name.partition(".")[0], origin="template", path=path)
    return None
