"""Rolls a memory size out: a version with it is published, and an alias shifted to it by steps.

`steps` are read, `check` refuses what can't be shifted, `forecast` says what the change is held
against, and `needed` how many invocations a step takes. Then `run`: it borrows the function and its
alias as a sweep does (`tuner.lease`, which holds the journal and what `tuner recover` does), and in
every step reads the `figures` of both versions in the same minutes into a `comparison`, whose
`evidence` holds at every look. `record` keeps what came of it. Read `run` first, then `comparison`.
"""
