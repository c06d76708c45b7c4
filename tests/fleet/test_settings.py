"""fleet.toml: everything in it is read, and anything wrong is named with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tuner.errors import InputError
from tuner.fleet.settings import read_settings
from tuner.model.fleet import RunWindow

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """
[functions."resize-*"]
payload = ["event.json", '{"n": 1}', "sqs"]
allow_side_effects = true
isolation = "clone"
[functions.legacy]
exclude = "is rewritten this month"
[accounts."111122223333"]
role = "arn:aws:iam::111122223333:role/tuner"
external_id = "x"
[accounts."444455556666"]
profile = "staging"
[side_effects]
tag = "tuner-side-effects=allowed"
[[windows]]
from = "22:00"
to = "05:00"
zone = "Europe/Berlin"
days = ["mon", "tue"]
"""


def settings_of(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "fleet.toml"
    file.write_text(text)
    return file


def test_everything_is_read(tmp_path: Path) -> None:
    """Functions by pattern, accounts, the tag and the hours are as they are written; files are by
    their whole path, so that a run from another folder finds them.
    """
    (tmp_path / "event.json").write_text("{}")
    settings = read_settings(settings_of(tmp_path, WHOLE))
    own = settings.of("resize-images")
    assert own.payloads == (str(tmp_path / "event.json"), '{"n": 1}', "sqs")
    assert (own.allows_side_effects, own.isolation) == (True, "clone")
    assert settings.of("legacy").exclude == "is rewritten this month"
    assert settings.of("other").payloads == ()
    assert settings.account("111122223333").external_id == "x"
    assert settings.account("444455556666").profile == "staging"
    assert settings.account("777788889999").profile is None
    assert settings.side_effects_tag == ("tuner-side-effects", "allowed")
    assert settings.windows == (RunWindow("22:00", "05:00", "Europe/Berlin", (0, 1)),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[functions.f]\npayloads = []", "functions.f.payloads isn't known here"),
        ("[functions.f]\npayload = 3", "functions.f.payload isn't a list of texts"),
        ("[functions.f]\nallow_side_effects = 1", "isn't true or false"),
        ("[functions.f]\nisolation = 'none'", "isolation is 'none'"),
        ("functions = 3", "functions isn't a table"),
        ("[accounts.prod]\nprofile = 'x'", "twelve digits"),
        ("[accounts.'111122223333']\nexternal_id = 'x'", "is for a role"),
        ("[side_effects]\ntag = 'x'", "write it as KEY=VALUE"),
        ("[windows]\nfrom = '1:00'", r"write \[\[windows\]\]"),
        ("[[windows]]\ndays = ['monday']", "isn't a day"),
        ("[[windows]]\nzone = 'Nowhere'", "isn't a time zone"),
        ("windws = []", "windws isn't known here"),
        ("[functions", "isn't TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    """Every mistake is one line with the file, the place and what to write."""
    file = settings_of(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        read_settings(file)
    assert str(caught.value).startswith(str(file))
