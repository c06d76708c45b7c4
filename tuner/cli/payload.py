"""`tuner payload …`: make, show and check what the function receives."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tuner.cli import options
from tuner.cli.config import state_dir
from tuner.cli.groups import TargetOptions, WhereOptions, spread
from tuner.cli.screen import agree, show_json, show_text
from tuner.errors import NotAgreedError
from tuner.model.interval import percent
from tuner.model.request import Target
from tuner.report.json import headed
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from tuner.model.payload import Payload

EPILOG = """\
tuner payload sources

tuner payload make payloads.toml --count 1000 --out corpus

tuner payload show sqs --batch-size 10

tuner payload events resize-images --out recorded

tuner payload check payloads.toml --try resize-images"""

Specs = Annotated[
    list[str],
    typer.Argument(
        metavar="PAYLOAD…",
        help="Payload sets (TOML, YAML, payloads.json), files, folders of events, inline JSON, "
        "or names of event sources.",
    ),
]
Count = Annotated[
    int, typer.Option(metavar="N", min=1, max=1_000_000, help="Events to make.", show_default=False)
]
TryFunction = Annotated[
    str | None,
    typer.Option(
        "--try",
        metavar="FUNCTION",
        help="Invoke this function once with each class: it really runs the code.",
    ),
]


@dataclass(frozen=True, slots=True)
class MakingOptions:
    """How events are made."""

    seed: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="The same seed, the same bytes.", show_default=False),
    ] = 0
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Records in an event of a named source.")
    ] = None
    payload_size: options.PayloadSize = None
    raw: options.Raw = False
    vary: options.Vary = None
    allow_outside: options.AllowOutside = False

    def load(self, specs: Sequence[str]) -> "tuple[Payload, ...]":
        """Return the named classes. Raises PayloadError."""
        from tuner.payloads import load_payloads

        return load_payloads(
            specs,
            seed=self.seed,
            raw=self.raw,
            batch_size=self.batch_size,
            size=self.payload_size,
            vary=self.vary,
            allow_outside=self.allow_outside,
        )


def sources(*, json: options.JsonOutput = False) -> None:
    """List the services whose events can be made, and their parameters."""
    from tuner.payloads.event_sources import SOURCES

    if json:
        listed = [
            {
                "name": each.name,
                "title": each.title,
                "parameters": dict(each.parameters),
                "max_batch_size": each.max_batch,
            }
            for each in SOURCES.values()
        ]
        show_json({**headed("payload_sources"), "sources": listed})
        return
    rows = []
    for each in SOURCES.values():
        batch = f" · batch_size=1 (up to {each.max_batch})" if each.max_batch > 1 else ""
        given = ", ".join(f"{name}={default}" for name, default in each.parameters)
        rows.append((each.name, each.title, f"{given}{batch}"))
    _show_table(rows, "<<<")


@spread
def make(
    payload: Specs,
    *,
    folder: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="A new folder to write to.")
    ],
    count: Count = 100,
    making: MakingOptions,
    json: options.JsonOutput = False,
) -> None:
    """Write events of all classes to a folder, in proportion to their weights.

    Each class gets its own folder; manifest.json lists what is there, with seed and digest.
    """
    from tuner.payloads.corpus import write_corpus

    manifest = write_corpus(making.load(payload), folder, count=count, seed=making.seed)
    if json:
        show_json(manifest)
        return
    counts = ", ".join(f"{each['event_count']} {each['name']}" for each in manifest["classes"])
    seeds = {f"{each['seed']}" for each in manifest["classes"] if each["seed"] is not None}
    told = f"seed {manifest['seed']}" if len(seeds) < 2 else f"seeds {', '.join(sorted(seeds))}"
    show_text(f"{count} events in {folder}: {counts}\n{told} · sha256 {manifest['sha256']}\n")


@spread
def show(
    payload: Specs,
    *,
    index: Annotated[int, typer.Option(metavar="N", min=0, help="Which event of each class.")] = 0,
    making: MakingOptions,
) -> None:
    """Print one event of each class, as it would be sent: one event per line without --index."""
    for each in making.load(payload):
        text = each.body_at(index).decode("utf-8", "replace")
        show_text(text if text.endswith("\n") else text + "\n")


@spread
def events(
    function: options.FunctionName,
    *,
    folder: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="A new folder to write them to.")
    ] = None,
    where: WhereOptions,
    json: options.JsonOutput = False,
) -> None:
    """List the function's shareable test events (from the console and the SAM CLI).

    `tuner tune FUNCTION --payload test-events` sends them, each as its own class.
    """
    from tuner.api.target import connect_to
    from tuner.payloads import load_payloads
    from tuner.payloads.corpus import write_bodies

    with connect_to(function, where.part(), state_dir=state_dir()) as target:
        found = target.gateway.shareable_events(function)
    payloads = load_payloads(["test-events"], test_events=found)
    if folder is not None:
        write_bodies(payloads, folder)
    if json:
        listed = [{"name": each.name, "size_bytes": len(each.body)} for each in payloads]
        show_json({**headed("test_events"), "events": listed})
        return
    _show_table([(plain(each.name), f"{len(each.body):,} B") for each in payloads], "<>")


@spread
def check(
    payload: Specs,
    *,
    count: Count = 20,
    making: MakingOptions,
    try_function: TryFunction = None,
    yes: options.Yes = False,
    target: TargetOptions,
    json: options.JsonOutput = False,
) -> int:
    """Make events of each class and show their weights, sizes and shapes.

    With --try the function is invoked once with each class, as it is now. If one fails, the exit
    code is 1.
    """
    from tuner.aws.function_ref import parse_reference
    from tuner.payloads.corpus import summarize

    where = target.part()
    if try_function is not None:
        parse_reference(try_function)
    payloads = making.load(payload)
    found = summarize(payloads, count)
    if not json:
        titles = ("class", "share", "median", "largest", "made", "shape")
        rows = [
            (
                plain(each.name),
                percent(each.share, 1),
                f"{each.median_bytes:,} B",
                f"{each.largest_bytes:,} B",
                str(each.event_count),
                plain(each.shape),
            )
            for each in found
        ]
        _show_table([titles, *rows], "<>>>><")
    failures: dict[str, str | None] = {}
    if try_function is not None:
        failures = _try(try_function, payloads, where, yes=yes, allow_outside=making.allow_outside)
    if json:
        classes = [{**asdict(each), "failure": failures.get(each.name)} for each in found]
        tried = try_function is not None
        show_json({**headed("payload_check"), "tried": tried, "classes": classes})
    else:
        for name, failure in failures.items():
            show_text(f"{plain(name)}: {'answered' if failure is None else failure}\n")
    return 1 if any(failures.values()) else 0


def _show_table(rows: "Sequence[tuple[str, ...]]", justify: str) -> None:
    from tuner.report.console import table_lines

    show_text("\n".join(table_lines(rows, justify, indent=0)) + "\n")


def _try(
    function: str, payloads: "Sequence[Payload]", where: Target, *, yes: bool, allow_outside: bool
) -> dict[str, str | None]:
    """Invoke the function once with each class: why it failed, or None. Raises TunerError."""
    from tuner.api.trial import try_payloads

    asked = where.local_template is None and not yes
    if asked and not agree(f"Invoke {function} with each class?"):
        raise NotAgreedError("the trial was not agreed to: nothing was invoked")
    return try_payloads(function, payloads, where, allow_outside=allow_outside)
