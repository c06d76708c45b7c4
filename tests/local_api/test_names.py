"""Names and ARNs, whatever they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tuner.local.control_plane.api_error import ApiError
from tuner.local.control_plane.names import AccountRegion, Reference

ACCOUNT = AccountRegion("eu-west-1", "123456789012")
NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True).filter(
    lambda name: name not in ("function", "arn")
)
QUALIFIERS = st.none() | st.from_regex(r"[a-zA-Z0-9_-]{1,40}", fullmatch=True) | st.just("$LATEST")
PREFIXES = st.sampled_from(
    ["", "function:", "123456789012:function:", ACCOUNT.arn("")]
)  # fmt: skip


@given(NAMES, QUALIFIERS, PREFIXES)
def test_every_form_gives_name_and_qualifier(name: str, qualifier: str | None, prefix: str) -> None:
    """A name with any prefix and qualifier gives that name and that qualifier."""
    assume(not (prefix == "function:" and name.isdigit()))  # that is a function named "function"
    given_name = f"{prefix}{name}:{qualifier}" if qualifier else f"{prefix}{name}"
    assert ACCOUNT.resolve(given_name) == Reference(name, qualifier)
    assert ACCOUNT.resolve(f"{prefix}{name}", qualifier) == Reference(name, qualifier)


@pytest.mark.parametrize("prefix", ["", "function:", "123456789012:function:", ACCOUNT.arn("")])
@pytest.mark.parametrize("qualifier", ["2", "$LATEST"])
def test_a_function_may_be_named_function(prefix: str, qualifier: str) -> None:
    """The word of an ARN is a good name for a function: its versions are found in every form."""
    assert ACCOUNT.resolve(f"{prefix}function:{qualifier}") == Reference("function", qualifier)
    assert ACCOUNT.resolve(f"{prefix}function", qualifier) == Reference("function", qualifier)


@given(st.text(max_size=300) | st.text(st.sampled_from("arn:aws$LATEST12-_ "), max_size=60))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    """Whatever is given either names something plain or is refused in AWS's way."""
    try:
        found: Reference | ApiError = ACCOUNT.resolve(text)
    except ApiError as refused:
        found = refused
    if isinstance(found, ApiError):
        assert found.status in (400, 403, 404)
    else:
        assert re.fullmatch(r"[a-zA-Z0-9_.-]+", found.name)


def test_an_operation_on_the_whole_function_takes_no_qualifier() -> None:
    """A qualified name is refused where only the function as a whole makes sense."""
    with pytest.raises(ApiError, match="permitted on Lambda functions only"):
        ACCOUNT.resolve_unqualified("hello:1")
