"""Invoices of Lambda, computed by hand.

Prices are those of us-east-1 unless said; a month has 730 hours; 1,769 MB are 1.7275390625 GB.
Where tiers are counted the account has used up the free tier, whose 400,000 GB-s count as well.
"""

from __future__ import annotations

from tests.breakeven.invoice import BOOK, Invoice, lambda_usd, snap_start_usd

X86 = BOOK.lambda_prices("us-east-1", "x86_64")
ARM = BOOK.lambda_prices("us-east-1", "arm64")
CAPE_TOWN = BOOK.lambda_prices("af-south-1", "x86_64")

LAMBDA_INVOICES = (
    Invoice(
        "a million empty-ish runs",
        "1000000*0.0000002 + 1000000*0.1*0.125*0.0000166667",
        "0.41",
        lambda: lambda_usd(X86, requests=1_000_000, memory_mb=128, billed_ms=100),
    ),
    Invoice(
        "one core for a second, a million times",
        "1000000*0.0000002 + 1000000*1*1.7275390625*0.0000166667",
        "28.99",
        lambda: lambda_usd(X86, requests=1_000_000, memory_mb=1769, billed_ms=1000),
    ),
    Invoice(
        "INIT billed with the run: 1234 + 464 ms",
        "50000*0.0000002 + 50000*1.698*0.125*0.0000166667",
        "0.19",
        lambda: lambda_usd(X86, requests=50_000, memory_mb=128, billed_ms=1698),
    ),
    Invoice(
        "30 million runs of 120 ms at 1 GB",
        "30*0.20 + 30000000*0.120*0.0000166667",
        "66.00",
        lambda: lambda_usd(X86, requests=30_000_000, memory_mb=1024, billed_ms=120),
    ),
    Invoice(
        "the largest size for a minute",
        "1000*0.0000002 + 1000*60*10*0.0000166667",
        "10.00",
        lambda: lambda_usd(X86, requests=1000, memory_mb=10240, billed_ms=60000),
    ),
    Invoice(
        "a run of 15 minutes",
        "100*0.0000002 + 100*900*2.9375*0.0000166667",
        "4.41",
        lambda: lambda_usd(X86, requests=100, memory_mb=3008, billed_ms=900000),
    ),
    Invoice(
        "a mean with a fraction: 1 % INIT",
        "10*0.20 + 10000000*0.1025*0.5*0.0000166667",
        "10.54",
        lambda: lambda_usd(X86, requests=10_000_000, memory_mb=512, billed_ms=102.5),
    ),
    Invoice(
        "2 GB of /tmp",
        "0.20 + 1000000*1*0.0000166667 + 1000000*1*2*0.0000000309",
        "16.93",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=1000,
            ephemeral_storage_mb=2560,
        ),
    ),
    Invoice(
        "/tmp at the free 512 MB",
        "0.20 + 1000000*1*0.0000166667",
        "16.87",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=1000,
            ephemeral_storage_mb=512,
        ),
    ),
    Invoice(
        "/tmp at its largest",
        "0.20 + 1000000*0.0000166667 + 1000000*9.5*0.0000000309",
        "17.16",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=1000,
            ephemeral_storage_mb=10240,
        ),
    ),
    Invoice(
        "exactly the first tier's end",
        "5999.6*0.20 + 5999600000*0.0000166667",
        "101193.45",
        lambda: lambda_usd(
            X86, requests=5_999_600_000, memory_mb=1024, billed_ms=1000, account_gb_seconds=400_000
        ),
    ),
    Invoice(
        "a million GB-s into the second tier",
        "6000.6*0.20 + 5999600000*0.0000166667 + 1000000*0.000015",
        "101208.65",
        lambda: lambda_usd(
            X86, requests=6_000_600_000, memory_mb=1024, billed_ms=1000, account_gb_seconds=400_000
        ),
    ),
    Invoice(
        "exactly the second tier's end",
        "14999.6*0.20 + 5999600000*0.0000166667 + 9000000000*0.000015",
        "237993.45",
        lambda: lambda_usd(
            X86, requests=14_999_600_000, memory_mb=1024, billed_ms=1000, account_gb_seconds=400_000
        ),
    ),
    Invoice(
        "into the third tier",
        "15999.6*0.20 + 5999600000*0.0000166667 + 9000000000*0.000015 + 1000000000*0.0000133334",
        "251526.85",
        lambda: lambda_usd(
            X86, requests=15_999_600_000, memory_mb=1024, billed_ms=1000, account_gb_seconds=400_000
        ),
    ),
    Invoice(
        "the account is at the first tier's end already",
        "0.20 + 1000000*0.000015",
        "15.20",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=1000,
            account_gb_seconds=6_000_000_000,
        ),
    ),
    Invoice(
        "the account is just below it",
        "0.20 + 500000*0.0000166667 + 500000*0.000015",
        "16.03",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=1000,
            account_gb_seconds=5_999_500_000,
        ),
    ),
    Invoice(
        "the account is in the third tier",
        "0.20 + 1000000*0.0000133334",
        "13.53",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=1000,
            account_gb_seconds=15_000_000_000,
        ),
    ),
    Invoice(
        "free tier covers all",
        "0",
        "0.00",
        lambda: lambda_usd(
            X86, requests=1_000_000, memory_mb=1024, billed_ms=400, account_gb_seconds=0
        ),
    ),
    Invoice(
        "the account leaves 100,000 GB-s of the free tier",
        "1000000*0.0000002 + (1000000 - 100000)*0.0000166667",
        "15.20",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=1000,
            account_gb_seconds=300_000,
        ),
    ),
    Invoice(
        "a request above the free million",
        "1000000*0.0000002",
        "0.20",
        lambda: lambda_usd(
            X86, requests=2_000_000, memory_mb=1024, billed_ms=200, account_gb_seconds=0
        ),
    ),
    Invoice(
        "GB-seconds above the free 400,000",
        "100000*0.0000166667",
        "1.67",
        lambda: lambda_usd(
            X86, requests=1_000_000, memory_mb=1024, billed_ms=500, account_gb_seconds=0
        ),
    ),
    Invoice(
        "a savings plan takes 12 % off the duration alone",
        "10*0.20 + 10000000*0.0000166667*0.88",
        "148.67",
        lambda: lambda_usd(
            X86, requests=10_000_000, memory_mb=1024, billed_ms=1000, savings_plan=True
        ),
    ),
    Invoice(
        "arm: ten million runs",
        "10*0.20 + 1000000*0.0000133334",
        "15.33",
        lambda: lambda_usd(ARM, requests=10_000_000, memory_mb=1024, billed_ms=100),
    ),
    Invoice(
        "arm: exactly its first tier's end",
        "7499.6*0.20 + 7499600000*0.0000133334",
        "101495.09",
        lambda: lambda_usd(
            ARM, requests=7_499_600_000, memory_mb=1024, billed_ms=1000, account_gb_seconds=400_000
        ),
    ),
    Invoice(
        "arm: into its second tier",
        "7500.6*0.20 + 7499600000*0.0000133334 + 1000000*0.0000120001",
        "101507.29",
        lambda: lambda_usd(
            ARM, requests=7_500_600_000, memory_mb=1024, billed_ms=1000, account_gb_seconds=400_000
        ),
    ),
    Invoice(
        "arm: into its third tier",
        "18750.6*0.20 + 7499600000*0.0000133334 + 11250000000*0.0000120001 + 1000000*0.0000106667",
        "238757.08",
        lambda: lambda_usd(
            ARM, requests=18_750_600_000, memory_mb=1024, billed_ms=1000, account_gb_seconds=400_000
        ),
    ),
    Invoice(
        "Cape Town",
        "10*0.27 + 10000000*0.0000221",
        "223.70",
        lambda: lambda_usd(CAPE_TOWN, requests=10_000_000, memory_mb=1024, billed_ms=1000),
    ),
    Invoice(
        "SnapStart: a month in the cache, 10,000 restores",
        "730*3600*0.0000015046 + 10000*0.0001397998",
        "5.35",
        lambda: snap_start_usd(X86, memory_mb=1024, restore_count=10_000),
    ),
)
