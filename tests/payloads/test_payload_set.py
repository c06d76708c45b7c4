"""Payload sets: classes, weights, and one clear line for what is wrong with them."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tuner.errors import PayloadError
from tuner.payloads import load_payloads
from tuner.payloads.corpus import summarize

if TYPE_CHECKING:
    from pathlib import Path

CLASSES: dict[str, Any] = {
    "fixed": {"file": "event.json", "weight": 3},
    "recorded": {"folder": "recorded"},
    "made": {"template": "event.j2", "parameters": {"most": 5}},
    "queued": {"source": "sqs", "template": "event.j2", "parameters": {"batch_size": 2, "most": 3}},
    "bare": {"source": "alb"},
    "shaped": {"schema": "event.schema.json", "size": "2kB"},
    "unused": {"file": "not-there.json", "weight": 0},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "event.json").write_text('{"a": 1}')
    (tmp_path / "event.j2").write_text('{"n": {{ number(1, most) }}, "id": "{{ id() }}"}')
    (tmp_path / "event.schema.json").write_text(
        '{"type": "object", "required": ["t"], "properties": {"t": {"type": "string"}}}'
    )
    (tmp_path / "recorded").mkdir()
    for number in range(5):
        (tmp_path / "recorded" / f"{number}.json").write_text(f'{{"r": {number}}}')
    return tmp_path


def written(folder: Path, classes: Any, name: str = "payloads.json", **more: Any) -> str:
    (folder / name).write_text(json.dumps({"classes": classes, **more}))
    return str(folder / name)


def test_a_set_names_and_weighs_its_classes(folder: Path) -> None:
    """Every kind of class; a weight of 0 leaves one out, unread."""
    loaded = load_payloads([written(folder, CLASSES)])
    assert [each.name for each in loaded] == [
        "fixed", "recorded", "made", "queued", "bare", "shaped",
    ]  # fmt: skip
    assert [each.weight for each in loaded] == [3, 1, 1, 1, 1, 1]
    by_name = {each.name: each for each in loaded}
    assert by_name["fixed"].body_at(7) == b'{"a": 1}'
    recorded = [by_name["recorded"].body_at(index) for index in range(10)]
    assert sorted(recorded[:5]) == [b'{"r": %d}' % number for number in range(5)]
    assert recorded[5:] == recorded[:5]
    assert len(json.loads(by_name["queued"].body)["Records"]) == 2
    assert 1950 <= len(by_name["shaped"].body) <= 2050
    assert all(len(each.sha256) == 64 for each in loaded)
    assert len({each.sha256 for each in loaded}) == 6


def test_toml_yaml_and_json_say_the_same(folder: Path) -> None:
    """The format is a matter of taste."""
    (folder / "set.toml").write_text(
        'seed = 4\n[classes.made]\ntemplate = "event.j2"\nweight = 2\nparameters = { most = 5 }\n'
    )
    classes = {"made": {"template": "event.j2", "weight": 2, "parameters": {"most": 5}}}
    (folder / "set.yaml").write_text(yaml.safe_dump({"seed": 4, "classes": classes}))
    paths = [str(folder / "set.toml"), str(folder / "set.yaml")]
    paths.append(written(folder, classes, "shop.payloads.json", seed=4))
    loaded = [load_payloads([path])[0] for path in paths]
    assert len({(each.name, each.weight, each.body, each.sha256) for each in loaded}) == 1


def test_a_sets_seed_is_its_own(folder: Path) -> None:
    """Else it is the run's."""
    classes = {"made": {"template": "event.j2", "parameters": {"most": 5}}}
    own, none = written(folder, classes, seed=4), written(folder, classes, "b.payloads.json")
    assert load_payloads([own], seed=1)[0].body == load_payloads([own], seed=2)[0].body
    assert load_payloads([none], seed=1)[0].body != load_payloads([none], seed=2)[0].body
    assert load_payloads([none], seed=4)[0].body == load_payloads([own])[0].body


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        ({}, "has no classes"),
        ([], "this must be a table"),
        ({"a": 5}, "class 'a': this must be a table"),
        ({"a": {}}, "class 'a': give one of file, folder, template, schema, or a source"),
        ({"a": {"file": "x", "folder": "y"}}, r"\(there are file and folder\)"),
        ({"a": {"fiel": "x"}}, "unknown key 'fiel'"),
        ({"a": {"file": 5}}, "file is a text"),
        ({"a": {"file": "event.json", "weight": -1}}, "the weight -1 is negative"),
        ({"a": {"file": "event.json", "weight": "many"}}, "the weight is not a number"),
        ({"a": {"file": "event.json", "weight": 0}}, "the weights are all 0"),
        ({"a": {"file": "nothing.json"}}, "nothing.json' of class 'a' is not there"),
        ({"a": {"file": "event.j2"}}, "event.j2' is not JSON: line 1"),
        ({"a": {"folder": "nowhere"}}, "nowhere' can't be read: No such file"),
        ({"a": {"template": "event.j2"}}, "event.j2, line 1: 'most' is undefined"),
        (
            {"a": {"template": "event.j2", "parameters": {"most": 5, "hue": 1}}},
            "class 'a': nothing uses the parameter 'hue'",
        ),
        ({"a": {"file": "event.json", "parameters": {"n": 5}}}, "nothing uses the parameter 'n'"),
        ({"a": {"file": "event.json", "size": "2kB"}}, "size goes with a schema"),
        ({"a": {"source": "sqs", "raw": True}}, "raw goes with a file or a folder"),
        ({"a": {"source": "mqtt"}}, "'mqtt' isn't an event source"),
    ],
)
def test_a_bad_set_says_what_is_wrong_and_where(folder: Path, classes: Any, says: str) -> None:
    """One line."""
    with pytest.raises(PayloadError, match=says) as caught:
        load_payloads([written(folder, classes)])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("outside", "allowed"),
    [
        ({"file": "../secret.json"}, b"{}"),
        ({"folder": "../elsewhere"}, b"[1]"),
        ({"file": "link.json"}, b"{}"),
        ({"folder": "links"}, b"{}"),
        ({"template": "../secret.json"}, b"{}"),
        ({"file": "../secret.json", "source": "sns"}, None),
    ],
)
def test_a_set_reads_nothing_outside_its_folder_unless_allowed(
    tmp_path: Path, outside: dict[str, str], allowed: bytes | None
) -> None:
    """A set may be somebody else's: links are followed before it is decided."""
    folder = tmp_path / "set"
    (folder / "links").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "secret.json").write_text("{}")
    (tmp_path / "elsewhere" / "1.json").write_text("[1]")
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    (folder / "links" / "1.json").symlink_to(tmp_path / "secret.json")
    written_set = written(folder, {"a": outside})
    with pytest.raises(PayloadError, match=r"outside .*`allow_outside=True`"):
        load_payloads([written_set])
    [payload] = load_payloads([written_set], allow_outside=True)
    assert allowed in (payload.body, None)


def test_a_folder_reads_no_link_to_elsewhere_unless_allowed(tmp_path: Path) -> None:
    """Not where it is named on the command line either: its files came with it."""
    (tmp_path / "events").mkdir()
    (tmp_path / "secret.json").write_text("{}")
    (tmp_path / "events" / "1.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(PayloadError, match="a link to outside its folder"):
        load_payloads([str(tmp_path / "events")])
    assert load_payloads([str(tmp_path / "events")], allow_outside=True)[0].body == b"{}"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.toml", "[classes", "is not valid TOML"),
        ("a.yaml", "classes:\n  a: [\n", "line 3"),
        ("payloads.json", '{"classes":\n', "line 2"),
        ("a.toml", "seed = -1\n[classes.a]\nfile='x'", "seed must be a whole number"),
        ("a.toml", "sede = 1\n[classes.a]\nfile='x'", "unknown key 'sede'"),
    ],
)
def test_a_set_that_cannot_be_read_says_where(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    """One line, with the line in the file where its format has one."""
    (tmp_path / name).write_text(text)
    with pytest.raises(PayloadError, match=says) as caught:
        load_payloads([str(tmp_path / name)])
    assert "\n" not in str(caught.value)


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(30))
DIGITS = "9" * 6000


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.yaml", BOMB, r"line 2: the alias \*a0 is not supported"),
        ("a.yaml", "[" * 5000 + "]" * 5000, "nested deeper than 60|nesting depth"),
        ("payloads.json", "[" * 100_000, "nested too deeply, or a number in it is out of range"),
        ("a.toml", "a = " + "[" * 5000 + "]" * 5000, "nested too deep|TOML"),
        ("a.toml", f"seed = {DIGITS}", "nested too deeply, or a number in it is out of range"),
        ("payloads.json", f'{{"seed": {DIGITS}}}', "a number in it is out of range"),
        ("a.yaml", f"seed: {DIGITS}", "a number in it is out of range"),
        ("a.yaml", "seed: 2026-99-99", "out of range"),
        ("a.yaml", "a: \x07", "control characters"),
        ("a.yaml", "? [a, b]\n: 1", "line 1"),
        ("a.toml", b"\xff", r"not UTF-8 \(at byte 0\)"),
        ("payloads.json", json.dumps({"classes": {f"c{n}": 1 for n in range(20_000)}}),
         "has 20,000 classes, over 1,000"),
    ],
)  # fmt: skip
def test_a_hostile_set_is_one_line_and_at_once(
    tmp_path: Path, name: str, text: str | bytes, says: str
) -> None:
    """Aliases, depth, digits and numbers of classes are limited, whatever the format."""
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(PayloadError, match=says) as caught:
        load_payloads([str(tmp_path / name)])
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_what_is_not_json_is_sent_where_it_is_meant(folder: Path) -> None:
    """Raw bodies go as they are."""
    (folder / "event.bin").write_bytes(b"\xef\xbb\xbfnot json\xff")
    [raw] = load_payloads([written(folder, {"a": {"file": "event.bin", "raw": True}})])
    assert raw.body == b"\xef\xbb\xbfnot json\xff"
    [raw] = load_payloads([str(folder / "event.bin")], raw=True)
    assert raw.body == b"\xef\xbb\xbfnot json\xff"


@pytest.mark.slow
def test_ten_thousand_recorded_events_are_held_by_name_only(tmp_path: Path) -> None:
    """Their contents are read when they are sent."""
    for number in range(10_000):
        (tmp_path / f"event-{number:05d}.json").write_bytes(b'{"n": "%s"}' % (b"x" * 2000))
    tracemalloc.start()
    try:
        [recorded] = load_payloads([str(tmp_path)])
        assert recorded.body_at(9_999).startswith(b'{"n"')
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 10 * 1024 * 1024


def test_a_recorded_event_over_the_limit_is_told_before_the_first_call(tmp_path: Path) -> None:
    """Sizes are looked at when the folder is listed."""
    (tmp_path / "a.json").write_text("{}")
    with (tmp_path / "b.json").open("wb") as file:
        file.truncate(6 * 1024 * 1024 + 10)
    with pytest.raises(PayloadError, match=r"b\.json' is over 6 MB"):
        load_payloads([str(tmp_path)])


@pytest.mark.parametrize(
    ("event", "shape"),
    [
        ('{"Records": [1, 2], "token": "hunter2"}', "{Records[2], token}"),
        ('{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}', "{a, b, c, d, …}"),
        ("{}", "{}"),
        ("[1, 2, 3]", "[3]"),
        ('"hunter2"', "text"),
        ("5", "number"),
        ("true", "true or false"),
        ("null", "null"),
    ],
)
def test_a_shape_tells_names_and_never_a_value(event: str, shape: str) -> None:
    """What is in an event stays in it."""
    [found] = summarize(load_payloads([event]), 1)
    assert found.shape == shape
