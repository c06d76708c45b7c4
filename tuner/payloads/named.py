"""Payloads that are told by their names: event sources, templates and schemas."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import PayloadError, UsageError
from tuner.model.payload import Payload
from tuner.payloads.body import checked
from tuner.payloads.payload_set import ClassRecipe
from tuner.payloads.sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TEST_EVENTS: Final = "test-events"
_TEMPLATE_SUFFIXES: Final = (".j2", ".jinja", ".jinja2")
_SCHEMA_SUFFIX: Final = ".schema.json"


@dataclass(frozen=True, slots=True)
class Options:
    """What is said of all payloads at once."""

    seed: int
    raw: bool = False
    batch_size: int | None = None
    """Records in an event of a source that is named."""
    size: str | None = None
    """Sizes of events from a schema that is named."""
    allow_outside: bool = False
    """Whether sets and folders may name files that lie elsewhere."""
    test_events: Mapping[str, bytes] | None = None
    """The function's shareable ones; None where no function was asked."""

    def check_taken(self, classes: Sequence[ClassRecipe | Payload]) -> None:
        """Raise UsageError for an option that no class takes."""
        recipes = [each for each in classes if isinstance(each, ClassRecipe)]
        if self.batch_size is not None and not any(
            each.origin is None and each.parameters.get("batch_size") == self.batch_size
            for each in recipes
        ):
            raise UsageError("nothing here takes --batch-size: name an event source, such as sqs")
        if self.size is not None and all(each.size != self.size for each in recipes):
            raise UsageError(
                f"nothing here takes --payload-size: name a schema, a file *{_SCHEMA_SUFFIX}"
            )


def asks_for_test_events(spec: str) -> bool:
    """Whether a spec means shareable test events: `test-events`, or `test-events:NAME`."""
    return spec.partition(":")[0] == TEST_EVENTS and not Path(spec).exists()


def shareable(spec: str, options: Options) -> tuple[Payload, ...]:
    """Return the shareable test events that a spec means. Raises PayloadError."""
    events, name = options.test_events, spec.partition(":")[2]
    if events is None:
        raise PayloadError(
            "test-events are those of a function: `tuner tune FUNCTION --payload test-events` "
            "sends them, `tuner payload events FUNCTION --out FOLDER` writes them to files"
        )
    if not events:
        raise PayloadError(
            "the function has no shareable test events: save one as shareable in the console, or "
            "give --payload FILE"
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
    """Return the recipe that a name stands for, None if it stands for none. Raises UsageError."""
    path = Path(spec)
    if spec in SOURCES and not is_file:
        given = {} if options.batch_size is None else {"batch_size": options.batch_size}
        most = SOURCES[spec].max_batch
        if options.batch_size is not None and options.batch_size > most:
            raise UsageError(f"--batch-size {options.batch_size}: {spec} sends at most {most}")
        return ClassRecipe(spec, source=spec, parameters=given)
    if spec.endswith(_SCHEMA_SUFFIX):
        name = path.name.removesuffix(_SCHEMA_SUFFIX)
        return ClassRecipe(name, origin="schema", path=path, size=options.size)
    if spec.endswith(_TEMPLATE_SUFFIXES):
        return ClassRecipe(path.name.partition(".")[0], origin="template", path=path)
    return None
