"""Infrastructure code: functions' settings, where they are written, and changes there.

`document` is a YAML or JSON file as a tree that knows its lines; `parameters` and `intrinsics`
resolve what a value comes to. To run functions, read `sam` first: it walks a template, holds it
against the `supported_properties`, lets functions refer to its `resources` (`references`), and
reads each with `function_properties` and its local `artifacts`: the values in `template`.
`event_mappings` says what is polled for them where they are deployed.

To change a function's memory, read `edit` first: a name comes in, an `Edit` goes out, checked by
reading the file again. `dialects` finds the files and their readers, one module a dialect:
`cloudformation` (with `memory_value` and `samconfig`), `terraform` (with `terraform_modules` and
`hcl`), `serverless`, `cdk_python` and `cdk_typescript` (with `cdk` and `typescript_code`), and
`chalice`. `parser` gives syntax trees. Each returns the values of `setting`; `yaml_edit` knows
where YAML writes a value and takes a new one.
"""

from tuner.iac.edit import Edit, Wanted, edit_memory
from tuner.iac.sam import read_template
from tuner.iac.template import (
    IgnoredPart,
    Template,
    TemplateFunction,
    TemplateLayer,
    TemplateResource,
)

__all__ = [
    "Edit",
    "IgnoredPart",
    "Template",
    "TemplateFunction",
    "TemplateLayer",
    "TemplateResource",
    "Wanted",
    "edit_memory",
    "read_template",
]
