"""What the command line and Python call besides the four calls of `tuner.session`, each on one
screen.

Read `tuning` first: the whole main job, from a function's name to an answer, with the keywords of
`tune`. `target` opens the place where the function is. `answers` and `comparing` read saved sweeps;
`applying` writes the answer into infrastructure code and says what `Drift` there is, `rollout`
shifts a live alias to it (by what `rollout_baseline` read), and `comment` posts it on a pull
request, with changes of the template as suggestions. `loading` sends a load (`downstream` says what
gives way behind the function), `cold` measures cold starts, `recovery` undoes what a sweep left,
`trial` tries payloads, `host_check` checks this machine, `live_check` compares what is assumed of
Lambda with an account, and `presenting` shows answers in a notebook; `kept` lists and removes saved
sweeps, `callables` tunes a plain Python function.

What production says: `reading` has the requests, of files of logs or of an account. `observing`
reads files and `observing_live` an account, where `live_reports` fills the same store. `scanning`
ranks every function of an account (`region_reader` reads each region through `scan_journal`,
`log_queries` its logs, `judging` advises), `scanning_logs` those of an archive; `spending` adds up
what was spent, `verifying` says what a change of memory saved, and `watching` what runs away.
`pathways` compares the ways that events may come, and `overheads` says what logs and the like cost.
"""
