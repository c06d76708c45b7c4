"""Borrow a function for a sweep and give it back unchanged: the part an auditor reads first.

Read `lease` first: `open_lease` takes the `lock`, records in the `journal` what is about to change,
and at the end `restore` and `cleanup` put everything back, in work that is `uninterruptible`. In
between, a `window` publishes sizes of the function itself, or of a temporary copy (`clone`) if live
traffic reaches $LATEST. `recover` finishes what an interrupted sweep left, as its journal says
(`unfinished`); `orphans` does so without one. A check's own function is a `throwaway`, made and
deleted. An emergency `stop` leaves its journal, for `recover` to undo. All of them reach AWS
through `function_control`.
"""
