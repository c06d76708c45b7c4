"""Reads items of AWS's Price List: what they are the price of, as blocks of a snapshot.

An item is `{"product": {"productFamily", "attributes": {"usagetype", "regionCode", …}}, "terms":
{"OnDemand": {…: {"priceDimensions": {…: {"beginRange", "endRange", "pricePerUnit": {"USD"}}}}}}}`
("Using the AWS Price List API", Billing user guide). A usage type begins with its region's short
name (`EUW2-Lambda-GB-Second`), in us-east-1 often with none.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tuner.errors import PriceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# `TS-` is a trust store's, not a region's.
_REGION_PREFIX: Final = re.compile(r"^(?!TS-)[A-Z]{2,4}[0-9]?-(?=[A-Z])")
LAMBDA_NAMES: Final = {
    "Lambda-GB-Second": "duration_gb_second",
    "Request": "request",
    "Lambda-Storage-GB-Second": "ephemeral_storage_gb_second",
    "Lambda-Provisioned-Concurrency": "provisioned_idle_gb_second",
    "Lambda-Provisioned-GB-Second": "provisioned_duration_gb_second",
}
SNAP_START_NAMES: Final = {
    "Lambda-SnapStart-Cached-GB-S": "cache_gb_second",
    "Lambda-SnapStart-Restored-GB": "restore_gb",
}
_FARGATE: Final = {
    "Fargate-vCPU-Hours:perCPU": ("x86_64", "vcpu_hour"),
    "Fargate-GB-Hours": ("x86_64", "gb_hour"),
    "Fargate-ARM-vCPU-Hours:perCPU": ("arm64", "vcpu_hour"),
    "Fargate-ARM-GB-Hours": ("arm64", "gb_hour"),
    "Fargate-EphemeralStorage-GB-Hours": (None, "storage_gb_hour"),
}
_NETWORK: Final = {
    "NatGateway-Hours": "nat_hour",
    "NatGateway-Bytes": "nat_gb",
    "PublicIPv4:InUseAddress": "public_ipv4_hour",
    "LoadBalancerUsage": "load_balancer_hour",
    "LCUUsage": "load_balancer_lcu_hour",
    "EBS:VolumeUsage.gp3": "gp3_gb_month",
    "DataProcessing-Bytes": "logs_gb",
    "CW:DataProcessing-Bytes": "logs_gb",
    "ApiGatewayHttpRequest": "api_gateway_request",
}
_EVENTS: Final = {
    # us-east-1 has -RBP where the other regions have -Tier1.
    "AWSQueueService": {
        "Requests-Tier1": "sqs_request",
        "Requests-RBP": "sqs_request",
        "Requests-FIFO-Tier1": "sqs_fifo_request",
        "Requests-FIFO-RBP": "sqs_fifo_request",
    },
    "AmazonSNS": {"Requests-Tier1": "sns_publish"},
    "AWSEvents": {"Event-64K-Chunks": "eventbridge_event"},
    "AmazonKinesis": {
        "Storage-ShardHour": "kinesis_shard_hour",
        "PutRequestPayloadUnits": "kinesis_put_unit",
        "OnDemand-StreamHour": "kinesis_stream_hour",
        "OnDemand-BilledIncomingBytes": "kinesis_in_gb",
        "OnDemand-BilledOutgoingBytes": "kinesis_out_gb",
        "EnhancedFanoutHour": "kinesis_consumer_shard_hour",
        "ReadBytes": "kinesis_consumer_gb",
    },
}
"""By service code: other services have usage types of the same names."""
_LOAD_BALANCER: Final = "Load Balancer-Application"
_LINUX: Final = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
}


_NAMES_A_FILTER: Final = 64
"""Types have names of at most 15 characters."""
_ON_DEMAND: Final = {**_LINUX, "marketoption": "OnDemand", "operation": "RunInstances"}
_BALANCERS: Final = frozenset({"LoadBalancerUsage", "LCUUsage"})


class Query(NamedTuple):
    """One query to the Price List API: (filter type, field, value) besides the region.

    It isn't asked where an earlier one found the network price `unless`.
    """

    service_code: str
    filters: tuple[tuple[str, str, str], ...] = ()
    unless: str | None = None


class Fact(NamedTuple):
    """A price: `block`, region and the path within it; tiers as (upper bound or None, price)."""

    block: str
    region: str
    path: tuple[str, ...]
    tiers: tuple[tuple[Decimal | None, Decimal], ...]


def queries(instance_types: Iterable[str]) -> tuple[Query, ...]:
    """What to ask about one region: a dozen small answers. EC2 by name, never in bulk."""
    linux = tuple(("TERM_MATCH", name, given) for name, given in _LINUX.items())
    families = f"NAT Gateway,{_LOAD_BALANCER}"
    return (
        Query("AWSLambda"),
        Query("AmazonECS", (("CONTAINS", "usagetype", "Fargate"),)),
        *(
            Query("AmazonEC2", (*linux, ("ANY_OF", "instanceType", names)))
            for names in _joined(sorted(instance_types))
        ),
        Query("AmazonEC2", (("ANY_OF", "productFamily", families),)),
        Query("AmazonEC2", (("TERM_MATCH", "volumeApiName", "gp3"),)),
        # Load balancers are found under one service code or the other, by region.
        Query("AWSELB", (("TERM_MATCH", "productFamily", _LOAD_BALANCER),), "load_balancer_hour"),
        Query("AmazonVPC", (("TERM_MATCH", "group", "VPCPublicIPv4Address"),)),
        Query("AmazonApiGateway", (("CONTAINS", "usagetype", "ApiGatewayHttpRequest"),)),
        Query("AmazonCloudWatch", (("CONTAINS", "usagetype", "DataProcessing-Bytes"),)),
        *(Query(service) for service in _EVENTS),
    )


def _joined(names: list[str]) -> Iterator[str]:
    """Names joined by commas, in as many texts as the filter's 1,024 characters require."""
    for start in range(0, len(names), _NAMES_A_FILTER):
        yield ",".join(names[start : start + _NAMES_A_FILTER])


def read_saved(text: str, name: str) -> tuple[dict[str, Any], ...]:
    """Items of a saved file. Raises PriceError if it has none.

    `{"PriceList": […]}` as `aws pricing get-products` prints it (items as JSON text or objects), a
    list of such items, or a whole offer file (`products` and `terms` by SKU).
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise PriceError(f"{name} is not JSON: save what aws pricing get-products prints") from None
    if isinstance(document, dict) and "products" in document and "terms" in document:
        try:
            return tuple(read_item(item, name) for item in _of_offer_file(document))
        except (AttributeError, TypeError):
            raise PriceError(
                f"{name} is no offer file: its products and terms aren't by SKU"
            ) from None
    listed = document.get("PriceList") if isinstance(document, dict) else document
    if not isinstance(listed, list):
        raise PriceError(
            f"{name} holds no price list: expected the PriceList of aws pricing get-products, "
            "or an offer file with products and terms"
        )
    return tuple(read_item(item, name) for item in listed)


def read_item(item: Any, name: str) -> dict[str, Any]:
    """One item, as JSON text or object, with its attributes that are text. Raises PriceError."""
    try:
        found = json.loads(item) if isinstance(item, str) else item
        product, attributes = found["product"], found["product"]["attributes"].items()
        texts = {key: value for key, value in attributes if isinstance(value, str)}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise PriceError(f"{name} holds an item without product and attributes") from None
    return {**found, "product": {**product, "attributes": texts}}


def facts(items: Iterable[Mapping[str, Any]], instance_types: Iterable[str]) -> Iterator[Fact]:
    """The prices among the items that the tool uses; other items are skipped.

    Raises PriceError for an item that it uses if its prices can't be read.
    """
    wanted = frozenset(instance_types)
    for item in items:
        product = item["product"]
        attributes = product["attributes"]
        region = attributes.get("regionCode")
        if not region or attributes.get("locationType", "AWS Region") != "AWS Region":
            continue
        place = _place(product, attributes, wanted)
        if place is not None and (tiers := _tiers(item)):
            yield Fact(place[0], region, place[1:], tiers)


def _place(
    product: Mapping[str, Any], attributes: Mapping[str, str], wanted: frozenset[str]
) -> tuple[str, ...] | None:
    """Where a price belongs: the block and the path in it; None if it isn't used."""
    usage = _REGION_PREFIX.sub("", attributes.get("usagetype", ""))
    if (event := _EVENTS.get(attributes.get("servicecode", ""))) is not None:
        return ("events", event[usage]) if usage in event else None
    if (place := _lambda_place(usage)) is not None:
        return place
    if usage in _FARGATE:
        architecture, name = _FARGATE[usage]
        return ("fargate", architecture, name) if architecture else ("fargate", name)
    # Classic and network load balancers have the same usage types.
    if usage in _NETWORK and (usage not in _BALANCERS or _is_application(product, attributes)):
        return "network", _NETWORK[usage]
    if attributes.get("instanceType") in wanted and all(
        attributes.get(name, given) == given for name, given in _ON_DEMAND.items()
    ):
        return "ec2", attributes["instanceType"]
    return None


def _lambda_place(usage: str) -> tuple[str, ...] | None:
    if usage == "Lambda-Managed-Instances-Request":
        return "managed_instances", "request"
    architecture = "arm64" if usage.endswith("-ARM") else "x86_64"
    if (name := LAMBDA_NAMES.get(usage.removesuffix("-ARM"))) is not None:
        return "lambda", architecture, name
    for begin, name in SNAP_START_NAMES.items():
        if usage.startswith(begin) and architecture == "x86_64":
            return "lambda", "snap_start", name
    return None


def _is_application(product: Mapping[str, Any], attributes: Mapping[str, str]) -> bool:
    return (
        product.get("productFamily") == _LOAD_BALANCER
        or attributes.get("operation") == "LoadBalancing:Application"
    )


def _tiers(item: Mapping[str, Any]) -> tuple[tuple[Decimal | None, Decimal], ...]:
    """Prices by usage range, ascending; none if an item has no on-demand price above 0."""
    try:
        found = sorted(
            (Decimal(each["beginRange"]), each["endRange"], Decimal(each["pricePerUnit"]["USD"]))
            for term in item.get("terms", {}).get("OnDemand", {}).values()
            for each in term["priceDimensions"].values()
            if "USD" in each["pricePerUnit"]
        )
        tiers = tuple(
            (None if end == "Inf" else Decimal(end), price.normalize()) for _, end, price in found
        )
        if not all(number.is_finite() for tier in tiers for number in tier if number is not None):
            raise InvalidOperation
    except (KeyError, TypeError, AttributeError, InvalidOperation):
        usage = item["product"]["attributes"].get("usagetype", "an item")
        raise PriceError(
            f"the prices of {usage} can't be read: they aren't in the Price List's format"
        ) from None
    return tuple(tier for tier in tiers if tier[1] > 0)


def _of_offer_file(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    terms = document["terms"].get("OnDemand", {})
    for sku, product in document["products"].items():
        yield {
            "product": {**product, "attributes": product.get("attributes", {})},
            "terms": {"OnDemand": terms.get(sku, {})},
            "publicationDate": document.get("publicationDate"),
        }
