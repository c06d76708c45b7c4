"""Infrastructure templates: a function's settings and the line they stand on."""

from tuner.iac.sam import read_template
from tuner.iac.template import Template, TemplateFunction, TemplateLayer

__all__ = ["Template", "TemplateFunction", "TemplateLayer", "read_template"]
