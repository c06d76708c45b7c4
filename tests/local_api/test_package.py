"""Deployment packages: what is kept, what is refused, and that folders pack alike."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import os
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.local_api.conftest import make_zip
from tuner.errors import LocalError
from tuner.local.control_plane import package
from tuner.local.control_plane.api_error import ApiError
from tuner.local.control_plane.package import CodeStore, Uploads, package_of, zip_folder


def archive(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members:
            made.writestr(name, content)
    return buffer.getvalue()


def symlink(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


def test_a_package_that_is_no_base64_is_refused(tmp_path: Path) -> None:
    """Neither what no base64 has, nor what isn't ASCII at all, is a failure of the endpoint."""
    for text in ("?", "é"):
        with pytest.raises(ApiError, match="not base64"):
            Uploads(CodeStore(tmp_path), None).read({"ZipFile": text})


def test_a_package_is_kept_by_its_hash(tmp_path: Path) -> None:
    """The folder has the files, executable where the ZIP says so; the same bytes are kept once."""
    script = zipfile.ZipInfo("bin/run")
    script.external_attr = (stat.S_IFREG | 0o755) << 16
    sent = archive(("handler.py", b"x = 1"), (script, b"#!/bin/sh"), ("deep/er/a.txt", b""))
    store = CodeStore(tmp_path)
    code = store.add(sent)
    assert code.sha256 == base64.b64encode(hashlib.sha256(sent).digest()).decode()
    assert (code.folder / "handler.py").read_bytes() == b"x = 1"
    assert os.access(code.folder / "bin/run", os.X_OK)
    assert code.zip_path.read_bytes() == sent
    assert store.add(sent) is code
    assert store.find(code.zip_path.stem) is code


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"no zip", "unzip"),
        (b"", "unzip"),
        (archive(), "non-empty"),
        (archive(("../evil.py", b"x")), "leads out"),
        (archive(("/etc/evil", b"x")), "leads out"),
        (archive(("a/../../evil", b"x")), "leads out"),
        (archive((symlink("link"), b"/etc/passwd")), "symbolic link"),
        (archive(("a", b"x"), ("a/b", b"y")), "same name"),
        (archive((f"a/{'ü' * 128}.py", b"x")), "too long"),
        (make_zip()[:-30], "unzip"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_refused_leaves_nothing(tmp_path: Path, sent: bytes, words: str) -> None:
    """Packages that are broken, empty, or lead out of themselves write no file anywhere."""
    store = CodeStore(tmp_path / "store")
    with pytest.raises(ApiError, match=words):
        store.add(sent)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_disk_or_file_that_fails_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room a package is not kept, and no folder packed whose file can't be read."""

    def fail(path: Path, *_: object) -> bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    with pytest.raises(LocalError, match="No space left"):
        CodeStore(tmp_path / "store").add(make_zip())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "handler.py").touch()
    monkeypatch.setattr("pathlib.Path.read_bytes", fail)
    for path in (tmp_path / "code", tmp_path / "code" / "handler.py"):
        with pytest.raises(LocalError, match=r"handler\.py: it can't be read"):
            package_of(path)


def test_a_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What unpacks to more than the limit is refused, even where the ZIP lies about sizes."""
    monkeypatch.setattr(package, "MAX_UNZIPPED_BYTES", 10_000)
    bomb = archive(("zeros", bytes(50_000)))
    with pytest.raises(ApiError, match="Unzipped size"):
        CodeStore(tmp_path / "honest").add(bomb)
    lying = bomb.replace((50_000).to_bytes(4, "little"), (500).to_bytes(4, "little"))
    assert lying != bomb
    with pytest.raises(ApiError):
        CodeStore(tmp_path / "lying").add(lying)
    assert sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) == 0


def test_a_zip_over_50_mb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The zipped limit is checked before anything is unpacked."""
    monkeypatch.setattr(package, "MAX_ZIPPED_BYTES", 10)
    with pytest.raises(ApiError, match="smaller than 10 bytes"):
        CodeStore(tmp_path).add(make_zip())


def test_of_a_file_and_a_folder_of_one_name_the_later_layer_s_is_kept(tmp_path: Path) -> None:
    """Whichever of them comes first, with what is beside them."""
    store = CodeStore(tmp_path)
    file = store.add(archive(("python/x", b"file"), ("python/y", b"1")))
    folder = store.add(archive(("python/x/a", b"a"), ("python/z", b"2")))
    over = store.lay((file, folder))
    assert {path.name for path in over.rglob("*")} == {"python", "x", "a", "y", "z"}
    assert (store.lay((folder, file)) / "python/x").read_bytes() == b"file"


def test_a_folder_packs_to_the_same_bytes(tmp_path: Path) -> None:
    """Neither times nor compiled files nor the order of creation change the package."""
    packed = []
    for place, names in (("one", ["a.py", "b.py"]), ("two", ["b.py", "a.py"])):
        folder = tmp_path / place
        (folder / "__pycache__").mkdir(parents=True)
        (folder / "__pycache__" / "a.pyc").write_bytes(place.encode())
        for name in names:
            (folder / name).write_text(f"# {name}")
            os.utime(folder / name, (len(place), 10**9 + len(packed)))
        packed.append(zip_folder(folder))
    assert packed[0] == packed[1]
    with zipfile.ZipFile(io.BytesIO(packed[0])) as made:
        assert made.namelist() == ["a.py", "b.py"]


def test_folders_that_cannot_be_packed(tmp_path: Path) -> None:
    """A missing or empty folder, and a link out of it, are one clear error each."""
    with pytest.raises(LocalError, match="no such code folder"):
        zip_folder(tmp_path / "absent")
    (tmp_path / "code").mkdir()
    with pytest.raises(LocalError, match="no code"):
        zip_folder(tmp_path / "code")
    (tmp_path / "secret").write_text("x")
    (tmp_path / "code" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(LocalError, match="links out"):
        zip_folder(tmp_path / "code")
    (tmp_path / "code" / "link").unlink()
    Path(os.fsdecode(bytes(tmp_path / "code") + b"/\xfc.py")).touch()
    with pytest.raises(LocalError, match=r"\\udcfc\.py': its name isn't UTF-8"):
        zip_folder(tmp_path / "code")


NAMES = st.text(st.sampled_from("ab/.\\ ~:é"), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, st.binary(max_size=20), min_size=1, max_size=4))
def test_no_name_leads_out(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    """Whatever a ZIP's names are, nothing is written outside the store's folder."""
    top = tmp_path_factory.mktemp("top")
    store = CodeStore(top / "store")
    sent = archive(*files.items())
    try:
        code = store.add(sent)
    except ApiError:
        code = None
    outside = [p for p in top.rglob("*") if p.is_file() and not p.is_relative_to(top / "store")]
    assert outside == []
    if code is not None:
        assert all(p.resolve().is_relative_to(code.folder) for p in code.folder.rglob("*"))
