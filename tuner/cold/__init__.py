"""What a function's cold starts take, how many users meet one, and what to do about it.

`plan` says which sizes get fresh environments, `probe` makes them by publishing, measures each INIT
(or restore) and reads what a log says of it besides, and `imports` has a function time its own
imports. `init_curve` says what that means for the sizes between.

`arrivals` are the requests of a trace or a rate (`arrivals_file` reads them from a CSV), `share`
how many of them meet a cold start, and `options` what requests then take, and what SnapStart and
provisioned concurrency cost against what they remove. Read `analysis` first, which puts these
together, then `share`.
"""
