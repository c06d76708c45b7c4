"""Shows answers: values in, text or pictures out; computes nothing.

`terminal` is what a person reads (its tables from `rows`, its sentences from `wording`, its curves
from `chart`), `markdown` and `comment` what a pull request gets, `json` the promised objects,
`figures` the pictures and `page` the HTML page. `breakeven`, `comparison`, `prices` and
`host_check` show theirs. `numbers` writes quantities, `console` fits text to where it is shown, and
`sanitize` makes foreign text harmless.
"""
