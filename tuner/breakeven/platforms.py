"""Which platforms can be priced in a region, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from tuner.breakeven.answer import BillItem, total_usd
from tuner.breakeven.fleet import Fleet
from tuner.breakeven.offers import (
    EC2_RESERVED_GIB,
    ECS_RESERVED_GIB,
    ROOT_VOLUME_GB,
    fargate_offers,
    instance_offers,
    managed_offers,
)
from tuner.errors import PriceError
from tuner.model.lambda_limits import HOURS_PER_MONTH, SECONDS_PER_MONTH
from tuner.pricing import NetworkPrices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    from tuner.breakeven.answer import FleetKind
    from tuner.breakeven.offers import Offer
    from tuner.breakeven.terms import Terms
    from tuner.pricing import PriceBook

MIN_UNITS: Final = 2
"""Two tasks or instances, in two zones."""
MIN_MANAGED_UNITS: Final = 3
CONNECTIONS_PER_LCU: Final = 25
"""New connections per second in a load balancer's capacity unit; each request counts as one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A platform that can be priced."""

    name: str
    kind: FleetKind
    architecture: str
    fleet: Fleet


@dataclass(slots=True)
class Prices:
    """Looks prices up, and remembers what was missing and how old the oldest is.

    `unpriced` has a sentence for each platform left out for lack of a price.
    """

    book: PriceBook
    region: str
    missing: set[str] = field(default_factory=set)
    missing_on_lambda: set[str] = field(default_factory=set)
    unpriced: set[str] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)

    def known(self, name: str, what: str, *, on_lambda: bool = False) -> float:
        """A network price, or 0 with a note that it's missing."""
        try:
            network = self.book.network_prices(self.region)
        except PriceError:
            network = NetworkPrices(self.region, ())
        price: Decimal | None = getattr(network, name)
        if price is None:
            (self.missing_on_lambda if on_lambda else self.missing).add(what)
            return 0.0
        self.dates.add(dict(network.dates)[name])
        return float(price)


def list_candidates(prices: Prices, terms: Terms, own: str) -> tuple[Candidate, ...]:
    """Every platform with prices in the region, both architectures; `own` is the function's."""
    overheads = _Overheads(prices, terms)
    found = []
    for architecture in ("x86_64", "arm64"):
        for build in (_fargate, _ecs, _ec2, _managed):
            try:
                found.append(_at_speed(build(overheads, architecture), terms, own))
            except PriceError as error:
                prices.unpriced.add(str(error))
    return tuple(found)


def gateway_usd(prices: Prices, terms: Terms) -> float:
    """Per request through an API gateway: none, as given, or at list price (0 with a note)."""
    if terms.trigger != "http":
        return 0.0
    if terms.gateway_usd_per_million is not None:
        return terms.gateway_usd_per_million / 1e6
    return prices.known("api_gateway_request_usd", "API gateway", on_lambda=True)


def _at_speed(candidate: Candidate, terms: Terms, own: str) -> Candidate:
    """With the speed of another architecture's vCPUs."""
    if candidate.architecture == own:
        return candidate
    ratio = terms.arm_speed if candidate.architecture == "arm64" else 1 / terms.arm_speed
    return replace(candidate, fleet=replace(candidate.fleet, speed_ratio=ratio))


@dataclass(frozen=True, slots=True)
class _Overheads:
    """What a fleet costs besides its units: load balancer, NAT, addresses, volumes, logs."""

    prices: Prices
    terms: Terms

    def fleet(self, offers: tuple[Offer, ...]) -> Fleet:
        """A fleet with its load balancer, NAT, logs and operating cost."""
        terms = self.terms
        fixed, per_rate = self._balancer()
        if terms.nat:
            hours = MIN_UNITS * HOURS_PER_MONTH
            fixed.append(self._item("NAT gateway", hours, "hour", "nat_hour_usd"))
        return _fleet(offers, MIN_UNITS, terms, fixed, [*per_rate, *self.log_items()])

    def unit_items(self, *, volume: bool) -> tuple[BillItem, ...]:
        """A unit's public address (none behind NAT) and its root volume."""
        items = []
        if not self.terms.nat:
            items.append(self._address(1))
        if volume:
            items.append(self._item("gp3 storage", ROOT_VOLUME_GB, "GB-month", "gp3_gb_month_usd"))
        return tuple(items)

    def log_items(self) -> tuple[BillItem, ...]:
        """Log ingestion for one request per second; nothing if logs are left out."""
        if not self.terms.log_kb_per_request:
            return ()
        gb = self.terms.log_kb_per_request / 1e6 * SECONDS_PER_MONTH
        return (self._item("log ingestion", gb, "GB", "logs_gb_usd"),)

    def _address(self, count: int) -> BillItem:
        return self._item(
            "public IPv4", count * HOURS_PER_MONTH, "address-hour", "public_ipv4_hour_usd"
        )

    def _balancer(self) -> tuple[list[BillItem], list[BillItem]]:
        """Per month, and per request per second."""
        if self.terms.trigger != "http":
            return [], []
        given = self.terms.load_balancer_usd_per_month
        if given is not None:
            return [BillItem("load balancer, as given", 1, "month", given)], []
        hour = self._item("load balancer", HOURS_PER_MONTH, "hour", "load_balancer_hour_usd")
        units = HOURS_PER_MONTH / CONNECTIONS_PER_LCU
        lcu = self._item("load balancer capacity", units, "LCU-hour", "load_balancer_lcu_hour_usd")
        addresses = [self._address(MIN_UNITS)] if hour.price_usd else []
        return [hour, *addresses], [lcu]

    def _item(self, what: str, quantity: float, unit: str, name: str) -> BillItem:
        named = what.removesuffix(" capacity")
        return BillItem(what, quantity, unit, self.prices.known(name, named))


def _fleet(
    offers: tuple[Offer, ...],
    min_units: int,
    terms: Terms,
    fixed: Sequence[BillItem],
    per_rate: Sequence[BillItem],
) -> Fleet:
    items = (*fixed, BillItem("operating, as given", 1, "month", terms.ops_cost_usd))
    return Fleet(
        offers,
        min_units,
        fixed_usd=total_usd(items),
        usd_per_rate=total_usd(per_rate),
        fixed_items=items,
        rate_items=tuple(per_rate),
    )


def _fargate(overheads: _Overheads, architecture: str) -> Candidate:
    prices, terms = overheads.prices, overheads.terms
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
        extra=overheads.unit_items(volume=False),
    )
    return Candidate(f"Fargate {architecture}", "containers", architecture, overheads.fleet(offers))


def _on_instances(
    name: str, kind: FleetKind, reserved_gib: float
) -> Callable[[_Overheads, str], Candidate]:
    def build(overheads: _Overheads, architecture: str) -> Candidate:
        entries = overheads.prices.book.instances(overheads.prices.region, architecture)
        overheads.prices.dates.update(entry.as_of for entry in entries)
        if overheads.terms.savings_plan:
            overheads.prices.missing.add("Compute Savings Plan for EC2 (list price used)")
        offers = instance_offers(
            entries, reserved_gib=reserved_gib, extra=overheads.unit_items(volume=True)
        )
        return Candidate(f"{name} {architecture}", kind, architecture, overheads.fleet(offers))

    return build


_ecs = _on_instances("ECS on EC2", "containers", ECS_RESERVED_GIB)
_ec2 = _on_instances("EC2", "ec2", EC2_RESERVED_GIB)


def _managed(overheads: _Overheads, architecture: str) -> Candidate:
    """Still Lambda: the same trigger, no load balancer, no addresses."""
    prices, terms = overheads.prices, overheads.terms
    fee = prices.book.managed_instances_prices(prices.region)
    offers = managed_offers(prices.book.instances(prices.region, architecture), fee)
    prices.dates.add(fee.as_of)
    per_rate = [BillItem("requests", SECONDS_PER_MONTH, "request", float(fee.request_usd))]
    if gateway := gateway_usd(prices, terms):
        per_rate.append(BillItem("API gateway", SECONDS_PER_MONTH, "request", gateway))
    fleet = _fleet(offers, MIN_MANAGED_UNITS, terms, (), [*per_rate, *overheads.log_items()])
    return Candidate(f"Managed Instances {architecture}", "managed-instances", architecture, fleet)
