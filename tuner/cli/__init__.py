"""The command line: parse, print, exit codes; one module a command.

Read `tune` first, then `sweeping`, which shows a plan, asks and runs it. `main` runs `app`, the
tree of commands, and `exit_status` says how one ends. `options` is the one vocabulary of options,
`groups` and `tune_options` those that reach a command as one value, `values` reads what they are
given, and `config` what the environment and files settle. A command makes one request of them,
calls `tuner.session` or `tuner.api`, and hands the answer to `tuner.report`. `screen` and `picture`
show it, `progress` how a sweep goes, `commands` what to do next; `flags` names options as they are
typed, and `saved` finds sweeps.
"""
