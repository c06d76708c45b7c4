"""What `${Name}` in a state machine's definition stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.iac.document import TemplateNode

_PLACEHOLDER: Final = re.compile(r"\$\{([^${}]*)\}")
_QUALIFIER: Final = re.compile(r":(?:\$LATEST|(?:[\w-]|\$\{[^${}]*\})*)$")
_UNKNOWN_QUALIFIER: Final = re.compile(r":\$\{[^${}]*\}$")
_PSEUDO: Final = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "000000000000",
    "AWS::URLSuffix": "amazonaws.com",
}
"""What is in a function's ARN beside its name."""


@dataclass(frozen=True, slots=True)
class Substitutions:
    """What a definition's `${Name}` stand for, and which functions states call that only the input
    of an execution names, by the state's name.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)
    declared: Mapping[str, str] = field(default_factory=dict)
    """What the template says that names stand for; `values` count more."""
    unresolved: Mapping[str, str] = field(default_factory=dict)
    """Why the template doesn't say what a name stands for."""
    template: str = ""
    """Where the state machine is declared, if a template is known."""

    def refusal(self, name: str, what: str, value: str) -> str:
        """The message for a name that nothing is known of; `value` is what it should be."""
        if name in self.unresolved:
            return (
                f"{what} refers to ${{{name}}}: give `substitution={name}={value}` "
                f"({self.unresolved[name]})"
            )
        if self.template:
            return (
                f"{what} refers to ${{{name}}}, which {self.template} doesn't say: give "
                f"`substitution={name}={value}`"
            )
        return (
            f"{what} refers to ${{{name}}}: give the `template` whose DefinitionSubstitutions say "
            f"what that is, or `substitution={name}={value}`"
        )

    def text(self, node: TemplateNode, written: str, what: str, value: str = "FUNCTION") -> str:
        """Return `written` with its `${Name}` replaced; `value` is what one stands for.

        Raises TemplateError at `node` for one that nothing is known of.
        """

        def replaced(match: re.Match[str]) -> str:
            name = match[1]
            found = {**_PSEUDO, **self.declared, **self.values}.get(name)
            if found is None:
                node.refuse(self.refusal(name, what, value))
            return found

        return _PLACEHOLDER.sub(replaced, written)

    def is_named(self, written: str) -> bool:
        """Whether all of it is one placeholder whose value was given, not declared."""
        match = _PLACEHOLDER.fullmatch(written)
        return match is not None and match[1] in self.values

    def name(self, node: TemplateNode, written: str, what: str) -> str:
        """The same of a function's name or ARN, of which only the name has to be known."""
        start, mark, rest = written.partition(":function:")
        if mark and start.startswith("arn:") and ":lambda:" in start:
            written = f"arn:aws:lambda:::function:{_QUALIFIER.sub('', rest)}"
        elif not written.startswith("arn:"):
            written = _UNKNOWN_QUALIFIER.sub("", written)
        return self.text(node, written, what)
