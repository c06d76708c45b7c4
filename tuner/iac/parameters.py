"""A template's parameters: their defaults, what was given for them, and what they allow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final, NoReturn

from tuner.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.iac.document import TemplateNode

MAX_VALUE: Final = 4096
"""Characters: CloudFormation's limit."""
_FROM_STORE: Final = "AWS::SSM::Parameter::Value<"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. Its value is checked only when something refers to it."""

    name: str
    key: TemplateNode
    nodes: Mapping[str, TemplateNode]
    given: str | None

    def value(self, asked: TemplateNode) -> str | tuple[str, ...]:
        """Return what was given, else the default; lists as lists.

        Raises TemplateError, with the node that refers to it if there is no value, and with its own
        if the value isn't allowed. The message never has the value.
        """
        kind = self.text("Type") or "String"
        if self.given is None and kind.startswith(_FROM_STORE):
            asked.refuse(
                f"the parameter {self.name} is read from Parameter Store, which needs an account: "
                f"give its value with `template_parameters={self.name}=VALUE`"
            )
        text = self.given if self.given is not None else self.text("Default")
        if text is None:
            asked.refuse(
                f"the parameter {self.name} has no Default: give "
                f"`template_parameters={self.name}=VALUE`"
            )
        kind = kind.removeprefix(_FROM_STORE).removesuffix(">" if _FROM_STORE in kind else "")
        if self.given is None and kind == "Number":
            self.nodes["Default"].refuse_octal(f"the Default of the parameter {self.name}")
        if not (kind.startswith("List<") or kind == "CommaDelimitedList"):
            self._check(text, kind)
            return text
        parts = tuple(part.strip() for part in text.split(","))
        for part in parts:
            self._check(part, kind.removeprefix("List<").removesuffix(">"))
        return parts

    def _check(self, text: str, kind: str) -> None:
        if len(text) > MAX_VALUE:
            self._refuse(f"is over {MAX_VALUE} characters")
        allowed = self.nodes.get("AllowedValues")
        if allowed is not None:
            values = [item.text("AllowedValues") for item in allowed.items("AllowedValues")]
            if text not in values:
                self._refuse(f"must be one of {', '.join(values)}")
        pattern = self.text("AllowedPattern")
        if pattern is not None and not self._matches(pattern, text):
            self._refuse(f"must match the pattern {pattern}")
        self._check_bounds(Decimal(len(text)), "MinLength", "MaxLength", "characters")
        if kind == "Number":
            self._check_bounds(self._number(text), "MinValue", "MaxValue", "")

    def _matches(self, pattern: str, text: str) -> bool:
        try:
            return re.fullmatch(pattern, text) is not None
        except re.error:
            self.nodes["AllowedPattern"].refuse("AllowedPattern isn't a regular expression")

    def _number(self, text: str) -> Decimal:
        try:
            number = Decimal(text)
        except InvalidOperation:
            self._refuse("must be a number")
        if not number.is_finite():
            self._refuse("must be a number")
        return number

    def _check_bounds(self, size: Decimal, least: str, most: str, unit: str) -> None:
        low, high = self.text(least), self.text(most)
        if low is not None and size < self._number(low):
            self._refuse(f"must have at least {low} {unit}".rstrip())
        if high is not None and size > self._number(high):
            self._refuse(f"must have at most {high} {unit}".rstrip())

    def text(self, name: str) -> str | None:
        """One of its settings, such as its Type; None if it has none."""
        return self.nodes[name].text(name) if name in self.nodes else None

    def _refuse(self, why: str) -> NoReturn:
        self.key.refuse(f"the value of the parameter {self.name} {why}")


def read_parameters(section: TemplateNode | None, given: Mapping[str, str]) -> dict[str, Parameter]:
    """Return the parameters by name; TemplateError for one given but not declared."""
    entries = {} if section is None else section.entries("Parameters")
    for name in given:
        if name not in entries:
            known = f"it has {', '.join(entries)}" if entries else "it has none"
            where = f"{section.path}: " if section is not None else ""
            raise TemplateError(f"{where}there is no parameter {name} in the template: {known}")
    return {
        name: Parameter(
            name,
            key,
            value.values(f"parameter {name}"),
            given.get(name),
        )
        for name, (key, value) in entries.items()
    }
