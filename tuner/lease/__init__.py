"""Borrow a function for a sweep and give it back unchanged: the part an auditor reads first.

Read `lease` first: `open_lease` takes the `lock`, writes down in the `journal` what is about to be
changed, and at the end `restore` and `cleanup` put everything back, in work that is
`uninterruptible`. In between a `window` publishes sizes of the function itself, or of a temporary
copy of it (`clone`) where live traffic reaches $LATEST. `recover` finishes what an interrupted
sweep left, by its journal; `orphans` does so without one. All reach AWS through `function_control`.
"""
