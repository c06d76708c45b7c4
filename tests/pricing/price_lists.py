"""Items in the form of AWS's Price List API, made from prices that are known."""

from __future__ import annotations

import json
from typing import Any, Final

PUBLISHED: Final = "2026-11-20T18:00:00Z"
LINUX: Final = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "marketoption": "OnDemand",
    "operation": "RunInstances",
}


def item(
    usage_type: str,
    *prices: str,
    region: str = "eu-west-1",
    bounds: tuple[str, ...] = (),
    family: str = "",
    **attributes: str,
) -> dict[str, Any]:
    """One product with a price for each range of use; `bounds` are the ranges' inner ends."""
    ends = (*bounds, "Inf")
    return {
        "product": {
            "productFamily": family,
            "attributes": {
                "usagetype": usage_type,
                "regionCode": region,
                "locationType": "AWS Region",
                **attributes,
            },
            "sku": usage_type,
        },
        "serviceCode": "made",
        "terms": {
            "OnDemand": {
                f"{usage_type}.JRTCKXETXF": {
                    "priceDimensions": {
                        f"{usage_type}.{number}": {
                            "unit": "unit",
                            "beginRange": "0" if number == 0 else ends[number - 1],
                            "endRange": ends[number],
                            "pricePerUnit": {"USD": price},
                        }
                        # AWS lists them in no order.
                        for number, price in reversed(list(enumerate(prices)))
                    },
                }
            }
        },
        "publicationDate": PUBLISHED,
        "version": "20261120180000",
    }


def event_items(region: str = "eu-west-1", prefix: str = "EU-") -> list[dict[str, Any]]:
    """What SQS, SNS, Kinesis and EventBridge charge there; S3's requests have names like theirs."""
    made: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
        ("AmazonS3", "Requests-Tier1", ("0.000005",), ()),
        ("AWSQueueService", "Requests-Fair-RBP", ("0.0000001",), ()),
        ("AWSQueueService", "Requests-Tier1", ("0.00000041", "0.0000003"), ("100000000000",)),
        ("AWSQueueService", "Requests-FIFO-Tier1", ("0.00000051",), ()),
        ("AmazonSNS", "Requests-Tier1", ("0", "0.00000052"), ("1000000",)),
        ("AWSEvents", "Event-64K-Chunks", ("0.0000011",), ()),
        ("AWSEvents", "Event-8K-Chunks", ("0.0000001",), ()),
        ("AmazonKinesis", "Storage-ShardHour", ("0.018",), ()),
        ("AmazonKinesis", "PutRequestPayloadUnits", ("0.0000000165",), ()),
        ("AmazonKinesis", "OnDemand-StreamHour", ("0.045",), ()),
        ("AmazonKinesis", "OnDemand-BilledIncomingBytes", ("0.091",), ()),
        ("AmazonKinesis", "OnDemand-BilledOutgoingBytes", ("0.045",), ()),
        ("AmazonKinesis", "EnhancedFanoutHour", ("0.017",), ()),
        ("AmazonKinesis", "ReadBytes", ("0.0147",), ()),
    )
    return [
        item(f"{prefix}{usage}", *prices, region=region, bounds=bounds, servicecode=service)
        for service, usage, prices, bounds in made
    ]


def lambda_items(region: str = "eu-west-1", prefix: str = "EU-") -> list[dict[str, Any]]:
    """Lambda, x86_64 10% more expensive than in 2025, arm64 as then, SnapStart, and free use."""
    bounds, arm_bounds = ("6000000000", "15000000000"), ("7500000000", "18750000000")
    made = [
        (("Lambda-GB-Second", "0.0000183334", "0.0000165", "0.0000146667"), bounds),
        (("Lambda-GB-Second-ARM", "0.0000133334", "0.0000120001", "0.0000106667"), arm_bounds),
        (("Request", "0.0000002000"), ()),
        (("Request-ARM", "0.0000002000"), ()),
        (("Lambda-Storage-GB-Second", "0.0000000340"), ()),
        (("Lambda-Storage-GB-Second-ARM", "0.0000000340"), ()),
        (("Lambda-Provisioned-Concurrency", "0.0000045834"), ()),
        (("Lambda-Provisioned-Concurrency-ARM", "0.0000033334"), ()),
        (("Lambda-Provisioned-GB-Second", "0.0000106945"), ()),
        (("Lambda-Provisioned-GB-Second-ARM", "0.0000077778"), ()),
        (("Lambda-SnapStart-Cached-GB-S", "0.0000016551"), ()),
        (("Lambda-SnapStart-Restored-GB", "0.0001537778"), ()),
        # What is near and not ours.
        (("Lambda-Edge-Request", "0.0000006"), ()),
        (("Lambda-Edge-GB-Second", "0.00005001"), ()),
        (("Lambda-Managed-Instances-Request", "0.0000002"), ()),
    ]
    return [
        *(
            item(prefix + usage, *prices, region=region, bounds=ends)
            for (usage, *prices), ends in made
        ),
        item("Global-Lambda-GB-Second", "0", region=""),
    ]


def fleet_items() -> list[dict[str, Any]]:
    """Fargate, EC2 and what stands around a fleet in eu-west-1, with near relations of each."""
    balancer = {"family": "Load Balancer-Application", "operation": "LoadBalancing:Application"}
    return [
        item("EU-Fargate-vCPU-Hours:perCPU", "0.0445"),
        item("EU-Fargate-GB-Hours", "0.0049"),
        item("EU-Fargate-ARM-vCPU-Hours:perCPU", "0.0356"),
        item("EU-Fargate-ARM-GB-Hours", "0.0039"),
        item("EU-Fargate-EphemeralStorage-GB-Hours", "0.000122"),
        item("EU-SpotUsage:Fargate-vCPU-Hours:perCPU", "0.0127"),
        item("EU-BoxUsage:c7g.large", "0.0850", instanceType="c7g.large", **LINUX),
        item("EU-BoxUsage:t3.small", "0.0250", instanceType="t3.small", **LINUX),
        item(
            "EU-BoxUsage:m7i.large",
            "0.2",
            instanceType="m7i.large",
            **{**LINUX, "operatingSystem": "Windows"},
        ),
        item("EU-UnusedBox:c7g.large", "0", instanceType="c7g.large", **LINUX),
        item("EU-NatGateway-Hours", "0.05", family="NAT Gateway"),
        item("EU-NatGateway-Bytes", "0.05", family="NAT Gateway"),
        item("EU-LoadBalancerUsage", "0.0252", **balancer),
        item("EU-LCUUsage", "0.0084", **balancer),
        item("EU-TS-LoadBalancerUsage", "0.0056", **balancer),
        item("EU-LoadBalancerUsage", "0.028", family="Load Balancer", operation="LoadBalancing"),
        item("EU-PublicIPv4:InUseAddress", "0.005", group="VPCPublicIPv4Address"),
        item("EU-PublicIPv4:IdleAddress", "0.006", group="VPCPublicIPv4Address"),
        item("EU-EBS:VolumeUsage.gp3", "0.088", volumeApiName="gp3"),
        item("EU-DataProcessing-Bytes", "0.60"),
        item("EU-ApiGatewayHttpRequest", "0.00000111", "0.000001", bounds=("300000000",)),
        item("EU-ApiGatewayRequest", "0.0000035"),
        item("EUW1-DUB1-LoadBalancerUsage", "9", **balancer, locationType="AWS Local Zone"),
    ]


def saved(items: list[dict[str, Any]]) -> str:
    """As `aws pricing get-products` prints it: each item is JSON in a string."""
    return json.dumps({"FormatVersion": "aws_v1", "PriceList": [json.dumps(one) for one in items]})


def offer_file(items: list[dict[str, Any]]) -> str:
    """The same as an offer file: products and terms by SKU."""
    return json.dumps(
        {
            "publicationDate": PUBLISHED,
            "products": {one["product"]["sku"]: one["product"] for one in items},
            "terms": {
                "OnDemand": {one["product"]["sku"]: one["terms"]["OnDemand"] for one in items}
            },
        }
    )
