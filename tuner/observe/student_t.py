"""Quantiles of Student's t distribution: all that `scipy`, with its 140 MB, would be needed for."""

from __future__ import annotations

import math
from statistics import NormalDist


def t_quantile(probability: float, freedom: float) -> float:
    """The quantile of a probability above a half, to five digits; `freedom` is 1 or more, whole or
    not (between 1 and 2 it's up to 5% too large), and may be infinite.

    Reference: G. W. Hill, Algorithm 396: Student's t-quantiles, CACM 13 (1970) 619-620,
    doi:10.1145/355598.355599; its names.
    """
    p, n = 2 * (1 - probability), freedom
    if math.isinf(n):
        return NormalDist().inv_cdf(probability)
    if n == 1:
        return 1 / math.tan(p * math.pi / 2)
    if n == 2:
        return math.sqrt(2 / (p * (2 - p)) - 2)
    a = 1 / (n - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * n
    y = (d * p) ** (2 / n)
    if y <= 0.05 + a:
        far = 1 / (((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3)
        y = ((far + 0.5 / (n + 4)) * y - 1) * (n + 1) / (n + 2) + 1 / y
        return math.sqrt(n * y)
    x = NormalDist().inv_cdf(p / 2)
    y = x**2
    if n < 5:
        c += 0.3 * (n - 4.5) * (x + 0.6)
    c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
    return math.sqrt(n * math.expm1(a * y**2))
