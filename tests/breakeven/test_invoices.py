"""Invoices computed by hand: the working, the amount to the cent, and what the code bills."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING

import pytest

from tests.breakeven.lambda_invoices import LAMBDA_INVOICES
from tests.breakeven.platform_invoices import PLATFORM_INVOICES

if TYPE_CHECKING:
    from tests.breakeven.invoice import Invoice

INVOICES = (*LAMBDA_INVOICES, *PLATFORM_INVOICES)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize("invoice", INVOICES, ids=lambda invoice: invoice.case)
def test_a_bill_is_the_hand_computed_invoice_to_the_cent(invoice: Invoice) -> None:
    """What the code bills is the amount of the invoice."""
    assert str(cents(invoice.bill())) == invoice.amount_usd


@pytest.mark.parametrize("invoice", INVOICES, ids=lambda invoice: invoice.case)
def test_the_working_gives_the_amount(invoice: Invoice) -> None:
    """The working of an invoice, in decimals, is its amount: the table has no slip of the pen."""
    decimals = re.sub(r"(\d+(?:\.\d+)?)", r"Decimal('\1')", invoice.working)
    with localcontext(prec=60):
        assert str(cents(eval(decimals, {"Decimal": Decimal}))) == invoice.amount_usd


def test_there_are_at_least_forty() -> None:
    """The table covers forty cases or more, each once."""
    assert len({invoice.case for invoice in INVOICES}) == len(INVOICES) >= 40
