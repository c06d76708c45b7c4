"""Answers from what production already says, without an invocation.

Read `store` first: one table of reports in DuckDB, and the questions that everything else asks of
it. `intake` fills it from batches of rows or from values, `folder` keeps what was read (Parquet in
the state folder, by `database`), and `usage` makes an `Observation` of one function.

Where money goes: `cost_hours` reads sums by the hour, `hourly` tells their cycle and noise,
`change_points` finds where the cost of an invocation moved, `deployments` what was
deployed, and `spend` puts it together with revenue (`earnings`) and a `bill`.

What a change of memory saved: `use_hours` reads the sums and finds the change, and `realized`
compares by `before_after` or `split`; `explaining` has the causes, `verdicts` the verdict and what
the ledger says of later forecasts.

What a function pays besides its work: `overheads` prices what its lines weigh (`log_bill`: classes,
tiers, storage; `layer_weight`: INIT), and `overhead_findings` says what stands out.
"""
