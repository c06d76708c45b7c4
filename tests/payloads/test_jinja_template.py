"""Templates: seeded, bounded, and plain about what is wrong with them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.payloads.pythons import other_pythons
from tuner.errors import PayloadError
from tuner.payloads.jinja_template import TemplateEvents

ORDER = """{
  "id": "{{ id('o-') }}", "uuid": "{{ uuid() }}", "at": "{{ time(60) }}", "number": {{ index }},
  "customer": {{ fake.name() | tojson }}, "kind": "{{ choice('a', 'b', 'c') }}",
  "lines": [{% for line in range(number(1, 5)) %}{"sku": "{{ code(8) }}", "price": \
{{ number(1, 99, 2) }}}{{ "," if not loop.last }}{% endfor %}],
  "note": "{{ text(size('p50=200B,p99=2kB')) }}"
}"""


def events(source: str, **given: object) -> TemplateEvents:
    return TemplateEvents(source, file="order.j2", key="1/order", **given)


def test_one_seed_gives_the_same_bytes_and_each_index_others() -> None:
    """In any order of asking."""
    first, second = events(ORDER), events(ORDER)
    ahead = [first.body(index) for index in range(50)]
    assert [second.body(index) for index in reversed(range(50))] == ahead[::-1]
    assert len(set(ahead)) == 50
    assert first.digest == second.digest
    other = TemplateEvents(ORDER, file="order.j2", key="2/order")
    assert other.body(0) != ahead[0]
    assert other.digest != first.digest
    assert all(json.loads(body)["lines"] for body in ahead)


DIGEST = """
import hashlib, json, sys
from tuner.payloads.sampling import Draw
from tuner.payloads.schema import enlarged
from tuner.payloads.jinja_template import TemplateEvents
from tuner.payloads.schema_values import typical_value
from tuner.payloads.payload_class import make_class
from tuner.payloads.payload_set import ClassRecipe
from tuner.payloads.sampling import parse_distribution
from tuner.payloads.event_sources import SOURCES
digests = {}
template = TemplateEvents(sys.argv[1], file="order.j2", key="1/order")
schema, sizes = json.loads(sys.argv[2]), parse_distribution("p50=1kB,p99=20kB")
sources = {
    name: make_class(ClassRecipe(name, source=name, parameters={"batch_size": size}), seed=9)
    for name, size in ((each.name, min(3, each.max_batch)) for each in SOURCES.values())
}
for index in range(30):
    draw = Draw(1, index)
    made = typical_value(schema, draw, index=index)
    value = enlarged(schema, made, sizes.at(draw.uniform()), draw)
    made = {name: each.body_at(index) for name, each in sources.items()}
    made |= {"a template": template.body(index), "a schema": json.dumps(value).encode()}
    for name, body in made.items():
        digests.setdefault(name, hashlib.sha256()).update(body)
recipes = {name: each.sha256 for name, each in sources.items()} | {"a template": template.digest}
print(json.dumps([{name: each.hexdigest() for name, each in digests.items()}, recipes]))
"""
SCHEMA = json.dumps(
    {
        "type": "object",
        "required": ["at", "total", "text"],
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "total": {"type": "number", "minimum": 1, "maximum": 500},
            "kind": {"enum": ["a", "b"]},
            "text": {"type": "string"},
        },
    }
)


@pytest.mark.slow
def test_every_python_gives_the_same_digest() -> None:
    """Bytes depend on the seed, not on the interpreter: templates, schemas and every source."""
    pythons = other_pythons()
    if not pythons:
        pytest.skip("no other Python from 3.11 on is installed here")
    here = digests_by(sys.executable)
    for python in pythons:
        pairs = zip(here, digests_by(python), strict=True)
        differing = {name for mine, other in pairs for name in mine if other[name] != mine[name]}
        assert not differing, f"{python} makes other bytes of {sorted(differing)}"


def digests_by(python: str) -> list[dict[str, str]]:
    """Run by another interpreter with the pure Python packages of this one."""
    import faker

    root, packages = Path(__file__).parents[2], Path(faker.__file__).parents[1]
    ran = subprocess.run(
        [python, "-W", "ignore", "-c", DIGEST, ORDER, SCHEMA],
        env={"PYTHONPATH": os.pathsep.join([str(root), str(packages)]), "PYTHONHASHSEED": "random"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found: list[dict[str, str]] = json.loads(ran.stdout)
    return found


@pytest.mark.slow
def test_a_thousand_events_of_two_kilobytes_are_made_in_time() -> None:
    """Two seconds of CPU are allowed; a busy machine may take longer by the clock."""
    source = (
        '{"id": "{{ id() }}", "at": "{{ time() }}", "total": {{ number(1, 500, 2) }}, "who": '
        '{{ fake.name() | tojson }}, "lines": [{% for line in range(8) %}{"sku": "{{ code(8) }}", '
        '"count": {{ number(1, 9) }}}{{ "," if not loop.last }}{% endfor %}], '
        '"note": "{{ text(1600) }}"}'
    )
    made = events(source)
    start_s = time.process_time()
    sizes = [len(made.body(index)) for index in range(1000)]
    assert time.process_time() - start_s < 2
    assert min(sizes) > 1900


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('{"a":\n{{ hunter }}}', "order.j2, line 2: 'hunter' is undefined"),
        ("\n\n{% for %}", "order.j2, line 3: Expected an expression"),
        ("{{ [1, 2].nothing }}", "order.j2, line 1: 'list object' has no attribute 'nothing'"),
        ("{{ ''.__class__ }}", "order.j2, line 1: access to attribute '__class__'"),
        ("\n{{ 1 / 0 }}", r"order.j2, line 2: can't be made \(ZeroDivisionError\)"),
        ("{{ 'x' * 10**9 }}", "line 1: grows over Lambda's"),
        ("{{ 10 ** 99999 }}", "line 1: grows over Lambda's"),
        ("{{ '%9999999999d' % 1 }}", "line 1: grows over Lambda's"),
        ("{{ 'x'.ljust(10**9) }}", "line 1: access to attribute 'ljust'"),
        ("{{ 'x'.expandtabs(10**9) }}", "line 1: access to attribute 'expandtabs'"),
        ("{{ 'x'.encode().ljust(10**9) }}", "line 1: access to attribute 'ljust'"),
        ("{{ 'x'.encode().expandtabs(10**9) }}", "line 1: access to attribute 'expandtabs'"),
        ("{{ bytes(10**9) }}", "line 1: 'bytes' is undefined"),
        ("{{ range(10**8) }}", "line 1: grows over Lambda's"),
        ("{% set a = text(10**6) %}{% set b = a ~ a ~ a ~ a %}{{ b ~ b ~ b }}", "grows over"),
        ("{{ text(4000000) }}{{ text(4000000) }}", "an event is over 6 MB"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "grows over Lambda's"),
        ("{{ fake.date_this_year() }}", "fake.date_this_year depends on the clock"),
        ("{{ fake.seed(1) }}", "has no attribute 'seed'"),
        ("{{ choice([]) }}", "nothing to choose from"),
        ("{{ number(5, 1) }}", "no number lies between 5 and 1"),
        ("{{ size('huge') }}", "'huge' isn't a size"),
        ("{'a': hunter2}", "order.j2: the event at index 0 is not JSON: line 1, column 2"),
        ("", "is empty"),
    ],
)
def test_a_bad_template_says_what_is_wrong_and_where(source: str, says: str) -> None:
    """One line, and at once: nothing is made that could not be sent."""
    with pytest.raises(PayloadError, match=says) as caught:
        events(source).body(0)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "{% set r = range(90000) %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}",
        "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}",
        "{% macro m() %}{% set r = range(90000) %}{% for a in r %}{% for b in r %}{% endfor %}"  # noqa: ISC004 - one template
        "{% endfor %}{% endmacro %}{{ m() }}",
    ],
)
def test_an_endless_template_is_ended(source: str) -> None:
    """A loop that prints nothing and calls nothing is ended too, and the tracer is taken back."""
    before = sys.gettrace()
    with pytest.raises(PayloadError, match=r"order.j2.* takes over 0.2 s for one event"):
        events(source, most_s=0.2).body(0)
    assert sys.gettrace() is before


NESTED = "{% set n = namespace(a=[1] * 10, b=[1] * 10) %}{% for i in range(12) %}\
{% set n.a = [n.a] * 10 %}{% set n.b = [n.b] * 10 %}{% endfor %}"

HOARD = "{% set n = namespace(a=[]) %}{% for i in range(99) %}{% set n.a = n.a + ['x' * 6000000] \
%}{% endfor %}"


@pytest.mark.parametrize(
    ("source", "most_s", "says"),
    [
        pytest.param(
            NESTED + "{{ n.a == n.b }}",
            0.5,
            "takes over 0.5 s for one event",
            marks=pytest.mark.slow,  # the system counts CPU time in whole seconds
        ),
        (HOARD, 60, "grows over Lambda's"),  # CPU time that a busy machine does not use up first
    ],
)
def test_memory_and_time_are_limited_whatever_code_runs(
    source: str, most_s: float, says: str
) -> None:
    """Loops of C and lists of large texts are ended by the system; the next event is made again."""
    made = events(source, most_s=most_s)
    with pytest.raises(PayloadError, match=says) as caught:
        made.body(0)
    assert "template order.j2" in str(caught.value)
    assert events("[{{ index }}]").body(7) == b"[7]"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("\n{{ 1 | hunter }}", "order.j2, line 2: No filter named 'hunter'"),
        ("\n\n{{ 1 is hunter }}", "order.j2, line 3: No test named 'hunter'"),
        ("{{ 1 | random }}", "line 1: No filter named 'random'"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "order.j2: is nested too deep"),
        ("{% if 1 %}" * 300 + "{% endif %}" * 300, "order.j2: is nested too deep"),
        ("{{ " + "9" * 6000 + " }}", "a number in it is out of range"),
        ("{% include 'x' %}", "line 1: "),
        ("{% import 'x' as y %}", "line 1: "),
        ("{% extends 'x' %}", "line 1: "),
    ],
)
def test_what_jinja_cannot_compile_is_one_line(source: str, says: str) -> None:
    """It is told before an event is made, with the line where there is one."""
    with pytest.raises(PayloadError, match=says) as caught:
        events(source).body(0)
    assert "\n" not in str(caught.value)


def test_parameters_are_names_in_the_template() -> None:
    """One that nothing uses is told."""
    made = events('{"n": {{ count }}}', parameters={"count": 5, "other": 1})
    assert made.body(0) == b'{"n": 5}'
    assert made.unused_parameters == ("other",)


def test_digest_tells_recipes_apart() -> None:
    """Template, seed and parameters are all in it."""
    digests = {
        events(source, parameters=given).digest
        for source in ("{}", '{"a": {{ n }}}')
        for given in ({"n": 1}, {"n": 2})
    }
    assert len(digests) == 4
    assert all(len(each) == len(hashlib.sha256().hexdigest()) for each in digests)
