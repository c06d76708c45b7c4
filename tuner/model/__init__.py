"""The values that flow from one package to the next: frozen, with units in their names.

Read `request` first; the others follow in the order of the flow. A `request` (with a `goal`)
becomes a `plan` for a `function` and its `payload` classes; carried out, it reports `progress` and
becomes a `sweep` of `invocation`s; analysed, it becomes a `recommendation` of `interval`s and
`finding`s, or a `comparison` of two; a `breakdown` has what lies under its means. `record` writes
values as JSON and reads them strictly; `number_fields` checks what people pass, and `presented` is
how answers show themselves in notebooks; `lambda_limits` has the platform's limits, and
`host_check` how closely the local Lambda matches it; `arrays` names what annotations call arrays.
"""
