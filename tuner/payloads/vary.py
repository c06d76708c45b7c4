"""One class as several: the same events with each value of a parameter."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import PayloadError, UsageError
from tuner.model.finding import Finding
from tuner.model.payload import Payload, Variant, typed_value
from tuner.payloads.payload_class import make_class, record_count, takes_parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.payloads.payload_set import ClassRecipe

_MOST_VALUES: Final = 12
_BATCH_SIZE: Final = "batch_size"


@dataclass(frozen=True, slots=True)
class Vary:
    """A parameter and its values, as written and as a class takes them."""

    name: str
    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class RequestedClass:
    """A requested class: its unique name, and its recipe or the finished class."""

    name: str
    what: ClassRecipe | Payload
    seed: int

    def made(self) -> Payload:
        """Return the class with its first event. Raises PayloadError."""
        if isinstance(self.what, Payload):
            return replace(self.what, name=self.name)
        return replace(make_class(self.what, seed=self.seed), name=self.name)


def parse_vary(text: str) -> Vary:
    """Read `batch_size=1,5,10`: two or more values, each once. Raises UsageError."""
    name, equals, given = text.partition("=")
    values = [value.strip() for value in given.split(",")]
    if not (equals and re.fullmatch(r"[A-Za-z_]\w*", name.strip()) and all(values)):
        raise UsageError(f"`vary` {text!r} can't be read: write it like batch_size=1,5,10")
    if not 1 < len(values) <= _MOST_VALUES or len(set(values)) < len(values):
        raise UsageError(f"`vary` {text!r} needs two to {_MOST_VALUES} values, each once")
    return Vary(name.strip(), tuple((value, typed_value(value)) for value in values))


def vary_classes(classes: Sequence[RequestedClass], vary: Vary) -> tuple[Payload, ...]:
    """Return every class once for each value; a class that doesn't use the parameter is unchanged.

    The mix of records stays the same: if an event has more records, there are fewer events, so its
    weight is lower. Raises PayloadError, and UsageError if no class uses the parameter.
    """
    varied = [each for each in classes if _takes(each, vary)]
    if not varied:
        raise UsageError(
            f"nothing uses the parameter {vary.name!r} of `vary`: name one of a template or of an "
            "event source (`tuner payload sources` lists theirs)"
        )
    current = _current(varied, vary)
    payloads = []
    for each in classes:
        if each not in varied:
            payloads.append(each.made())
            continue
        payloads += [_variant(each, vary.name, *value, current) for value in vary.values]
    return tuple(payloads)


def _variant(asked: RequestedClass, name: str, text: str, value: Any, current: str) -> Payload:
    recipe = asked.what
    assert not isinstance(recipe, Payload)
    given = replace(recipe, parameters={**recipe.parameters, name: value})
    made = make_class(given, seed=asked.seed)
    return replace(
        made,
        name=f"{asked.name} {name}={text}",
        weight=made.weight * _usual_count(recipe) / made.record_count,
        variant=Variant(asked.name, name, text, is_current=text == current),
    )


def _usual_count(recipe: ClassRecipe) -> int:
    """Records in an event of the unvaried class; 1 if only the varied parameter would say."""
    try:
        return record_count(recipe)
    except PayloadError:
        return 1


def _takes(asked: RequestedClass, vary: Vary) -> bool:
    recipe = asked.what
    return not isinstance(recipe, Payload) and takes_parameter(recipe, vary.name, vary.values[0][1])


def _current(varied: Sequence[RequestedClass], vary: Vary) -> str:
    """The heaviest class's own value, if it is among the values; otherwise the first."""
    heaviest = max(varied, key=lambda each: each.what.weight).what
    assert not isinstance(heaviest, Payload)
    default = 1 if vary.name == _BATCH_SIZE else None
    own = heaviest.parameters.get(vary.name, default)
    return next((text for text, value in vary.values if value == own), vary.values[0][0])


def with_batch_size_in_use(
    payloads: Sequence[Payload], in_use: Sequence[int]
) -> tuple[tuple[Payload, ...], Finding | None]:
    """Return payloads with a varied batch size, marking the one in use as the current one.

    `in_use` are those of the function's event sources. Also return why it can't be compared with:
    none of the payloads' values, or event sources that differ.
    """
    variants = [payload.variant for payload in payloads if payload.variant is not None]
    if not in_use or not variants:
        return tuple(payloads), None
    if len(in_use) == 1 and str(in_use[0]) in {each.value for each in variants}:
        return tuple(_marked(payload, str(in_use[0])) for payload in payloads), None
    current = next(each.value for each in variants if each.is_current)
    sizes = " and ".join(map(str, in_use))
    return tuple(payloads), Finding(
        "other_batch_size_compared",
        "warning",
        f"the function's event sources send batches of {sizes}, and the comparison is with "
        f"{current}: give `vary` the value that is in use",
    )


def varies_batch_size(payloads: Sequence[Payload]) -> bool:
    """Whether events come in batches of several sizes."""
    return any(each.variant and each.variant.parameter == _BATCH_SIZE for each in payloads)


def _marked(payload: Payload, value: str) -> Payload:
    variant = payload.variant
    if variant is None:
        return payload
    return replace(payload, variant=replace(variant, is_current=variant.value == value))
