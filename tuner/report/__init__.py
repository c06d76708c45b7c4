"""Shows answers: values in, text or pictures out; computes nothing.

Read `terminal` first, which is what people read: its tables come from `rows`, its sentences from
`wording`, its curves from `chart`. `plan` says what a sweep will do. `markdown` and `comment` are
for pull requests, `json` has the promised objects, `figures` the pictures, `page` the HTML page and
`card` what a notebook shows; `breakeven`, `comparison`, `prices`, `host_check` and `live_check`
show theirs, and `alarm_files` writes alarms as code. `numbers` writes quantities, `console` fits
text to its display, and `sanitize` makes foreign text harmless.
"""
