"""Rules over what production says: a function that runs away, and what that costs an hour.

Read `watch` first: it asks every rule about one function and puts the findings in order. A rule is
a function of `Watched` (a function's reports, prices, window) and `Minutes` (its sums by the
minute, and what each is expected to have; both in `watched`) to findings. Whatever a rule says of a
moment rests on what was logged up to it, so that an archive read whole says what a watch would have
said at the time.

`tail` says how far is far outside, by a function's own maxima, and finds such minutes. The rules:
`rate`, `chains` (recursion), `poison`, `failures` (retries, timeouts, out of memory) and `queues`.

Whether a recommendation is stale: `drift` holds a sweep's answer against production's days, today's
settings and prices; `day_shift` says whether a daily figure moved.

Alarms as code: `metric_history` has a function's metrics by the minute and says when CloudWatch
would have rung, and `alarm_thresholds` makes the alarms of it.
"""
