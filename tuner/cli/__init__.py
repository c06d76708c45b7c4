"""The command line: parse, print, exit codes; one module a command.

Read `app` first, the tree of commands, then `tune`. A command's parameters are `options`, so that a
word means the same in every command; those that belong together reach it as one value (`groups`,
`tune_options`), read by `values`, with defaults from the environment and files (`config`). It makes
one request of them, calls `tuner.session` or `tuner.api`, and hands the answer to `tuner.report`.
`sweeping` shows a plan, asks and runs it, `saved` finds sweeps, `picture` writes figures and pages.
`screen` and `progress` are all that writes to the terminal; `exit_status` turns what went wrong
into one line and a code. `main` is the entry point.
"""
