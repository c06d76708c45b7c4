"""The options of `tuner observe --overheads`: how logs are kept, where nobody else says it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from tuner.cli import options
from tuner.cli.flags import shown
from tuner.cli.groups import check_beside
from tuner.cli.screen import encoding, width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.api.reading import Caller, FilesRequest
    from tuner.cli.groups import WhereOptions
    from tuner.model.observation import Observation
    from tuner.report.observation import Section


@dataclass(frozen=True, slots=True)
class OverheadsOptions:
    """Whether to weigh the log, and what its group would say."""

    overheads: Annotated[
        bool,
        options.measure_option(
            "--overheads",
            help="Also say what logs, extensions, tracing and layers cost, and what would save. "
            "Reads all lines of --logs, else a sample.",
        ),
    ] = False
    log_class: Annotated[
        Literal["standard", "infrequent-access", "delivery"] | None,
        options.traffic_option(
            metavar="CLASS",
            help="With --overheads: standard, infrequent-access or delivery (default: as the group "
            "has it, with --logs standard).",
        ),
    ] = None
    retention_days: Annotated[
        int | None,
        options.traffic_option(
            metavar="N",
            min=1,
            help="With --overheads: how long logs are kept (default: as the group has it).",
        ),
    ] = None
    account_log_gb: Annotated[
        float,
        options.traffic_option(
            metavar="GB",
            min=0,
            help="With --overheads: what the account's other logs fill of a month's tiers.",
        ),
    ] = 0.0

    def check(self) -> None:
        """Raise UsageError for what is for --overheads, without it."""
        check_beside("overheads", self)

    def sections(
        self,
        function: str,
        observed: "Observation",
        files: "FilesRequest | None",
        live: "tuple[WhereOptions, Caller] | None",
    ) -> "Iterator[Section]":
        """The overheads, if they were asked for. Raises UsageError, InputError and AwsError."""
        if not self.overheads:
            return
        from tuner.api.overheads import OverheadsRequest, overheads_live, overheads_of_files
        from tuner.cli.reading import files_read
        from tuner.report import overheads
        from tuner.report.observation import Section

        names = {"standard": "STANDARD", "infrequent-access": "INFREQUENT_ACCESS"}
        request = OverheadsRequest(
            None if self.log_class is None else names.get(self.log_class, "DELIVERY"),  # type: ignore[arg-type] # one of the three
            self.retention_days,
            self.account_log_gb,
        )
        if files is not None:
            found = overheads_of_files(request, files, observed, files_read)
        else:
            assert live is not None
            where, caller = live
            found = overheads_live(request, function, observed, where.part(), caller)
        found = shown(found)
        text = overheads.render(found, width=width(), encoding=encoding())
        yield Section(overheads.KEY, overheads.overheads_json(found), text)
