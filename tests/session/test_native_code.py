"""Which packages can't run on an architecture: by the ELF headers of their files."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.errors import InputError
from tuner.model.function import LayerCode
from tuner.session.native_code import foreign_code, foreign_layers

if TYPE_CHECKING:
    from collections.abc import Mapping

X86, ARM, PPC = 62, 183, 21


def elf(machine: int, *, big: bool = False) -> bytes:
    """The beginning of a 64-bit ELF file."""
    order: Any = "big" if big else "little"
    ident = b"\x7fELF\x02" + (b"\x02" if big else b"\x01") + bytes(10)
    return ident + (3).to_bytes(2, order) + machine.to_bytes(2, order) + bytes(44)


def packed(files: Mapping[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def test_foreign_files_are_named_whatever_they_are_called() -> None:
    """Extensions, add-ons, libraries and a bootstrap, each by its header; the rest isn't looked
    at: text, other systems' binaries, and what is too short.
    """
    package = packed(
        {
            "handler.py": b"print()",
            "lib/_x.cpython-313-x86_64-linux-gnu.so": elf(X86),
            "node_modules/a/build/a.node": elf(X86),
            "bootstrap": elf(X86),
            "ours.so": elf(ARM),
            "mac.dylib": b"\xcf\xfa\xed\xfe" + bytes(60),
            "power.so": elf(PPC, big=True),
            "torn": b"\x7fELF\x02\x01",
            "empty": b"",
        }
    )
    assert foreign_code(package, "arm64") == (
        "bootstrap",
        "lib/_x.cpython-313-x86_64-linux-gnu.so",
        "node_modules/a/build/a.node",
    )
    assert foreign_code(package, "x86_64") == ("ours.so",)


def test_packages_for_both_run_on_both() -> None:
    """A file with a counterpart that differs in the architecture's name alone isn't foreign."""
    package = packed(
        {
            "prebuilds/linux-x64/a.node": elf(X86),
            "prebuilds/linux-arm64/a.node": elf(ARM),
            "x.cpython-313-x86_64-linux-gnu.so": elf(X86),
            "x.cpython-313-aarch64-linux-gnu.so": elf(ARM),
            "y.cpython-313-x86_64-linux-gnu.so": elf(X86),
        }
    )
    assert foreign_code(package, "arm64") == ("y.cpython-313-x86_64-linux-gnu.so",)
    assert foreign_code(package, "x86_64") == ()


def test_archives_in_a_package_are_looked_into_once() -> None:
    """A JAR's libraries count; a damaged archive in it says nothing."""
    jar = packed({"native/x86_64/libs.so": elf(X86), "native/aarch64/libs.so": elf(ARM)})
    alone = packed({"native/linux/libt.so": elf(X86)})
    package = packed({"lib/both.jar": jar, "lib/alone.jar": alone, "lib/torn.jar": b"PK\x03\x04x"})
    assert foreign_code(package, "arm64") == ("lib/alone.jar/native/linux/libt.so",)


def test_a_file_that_cant_be_unpacked_is_a_damaged_archive() -> None:
    """A directory that can be read says nothing of the bytes: refused, or nothing within a JAR."""
    good = packed({"native/libs.so": elf(X86)})
    begin = good.index(b"libs.so") + len("libs.so")
    torn = good[:begin] + bytes([0xFF] * 4) + good[begin + 4 :]
    with pytest.raises(InputError, match="isn't a ZIP"):
        foreign_code(torn, "arm64")
    assert foreign_code(packed({"lib/torn.jar": torn}), "arm64") == ()


def test_what_is_no_zip_is_refused() -> None:
    """With one line, not a traceback."""
    with pytest.raises(InputError, match="isn't a ZIP"):
        foreign_code(b"PK\x03\x04 and so on", "arm64")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    """Nothing but InputError comes out."""
    with suppress(InputError):
        assert foreign_code(data, "arm64") == ()


@settings(max_examples=25)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}\.so", fullmatch=True), st.sampled_from([X86, ARM, PPC])
    )
)
def test_names_without_an_architecture_are_judged_by_their_machine(files: dict[str, int]) -> None:
    """Exactly the x86_64 files are foreign on arm64, and the arm64 ones on x86_64."""
    package = packed({name: elf(machine) for name, machine in files.items()})
    for kind, foreign in (("arm64", X86), ("x86_64", ARM)):
        expected = tuple(sorted(name for name, machine in files.items() if machine == foreign))
        assert foreign_code(package, kind) == expected  # type: ignore[arg-type]


def test_layers_are_refused_by_file_or_by_what_they_say() -> None:
    """Native code counts, unless a build brings its own; an extension's always does; a layer that
    can't be read is taken at its word, and else told.
    """
    native = LayerCode("arn:l:1", (), packed({"python/x.so": elf(X86)}))
    extension = LayerCode("arn:l:2", (), packed({"extensions/agent": elf(X86)}))
    unread = LayerCode("arn:l:3", ("x86_64",))
    silent = LayerCode("arn:l:4")
    plain = LayerCode("arn:l:5", ("x86_64",), packed({"python/x.py": b""}))
    fine = LayerCode("arn:l:6", ("x86_64", "arm64"), packed({"python/x.so": elf(ARM)}))

    def told(layer: LayerCode, *, has_build: bool = False) -> list[str]:
        found = foreign_layers("f", [layer], "arm64", has_build=has_build)
        return [each.message for each in found]

    with pytest.raises(InputError, match=r"arn:l:1 has native code.*python/x\.so"):
        told(native)
    assert "which the build replaces" in told(native, has_build=True)[0]
    for has_build in (False, True):
        with pytest.raises(InputError, match="extensions/agent"):
            told(extension, has_build=has_build)
    with pytest.raises(InputError, match=r"arn:l:3.*isn't for it"):
        told(unread)
    assert "couldn't be read" in told(silent)[0]
    assert "no native code" in told(plain)[0]
    assert told(fine) == []
