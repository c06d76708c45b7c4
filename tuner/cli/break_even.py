"""`tuner break-even`: from which traffic on a function is cheaper elsewhere."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tuner.cli import options, saved
from tuner.cli.break_even_options import LoadOptions, TermsOptions
from tuner.cli.groups import spread

EPILOG = """\
tuner break-even resize-images --rate 50/s

tuner break-even sweep.jsonl --per-month 30M --trigger queue

tuner break-even resize-images --traffic cloudwatch --days 14

tuner break-even resize-images --traffic traffic.csv --format json

tuner break-even resize-images --rate 50/s --format svg --out costs.svg"""


@spread
def break_even(
    sweep: Annotated[
        str,
        typer.Argument(metavar="SWEEP", help="Sweep file, or a function's name for its newest."),
    ],
    *,
    load: LoadOptions,
    terms: TermsOptions,
    format_name: Annotated[
        Literal["text", "json", "markdown", "png", "svg"],
        typer.Option("--format", help="How to show it.", rich_help_panel=options.OUTPUT),
    ] = "text",
    out_file: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Figure to write, with --format png or svg (stdout without it).",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    bill: Annotated[
        bool,
        typer.Option(
            "--bill", help="Show what each cost adds up from.", rich_help_panel=options.OUTPUT
        ),
    ] = False,
    json: options.JsonOutput = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    detailed_exitcode: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode",
            help="Exit with 11 for leaving Lambda, 12 for too close to call.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
) -> int:
    """Compare Lambda with Fargate, EC2 and Managed Instances, from a saved sweep.

    Without a rate the break-even rate is stated alone. A flag needs a saving of 50 dollars and
    20 % of Lambda's bill a month, sure in 95 % of what may be. Nothing is asked of AWS but, with
    --traffic cloudwatch, the function's invocations and concurrency of the last days.
    """
    from tuner.api.answers import break_even as answer_of  # noqa: PLC0415 - not needed for --help
    from tuner.cli import exitcode, picture  # noqa: PLC0415 - as above
    from tuner.cli.config import today  # noqa: PLC0415 - as above
    from tuner.cli.screen import show_break_even  # noqa: PLC0415 - as above

    shown = picture.format_of(format_name, json=json)
    is_picture = picture.check(shown, out_file, sweep_count=1, formats=("png", "svg"))
    found = saved.load(sweep)
    traffic = load.of(found, region=region, profile=profile, endpoint_url=endpoint_url)
    answer = answer_of(found, terms.with_traffic(traffic), today=today())
    if is_picture:
        picture.show_break_even(answer, shown, out_file)
    else:
        show_break_even(answer, shown, with_bill=bill)
    return exitcode.of_platform(answer.verdict) if detailed_exitcode else 0
