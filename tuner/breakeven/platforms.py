"""Which platforms can be priced in a region, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tuner.breakeven.bill import HOURS_PER_MONTH
from tuner.breakeven.fleet import Fleet
from tuner.breakeven.offers import (
    EC2_RESERVED_GIB,
    ECS_RESERVED_GIB,
    ROOT_VOLUME_GB,
    fargate_offers,
    instance_offers,
    managed_offers,
)
from tuner.breakeven.traffic import SECONDS_PER_MONTH
from tuner.errors import PriceError
from tuner.pricing import NetworkPrices

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.breakeven.offers import Kind, Offer
    from tuner.breakeven.question import Terms
    from tuner.pricing import PriceBook

MIN_UNITS: Final = 2
"""Two tasks or instances, in two zones."""
MIN_MANAGED_UNITS: Final = 3
CONNECTIONS_PER_LCU: Final = 25
"""New connections a second in a load balancer's capacity unit; each request is taken for one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A platform that can be priced."""

    name: str
    kind: Kind
    architecture: str
    fleet: Fleet


@dataclass(slots=True)
class Prices:
    """Looks prices up, and keeps in mind what was missing and how old the oldest is."""

    book: PriceBook
    region: str
    missing: set[str] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)

    def known(self, network: NetworkPrices, name: str, what: str) -> Decimal:
        """A price of the network, or 0 with a note that it is missing."""
        price: Decimal | None = getattr(network, name)
        if price is None:
            self.missing.add(what)
            return Decimal()
        self.dates.add(dict(network.dates)[name])
        return price


def list_candidates(prices: Prices, terms: Terms) -> tuple[Candidate, ...]:
    """Every platform with prices in the region, both architectures."""
    try:
        network = prices.book.network_prices(prices.region)
    except PriceError:
        network = NetworkPrices(prices.region, ())
    around = _Around(prices, network, terms)
    found = []
    for architecture in ("x86_64", "arm64"):
        for build in (_fargate, _ecs, _ec2, _managed):
            try:
                found.append(build(around, architecture))
            except PriceError as error:
                prices.missing.add(str(error))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around the units of a fleet."""

    prices: Prices
    network: NetworkPrices
    terms: Terms

    def fleet(self, offers: tuple[Offer, ...]) -> Fleet:
        """A fleet with its load balancer, NAT and operating."""
        fixed, per_rate = self._balancer()
        if self.terms.nat:
            nat = self.prices.known(self.network, "nat_hour_usd", "NAT gateway")
            fixed += MIN_UNITS * HOURS_PER_MONTH * nat
        return Fleet(
            offers, MIN_UNITS, float(fixed) + self.terms.ops_cost_usd, usd_per_rate=per_rate
        )

    def unit_extra_usd(self, *, volume: bool) -> Decimal:
        """A unit's public address (behind NAT it has none) and its root volume."""
        extra = Decimal()
        if not self.terms.nat:
            extra += HOURS_PER_MONTH * self._ipv4()
        if volume:
            gp3 = self.prices.known(self.network, "gp3_gb_month_usd", "gp3 storage")
            extra += ROOT_VOLUME_GB * gp3
        return extra

    def _ipv4(self) -> Decimal:
        return self.prices.known(self.network, "public_ipv4_hour_usd", "public IPv4")

    def _balancer(self) -> tuple[Decimal, float]:
        if self.terms.trigger != "http":
            return Decimal(), 0.0
        given = self.terms.load_balancer_usd_per_month
        if given is not None:
            return Decimal(repr(given)), 0.0
        hour = self.prices.known(self.network, "load_balancer_hour_usd", "load balancer")
        lcu = self.prices.known(self.network, "load_balancer_lcu_hour_usd", "load balancer")
        addresses = MIN_UNITS * self._ipv4() if hour else Decimal()
        per_rate = float(lcu) * HOURS_PER_MONTH / CONNECTIONS_PER_LCU
        return HOURS_PER_MONTH * (hour + addresses), per_rate


def _fargate(around: _Around, architecture: str) -> Candidate:
    prices, terms = around.prices, around.terms
    entry = prices.book.fargate_prices(prices.region, architecture)
    rate = entry.on_demand
    if terms.savings_plan:
        if entry.savings_plan_1y is None:
            prices.missing.add(f"Compute Savings Plan for Fargate {architecture} (list price used)")
        rate = entry.savings_plan_1y or rate
    if terms.spot_share and entry.spot is None:
        prices.missing.add(f"Fargate Spot {architecture} (on-demand price used)")
    prices.dates.add(rate.as_of)
    if terms.spot_share and entry.spot is not None:
        prices.dates.add(entry.spot.as_of)
    offers = fargate_offers(
        entry,
        rate=rate,
        spot_share=terms.spot_share,
        extra_usd=around.unit_extra_usd(volume=False),
    )
    return Candidate(f"Fargate {architecture}", "containers", architecture, around.fleet(offers))


def _on_instances(
    name: str, kind: Kind, reserved_gib: float
) -> Callable[[_Around, str], Candidate]:
    def build(around: _Around, architecture: str) -> Candidate:
        entries = around.prices.book.instances(around.prices.region, architecture)
        around.prices.dates.update(entry.as_of for entry in entries)
        offers = instance_offers(
            entries, reserved_gib=reserved_gib, extra_usd=around.unit_extra_usd(volume=True)
        )
        return Candidate(f"{name} {architecture}", kind, architecture, around.fleet(offers))

    return build


_ecs = _on_instances("ECS on EC2", "containers", ECS_RESERVED_GIB)
_ec2 = _on_instances("EC2", "ec2", EC2_RESERVED_GIB)


def _managed(around: _Around, architecture: str) -> Candidate:
    """Still Lambda: the same trigger, no load balancer, no addresses of its own."""
    prices = around.prices
    fee = prices.book.managed_instances_prices(prices.region)
    offers = managed_offers(prices.book.instances(prices.region, architecture), fee)
    prices.dates.add(fee.as_of)
    per_rate = float(fee.request_usd) * SECONDS_PER_MONTH + _gateway_usd(around.terms)
    fleet = Fleet(offers, MIN_MANAGED_UNITS, around.terms.ops_cost_usd, usd_per_rate=per_rate)
    return Candidate(f"Managed Instances {architecture}", "managed-instances", architecture, fleet)


def _gateway_usd(terms: Terms) -> float:
    """What an API gateway adds to a month for each request a second."""
    if terms.trigger != "http":
        return 0.0
    return terms.gateway_usd_per_million / 1e6 * SECONDS_PER_MONTH
