"""The command line: parse, print, exit codes; one module a command.

`main` runs `app`, the tree of commands, and `exit_status` says how one ends. `options` is the one
vocabulary of options, `groups` those that reach a command as one value, `values` reads what they
are given, and `config` what the environment and files settle. `screen` and `picture` show answers,
`progress` how a sweep goes, `commands` what to do next; `flags` names options as they are typed.
"""
