"""Rules over what production says: a function that runs away, and what that costs an hour.

Read `watch` first: it asks every rule about one function and puts the findings in order. A rule is
a function from `Watched` (`watched`: a function's reports, prices, window) to findings. Whatever a
rule says of a moment rests on what was logged up to it, so that an archive read whole says what a
watch would have said at the time.

`kills` has out-of-memory kills.

Whether a recommendation is stale: `drift` holds a sweep's answer against production's days, today's
settings and prices; `day_shift` says whether a daily figure moved.
"""
