"""Infrastructure templates: functions' settings and the lines they are on.

`document` is a YAML or JSON file as a tree that knows its lines; `parameters` and `intrinsics`
resolve values. Read `sam` first: it walks a template, checks it against the `supported_properties`,
lets functions refer to its `resources` (`references`), and reads each with `function_properties`
and its local `artifacts`: the values in `template`. `memory_edit` finds the line that sets a
function's memory, and reads templates more loosely.
"""

from tuner.iac.memory_edit import MemoryEdit, memory_edit
from tuner.iac.sam import read_template
from tuner.iac.template import (
    IgnoredPart,
    Template,
    TemplateFunction,
    TemplateLayer,
    TemplateResource,
)

__all__ = [
    "IgnoredPart",
    "MemoryEdit",
    "Template",
    "TemplateFunction",
    "TemplateLayer",
    "TemplateResource",
    "memory_edit",
    "read_template",
]
