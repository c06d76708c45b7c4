"""The target table's figures by the former rule, which had a slack on the cost and a tie rule.

Measured at commit 01c0a69 (the one before the smooth objective) with the scoring of `decide_goal`
(time weight 0.1, or 0 for the plain cheapest, which was a slack of 0), on the same functions, the
same ten seeds and the same luck. Recorded, since that rule's code is gone. It said no bound on the
regret, and was not asked to spend 60 invocations.
"""

from __future__ import annotations

from typing import Final

Row = tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]

FORMER: Final[dict[str, Row | None]] = {
    "default goal: inconclusive, %": ((2.12,), (16.2,), (11.1,)),
    "resizes that make the objective worse by over 1%, %": ((3.66,), (8.88,), (5.17,)),
    "moves to 1.3 x the duration or more for under 2%, %": ((0.192,), (2.39,), (2.07,)),
    "invocations, mean": ((8.55,), (14.0,), (12.0,)),
    "regret in the objective: mean / p90 / worst function, %": (
        (2.53, 8.72, 9.95),
        (6.29, 15.8, 47.8),
        (5.54, 13.2, 47.8),
    ),
    "time weight 0: regret, mean / worst, %": ((0.821, 4.76), (1.93, 56.0), (2.18, 56.0)),
    "time weight 0: invocations, mean": ((9.51,), (12.9,), (11.9,)),
    "time weight 0: inconclusive, %": ((20.4,), (48.4,), (36.3,)),
    "time weight 0, 60 to spend: regret, %": None,
    "CPU time to decide, ms per invocation": ((4.9,), (6.2,), (5.9,)),
    "90% intervals that hold: duration / cost / saving, %": (
        (94.6, 94.6, 86.0),
        (74.6, 74.4, 77.4),
        (74.4, 74.3, 78.0),
    ),
    "95% bounds on regret that hold, %": None,
}
"""By row: recorded functions, generated ones, held out ones of both. None: it has no figure."""
