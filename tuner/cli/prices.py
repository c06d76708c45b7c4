"""`tuner prices`: show or refresh the prices that answers use."""

from pathlib import Path
from typing import Annotated

from tuner.cli import options, values
from tuner.cli.config import today
from tuner.cli.screen import say, show_json, show_text
from tuner.errors import UsageError

EPILOG = """\
tuner prices show --region eu-west-1

tuner prices show --json

tuner prices refresh --region eu-west-1

tuner prices refresh --from lambda.json --from fargate.json"""


def show(
    *,
    region: Annotated[str | None, options.region_option("all")] = None,
    json: options.JsonOutput = False,
) -> None:
    """Show Lambda's list prices in a region, or in every region.

    They come with the tool or from the last `tuner prices refresh`, with their date; free tier and
    discounts are left out. With a region, Fargate, EC2, network, event services and Managed
    Instances are shown too.
    """
    from tuner.pricing.renewal import current_price_book
    from tuner.report import prices

    book = current_price_book()
    entries = [
        book.lambda_prices(name, architecture)
        for name in ((region,) if region else book.regions)
        for architecture in ("x86_64", "arm64")
    ]
    if json:
        beside = prices.platforms_json(book, region) if region else {}
        show_json({**prices.to_json(book, entries), **beside})
    else:
        show_text(prices.render(book, entries, region))


def refresh(
    *,
    regions: Annotated[
        list[str] | None,
        options.where_option(
            "--region",
            metavar="REGION",
            parser=values.region,
            help="Region to fetch; repeatable (default: the profile's).",
        ),
    ] = None,
    saved: Annotated[
        list[Path] | None,
        options.where_option(
            "--from",
            **options.without_settings("profile"),
            metavar="FILE",
            help="Read this saved price list instead of asking AWS; repeatable.",
        ),
    ] = None,
    profile: options.Profile = None,
    json: options.JsonOutput = False,
) -> None:
    """Fetch today's list prices into your data folder. The newest prices are used.

    It covers Lambda, Fargate, the EC2 types that answers name, load balancers, NAT, IPv4, gp3,
    logs, SQS, SNS, Kinesis and EventBridge, with a dozen small queries per region
    (pricing:GetProducts, free). Fargate Spot, Savings Plans and the Managed Instances fee are not
    in the Price List, so they keep their dates.
    A file is the output of `aws pricing get-products`, or an offer file with products and terms.
    """
    from tuner.pricing import renewal
    from tuner.report import prices

    if saved and (regions or profile):
        raise UsageError("--from reads files: leave out --region and --profile")
    if saved:
        found = renewal.refresh_from_files(saved, today=today())
    else:
        from tuner.aws.price_list_api import PriceList

        def tell(name: str, number: int, count: int) -> None:
            if number == 1:
                say(f"asking for {name} ({count} questions)")

        asked = tuple(dict.fromkeys(regions or ()))
        with PriceList(profile=profile, region=asked[0] if asked else None) as listed:
            found = renewal.refresh_from_aws(
                asked or (listed.region,), listed.products, today=today(), on_query=tell
            )
    if json:
        show_json(prices.refresh_json(found))
    else:
        show_text(prices.render_refresh(found))
