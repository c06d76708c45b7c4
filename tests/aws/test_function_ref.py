"""What a user may call a function."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.aws.function_ref import FunctionRef, parse_reference
from tuner.errors import InputError

_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
names = st.text(_WORD, min_size=1, max_size=64)
qualifiers = st.none() | st.just("$LATEST") | st.text(_WORD, min_size=1, max_size=128)


@given(
    name=names,
    qualifier=qualifiers,
    place=st.sampled_from(
        [
            ("aws", "eu-west-1"),
            ("aws-cn", "cn-north-1"),
            ("aws-us-gov", "us-gov-west-1"),
            ("aws-iso-b", "us-isob-east-1"),
            ("aws-eusc", "eusc-de-east-1"),
        ]
    ),
)
def test_arn_round_trip(name: str, qualifier: str | None, place: tuple[str, str]) -> None:
    """Every part of a full ARN is found again, and the request's name is the ARN without it."""
    partition, region = place
    arn = f"arn:{partition}:lambda:{region}:123456789012:function:{name}"
    reference = parse_reference(arn if qualifier is None else f"{arn}:{qualifier}")
    assert reference == FunctionRef(name, qualifier, region, "123456789012", partition)
    assert reference.target == arn


@given(name=names.filter(lambda name: name != "function"), qualifier=qualifiers)
def test_name_round_trip(name: str, qualifier: str | None) -> None:
    """A name, qualified or not, is its own target and belongs to no region or account."""
    reference = parse_reference(name if qualifier is None else f"{name}:{qualifier}")
    assert reference == FunctionRef(name, qualifier)
    assert reference.target == name


def test_partial_arn_keeps_its_account() -> None:
    """A partial ARN goes out with its account: the bare name could be another function."""
    reference = parse_reference("123456789012:function:resize:live")
    assert reference == FunctionRef("resize", "live", None, "123456789012")
    assert reference.target == "123456789012:function:resize"


def test_account_stays_out_of_the_repr() -> None:
    """A reference that is logged does not tell the account."""
    assert "123456789012" not in repr(parse_reference("123456789012:function:resize"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "two words",
        "a" * 65,
        "name:",
        "name:live:2",
        "../../2015-03-31/functions",
        "arn:aws:s3:::bucket",
        "arn:aws:lambda:eu-west-1:123456789012:layer:tools:3",
        "arn:aws:lambda:eu-west-1:12345:function:name",
        "arn:aws:lambda::123456789012:function:name",
        "name\n",
        "https://eu-west-1.console.aws.amazon.com/lambda/home#/functions/name",
    ],
)
def test_other_text_is_refused_in_one_line(text: str) -> None:
    """What is neither a name nor an ARN is refused by one line that shows it and the right form."""
    with pytest.raises(InputError, match="is not the name or ARN") as caught:
        parse_reference(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300
