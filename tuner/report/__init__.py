"""Shows answers: values in, text or pictures out; computes nothing.

Read `terminal` first, what a person reads: its tables come from `rows`, its sentences from
`wording`, its curves from `chart`. `plan` says what a sweep is about to do. `markdown` and
`comment` are what a pull request gets, `json` the promised objects, `figures` the pictures, `page`
the HTML page and `card` what a notebook shows; `breakeven`, `comparison`, `prices` and `host_check`
show theirs. `numbers` writes quantities, `console` fits text to where it is shown, and `sanitize`
makes foreign text harmless.
"""
