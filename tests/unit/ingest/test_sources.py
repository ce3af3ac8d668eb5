from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from tsq.errors import TsqError
from tsq.ingest.sources import Parquet, Refused, Text, from_bytes, read_sources


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return out.getvalue()


def only(path: Path) -> object:
    (source,) = read_sources([path])
    return source


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r\r\n", b"\r"])
def test_every_line_end_becomes_one(end: bytes) -> None:
    source = from_bytes("a.csv", end.join([b"A,B", b"1,2", b""]))
    assert isinstance(source, Text)
    assert source.body == b"A,B\n1,2\n"
    assert source.ends_whole


def test_a_missing_last_line_end_is_remembered() -> None:
    source = from_bytes("a.csv", b"A,B\n1,2")
    assert isinstance(source, Text)
    assert source.body == b"A,B\n1,2\n"
    assert not source.ends_whole


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str) -> None:
    source = from_bytes("a.csv", "name\nCafé\n".encode(encoding))
    assert isinstance(source, Text)
    assert source.body.decode() == "name\nCafé\n"
    assert bool(source.notes) == (encoding in ("utf-16", "cp1252"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b" \r\n\n", "empty"),
        (b"\xff\xfe", "empty"),
        (b"<!DOCTYPE html><html>403</html>", "HTML page"),
        (b"\n <HTML><body>", "HTML page"),
        (b"<?xml version='1.0'?>", "XML or JSON"),
        (b'{"a": 1}', "XML or JSON"),
        (gzip.compress(b"a,b", mtime=0), "gzip"),
        (b"\xd0\xcf\x11\xe0rest", "Excel"),
        (b"a,b\x00c", "binary"),
        (b"a,b\n\x81\x8d", "neither UTF-8"),
        (b"\xff\xfea,b", "UTF-16 but is not"),
        (b"PK\x05\x06", "zip inside"),
        (b"a,b\n" + b"x" * 1_200_000 + b"\n1,2\n", "no table"),
    ],
)
def test_what_is_no_table_is_refused(body: bytes, said: str) -> None:
    source = from_bytes("a.csv", body)
    assert isinstance(source, Refused)
    assert said in source.reason


def test_a_long_file_of_short_lines_is_fine() -> None:
    assert isinstance(from_bytes("a.csv", b"a,b\n" * 400_000), Text)


def test_folders_are_searched_and_hidden_files_left_out(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.csv").write_text("x\n", encoding="utf-8")
    (tmp_path / "deep" / "a.csv").write_text("x\n", encoding="utf-8")
    (tmp_path / ".hidden").write_text("x\n", encoding="utf-8")
    assert [source.name for source in read_sources([tmp_path])] == ["b.csv", "deep/a.csv"]


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TsqError, match="does not exist"):
        list(read_sources([tmp_path / "nothing.csv"]))


def test_zip_members_are_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(
        zipped(**{"b.csv": b"x,y\n", "a.csv": b"p,q\n", "__MACOSX/._a.csv": b"junk", "p.parquet": b"PAR1.."})
    )
    first, second, third = read_sources([path])
    assert (first.name, second.name, third.name) == ("a.zip:a.csv", "a.zip:b.csv", "a.zip:p.parquet")
    assert isinstance(first, Text)
    assert isinstance(third, Parquet)


def test_a_parquet_file_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "p.bin"
    path.write_bytes(b"PAR1....")
    source = only(path)
    assert isinstance(source, Parquet)
    assert source.path == path
    assert source.body is None


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"../evil.csv": b"x,y\n"}, "leaves its folder"),
        ({"/evil.csv": b"x,y\n"}, "leaves its folder"),
        ({"C:/evil.csv": b"x,y\n"}, "leaves its folder"),
        ({"a.csv": b"0" * 30_000_000}, "zip bomb"),
        ({"inner.zip": zipped(**{"a.csv": b"x"})}, "zip inside a zip"),
        ({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}, "Excel"),
        ({"__MACOSX/x": b"junk"}, "no file in it"),
    ],
)
def test_odd_zips_are_refused(tmp_path: Path, members: dict[str, bytes], said: str) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(**members))
    source = only(path)
    assert isinstance(source, Refused)
    assert said in source.reason


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    body = bytearray(zipped(**{"a.csv": b"x,y\n" * 100}))
    real, lie = (400).to_bytes(4, "little"), (8).to_bytes(4, "little")
    assert body.count(real) == 2
    path = tmp_path / "a.zip"
    path.write_bytes(bytes(body.replace(real, lie)))
    source = only(path)
    assert isinstance(source, Refused)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    body = bytearray(zipped(**{"a.csv": b"x,y\n"}))
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    path = tmp_path / "a.zip"
    path.write_bytes(bytes(body))
    source = only(path)
    assert isinstance(source, Refused)
    assert "encrypted" in source.reason


def test_a_broken_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(**{"a.csv": b"x,y\n" * 100})[:60])
    source = only(path)
    assert isinstance(source, Refused)
    assert "broken zip" in source.reason


def test_a_zip_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsq.ingest.sources.MAX_MEMBERS", 2)
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(a=b"x", b=b"x", c=b"x"))
    source = only(path)
    assert isinstance(source, Refused)
    assert "3 files" in source.reason
