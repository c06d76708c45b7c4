"""The command line: parse, print, exit codes; one module per command.

Read `tune` first, then `sweeping`, which shows a plan, asks and runs it. `main` runs `app`, the
tree of commands, and `exit_status` says how a command ends. `options` has every option, `groups`
and `tune_options` the ones that reach a command as one value; `values` parses them, and `config`
reads the environment and files. A command builds one request, calls `tuner.session` or `tuner.api`,
and hands the answer to `tuner.report`. `screen` and `picture` show it, `progress` shows how a sweep
goes, `commands` what to do next; `flags` turns parameters into flags, and `saved` finds sweeps.

typer evaluates annotations, so a module with options postpones none.
"""
