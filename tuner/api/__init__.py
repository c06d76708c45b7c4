"""What the command line and Python call beside the four calls of `tuner.session`, each one screen.

`target` opens where a function is; `tuning` is the whole main job, with the keywords of `tune`.
`answers`, `comparing` and `page` tell what saved sweeps say, `comment` puts it on a pull request,
`recovery` puts right what a sweep left, `trial` tries payloads, `host_check` checks this machine.
"""
