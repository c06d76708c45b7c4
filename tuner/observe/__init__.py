"""Answers from what production already says, without an invocation.

Read `store` first: one table of reports in DuckDB, and the questions that everything else asks of
it. `intake` fills it from batches of rows or from values, `folder` keeps what was read (Parquet in
the state folder, by `database`), and `usage` makes an `Observation` of one function.
"""
