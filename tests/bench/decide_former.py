"""The target table's figures by the former rule, which had a slack on the cost and a tie rule.

Measured at commit 01c0a69 (the one before the smooth objective) with the scoring of `decide_goal`
(time weight 0.1, or 0 for the plain cheapest, which was a slack of 0), seed 0 alone, on the same
functions and the same luck. Recorded, since that rule's code is gone. It said no bound on the
regret, and was not asked to spend 60 invocations.
"""

from __future__ import annotations

from typing import Final

Row = tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]

FORMER: Final[dict[str, Row | None]] = {
    "default goal: inconclusive, %": ((1.92,), (14.3,), (9.29,)),
    "resizes that make the objective worse by over 1%, %": ((4.82,), (10.3,), (6.51,)),
    "moves to 1.3 x the duration or more for under 2%, %": ((0.0,), (3.09,), (2.86,)),
    "invocations, mean": ((9.06,), (14.2,), (12.6,)),
    "regret in the objective: mean / p90 / worst function, %": (
        (2.84, 9.17, 13.7),
        (5.93, 16.2, 50.9),
        (5.44, 16.2, 50.9),
    ),
    "time weight 0: regret, mean / worst, %": ((0.977, 5.32), (1.95, 50.9), (2.26, 50.9)),
    "time weight 0: invocations, mean": ((9.16,), (13.6,), (12.2,)),
    "time weight 0: inconclusive, %": ((19.2,), (49.2,), (37.9,)),
    "time weight 0, 60 to spend: regret, %": None,
    "CPU time to decide, ms per invocation": ((8.2,), (10.7,), (9.9,)),
    "90% intervals that hold: duration / cost / saving, %": (
        (92.2, 92.2, 85.5),
        (76.4, 76.1, 77.2),
        (74.8, 74.4, 76.8),
    ),
    "95% bounds on regret that hold, %": None,
}
"""By row: recorded functions, generated ones, held out ones of both. None: it has no figure."""
