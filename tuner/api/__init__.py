"""What the command line and Python call beside the four calls of `tuner.session`, each one screen.

Read `tuning` first: the whole main job, from a function's name to an answer, with the keywords of
`tune`. `target` opens where the function is. `answers`, `comparing` and `page` tell what saved
sweeps say; `comment` puts it on a pull request, with `template_changes` as suggestions. `recovery`
puts right what a sweep left, `trial` tries payloads, `host_check` checks this machine, and
`presenting` shows answers in a notebook; `kept` lists and removes saved sweeps,
`callables` tunes a plain Python function.
"""
