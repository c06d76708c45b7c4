"""Infrastructure templates: a function's settings and the line they stand on."""

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
