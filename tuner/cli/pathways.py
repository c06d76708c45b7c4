"""The options of `tuner observe --pathways`: how events reach a function, and could reach it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, cast

from tuner.cli import options, values
from tuner.cli.config import today
from tuner.cli.flags import shown
from tuner.cli.groups import check_beside
from tuner.cli.screen import encoding, show, width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.api.pathways import PathwayRequest
    from tuner.api.reading import Caller
    from tuner.breakeven.pathway_traits import Need
    from tuner.cli.groups import WhereOptions
    from tuner.model.account import EventSource
    from tuner.model.function import Architecture
    from tuner.model.observation import Observation
    from tuner.report.observation import Section

# `trigger` is a setting of break-even's, with other values.
EventTrigger = Annotated[
    Literal["sqs", "sns", "kinesis", "eventbridge", "direct"] | None,
    options.traffic_option(
        "--trigger",
        metavar="SERVICE",
        help="With --pathways: how events reach the function: sqs, sns, kinesis, eventbridge or "
        "direct (default: as configured).",
    ),
]


@dataclass(frozen=True, slots=True)
class PathwayOptions:
    """What else could bring the events, and what is known of them."""

    pathways: Annotated[
        bool,
        options.measure_option(
            "--pathways",
            help="Compare what SQS, SNS, Kinesis, EventBridge and direct calls cost, and how long "
            "they take. With --trigger and --rate nothing is read.",
        ),
    ] = False
    event_trigger: EventTrigger = None
    rate: options.Rate = None
    event_size: Annotated[
        int | None,
        options.traffic_option(
            metavar="SIZE",
            parser=values.size_bytes,
            help="With --pathways: a typical event's size, such as 4kB (the default).",
        ),
    ] = None
    batch_size: Annotated[
        int | None,
        options.traffic_option(
            metavar="N",
            min=1,
            help="With --pathways: most events of an invocation by SQS or Kinesis (default: as "
            "configured, or the service's).",
        ),
    ] = None
    batch_window: Annotated[
        float | None,
        options.traffic_option(
            **options.TIME,
            help="With --pathways: how long they are gathered, such as 5s (default: as configured, "
            "or not at all).",
        ),
    ] = None
    per_invocation: Annotated[
        float | None,
        options.traffic_option(
            **options.TIME,
            help="With --pathways: what an invocation takes besides its events, such as 3ms "
            "(default: nothing).",
        ),
    ] = None
    peak_ratio: Annotated[
        float | None,
        options.traffic_option(
            metavar="TIMES",
            min=1,
            help="With --pathways: the peak over the mean rate, which shards of Kinesis have to "
            "hold (default: 1).",
        ),
    ] = None
    memory_size: Annotated[
        int | None,
        options.traffic_option(
            **options.SIZE_MB,
            help="With --per-invocation: the function's memory, where no log tells it.",
        ),
    ] = None
    max_delay: Annotated[
        float | None,
        options.goal_option(
            **options.TIME,
            help="With --pathways: how long an event may take to the function, at p99.",
        ),
    ] = None
    need: Annotated[
        list[str] | None,
        options.goal_option(
            metavar="WHAT",
            parser=values.pathway_need,
            help="With --pathways: order, fan-out or replay is needed. Repeatable.",
        ),
    ] = None

    @property
    def needs_no_reading(self) -> bool:
        """Whether trigger and rate are given."""
        return self.pathways and self._request().is_complete

    def check(self) -> None:
        """Raise UsageError for what is for --pathways, without it.

        Rate and peak aren't checked: a configuration file may have them for other commands.
        """
        check_beside("pathways", self, unchecked=("rate", "peak_ratio"))

    def show(
        self, function: str, region: str | None, architecture: "Architecture | None", *, json: bool
    ) -> None:
        """Print the comparison alone. Raises UsageError and PriceError."""
        from tuner.api.pathways import pathways_of
        from tuner.report import pathways

        found = pathways_of(
            self._request(), function, region=region, architecture=architecture, today=today()
        )
        show(found, pathways.to_json, pathways.render, json=json)

    def source(
        self, function: str, where: "WhereOptions", caller: "Caller"
    ) -> "EventSource | None":
        """Ask the account how events come; None where nobody asked. Raises UsageError, AwsError."""
        from tuner.api.pathways import read_trigger

        if not self.pathways or self.event_trigger is not None:
            return None
        return read_trigger(function, where.part(), caller)

    def sections(
        self, function: str, observed: "Observation", source: "EventSource | None"
    ) -> "Iterator[Section]":
        """The comparison at what was observed, if it was asked for. Raises UsageError and
        PriceError.
        """
        if not self.pathways:
            return
        from tuner.api.pathways import pathways_of
        from tuner.report import pathways
        from tuner.report.observation import Section

        found = shown(
            pathways_of(self._request(), function, observed=observed, source=source, today=today())
        )
        text = pathways.render(found, width=width(), encoding=encoding())
        yield Section(pathways.KIND, pathways.pathways_json(found), text)

    def _request(self) -> "PathwayRequest":
        from tuner.api.pathways import PathwayRequest
        from tuner.breakeven.pathway_findings import Wishes

        return PathwayRequest(
            trigger=self.event_trigger,
            rate_per_s=self.rate,
            event_bytes=self.event_size,
            batch_size=self.batch_size,
            batch_window_s=None if self.batch_window is None else self.batch_window / 1000,
            per_invocation_ms=self.per_invocation or 0.0,
            memory_mb=self.memory_size,
            peak_ratio=self.peak_ratio or 1.0,
            wishes=Wishes(tuple(cast("list[Need]", self.need or ())), self.max_delay),
        )
