"""`tuner prices show`: the price book that answers are made with."""

from tuner.cli import options
from tuner.cli.screen import show_json, show_text

EPILOG = """\
tuner prices show --region eu-west-1

tuner prices show --json"""


def show(*, region: options.Region = None, json: options.JsonOutput = False) -> None:
    """Show Lambda's list prices of a region, or of every region.

    They come with the tool, as of the day that is shown; free tier and discounts are left out.
    JSON of one region has those of Fargate, EC2, the network and Managed Instances as well.
    """
    from tuner.pricing import load_price_book  # noqa: PLC0415 - not needed for --help
    from tuner.report import prices  # noqa: PLC0415 - as above

    book = load_price_book()
    entries = [
        book.lambda_prices(name, architecture)
        for name in ((region,) if region else book.regions)
        for architecture in ("x86_64", "arm64")
    ]
    if json:
        beside = prices.platforms_json(book, region) if region else {}
        show_json({**prices.to_json(book, entries), **beside})
    else:
        show_text(prices.render(book, entries))
