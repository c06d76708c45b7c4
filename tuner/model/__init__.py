"""The values that flow from one package to the next: frozen, with units in their names.

Read `request` first; the others follow in the order in which they flow. A `request` (with a `goal`)
becomes a `plan` of a `function` and its `payload` classes; carried out it tells of its `progress`
and is a `sweep` of `invocation`s; analysed it is a `recommendation` of `interval`s and `finding`s,
or a `comparison` of two; a `breakdown` has what lies under its means. `record` writes values as
JSON and reads them strictly; `number_fields` checks what people make, and `presented` is what
answers have for notebooks; `lambda_limits` has the platform's, and `host_check` how true the local
Lambda is to it.
"""
