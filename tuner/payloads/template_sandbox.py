"""Jinja2's sandbox and Faker, without unbounded growth, the clock or unseeded values."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, StrictUndefined, nodes
from jinja2.runtime import Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from tuner.errors import PayloadError
from tuner.model.lambda_limits import MAX_SYNC_PAYLOAD_BYTES
from tuner.model.optional_import import optional_import

if TYPE_CHECKING:
    from tuner.payloads.sampling import Draw

_UNSEEDED_OR_WIDE_FILTERS: Final = (
    "random", "center", "indent", "format", "replace", "wordwrap", "urlize", "xmlattr", "pprint",
    "batch", "slice",
)  # fmt: skip
_WIDE_METHODS: Final = frozenset(
    {"ljust", "rjust", "center", "zfill", "expandtabs", "replace", "format", "format_map",
     "translate", "join"}
)  # fmt: skip
_KEPT_GLOBALS: Final = ("range", "dict", "namespace")
_MOST: Final = MAX_SYNC_PAYLOAD_BYTES
_MOST_BITS: Final = 4096
_NOT_REPRODUCIBLE: Final = frozenset(
    {"profile", "simple_profile", "credit_card_expire", "credit_card_full", "passport_dob",
     "passport_dates", "passport_full", "zip", "tar", "image"}
)  # fmt: skip
_NOT_VALUES: Final = frozenset({"add_provider", "provider", "providers", "parse", "format"})


class _Joins(NodeTransformer):
    """`a ~ b` goes through a function that checks the size."""

    def visit_Concat(self, node: Any) -> Any:  # noqa: N802 - the visitor's name for it
        self.generic_visit(node)
        joined = nodes.Name("joined_", "load", lineno=node.lineno)
        return nodes.Call(joined, node.nodes, [], None, None, lineno=node.lineno)


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, checking how large a value may grow."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def _generate(self, source: Any, *args: Any, **named: Any) -> Any:
        return super()._generate(_Joins().visit(source), *args, **named)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        wide = isinstance(obj, str | bytes) and attr in _WIDE_METHODS
        return not wide and super().is_safe_attribute(obj, attr, value)

    def call(self, context: Any, function: Any, /, *args: Any, **named: Any) -> Any:
        """Call without the deadline's tracing: what is passed in ends by itself."""
        if isinstance(function, Macro):
            return super().call(context, function, *args, **named)
        trace = sys.gettrace()
        sys.settrace(None)
        try:
            return super().call(context, function, *args, **named)
        finally:
            sys.settrace(trace)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        _check_growth(operator, left, right)
        return super().call_binop(context, operator, left, right)


def new_environment() -> Environment:
    """Return an environment for templates of one event each."""
    environment = _Environment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False
    )
    for name in _UNSEEDED_OR_WIDE_FILTERS:
        environment.filters.pop(name, None)
    environment.filters["tojson"] = _to_json  # the template's own marks < > & as for HTML
    kept = {name: environment.globals[name] for name in _KEPT_GLOBALS}
    environment.globals = {**kept, "joined_": _joined}
    return environment


def _check_growth(operator: str, left: Any, right: Any) -> None:
    """Refuse what would make more than an event may have."""
    sized = [len(each) for each in (left, right) if hasattr(each, "__len__")]
    whole = [each for each in (left, right) if isinstance(each, int)]
    too_much = {
        "%": isinstance(left, str),  # a width in it could make any length
        "+": sum(sized) > _MOST,
        "*": bool(sized and whole and sized[0] * whole[0] > _MOST)
        or (len(whole) == 2 and sum(map(int.bit_length, whole)) > _MOST_BITS),
        "**": len(whole) == 2 and whole[0].bit_length() * whole[1] > _MOST_BITS,
    }
    if too_much[operator]:
        raise OverflowError


def _joined(*parts: Any) -> str:
    texts = [str(part) for part in parts]
    if sum(map(len, texts)) > _MOST:
        raise OverflowError
    return "".join(texts)


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


class Fake:
    """Faker's values for one locale, drawn anew for each event."""

    def __init__(self) -> None:
        """Load Faker. Raises PayloadError without it."""
        need = "templates with `fake` need faker"
        with optional_import(need, "faker", extra="payloads", error=PayloadError):
            import faker  # noqa: PLC0415 - an extra, and half a second
            from faker.providers import date_time  # noqa: PLC0415 - as above
        self._generator: Any = faker.Factory.create("en_US")
        self._clocked = _NOT_REPRODUCIBLE | {
            name for name in vars(date_time.Provider) if not name.startswith("_")
        }

    def seeded(self, draw: Draw) -> Fake:
        """Begin the draws of an event."""
        self._generator.seed_instance(draw.random.getrandbits(64))
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "seed")) or name in _NOT_VALUES:
            raise AttributeError(name)
        if name in self._clocked:
            raise PayloadError(
                f"fake.{name} depends on the clock, so no seed can repeat it: use time()"
            )
        return getattr(self._generator, name)
