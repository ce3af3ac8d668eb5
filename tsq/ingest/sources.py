"""What a person points at, as a stream of readable sources: files, folders and zips, each checked before it is trusted.

A zip is never extracted by its members' names: each member is read into memory through a cap. A text file is decoded
and its line ends made one. What cannot be read is a `Refused` with its reason; the stream goes on.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tsq.errors import TsqError

MAX_MEMBERS = 20_000
MAX_MEMBER_BYTES = 2**30
# Deflate reaches about 1,000:1 on constant bytes; exchange files stay under 15:1.
MAX_RATIO = 100
MAX_LINE = 500_000
SMALL_BYTES = 2**20
IGNORED = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Text:
    """A text file: UTF-8 bytes, every line ending in one newline, and whether the last line ended so in the file."""

    name: str
    sha256: str
    body: bytes
    ends_whole: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parquet:
    """A parquet file: on disk at `path`, or the bytes of a zip's member."""

    name: str
    sha256: str
    path: Path | None
    body: bytes | None


@dataclass(frozen=True)
class Refused:
    """A file that cannot be read, and why; `sha256` is empty where even that was not safe to find."""

    name: str
    sha256: str
    reason: str


Source = Text | Parquet | Refused


def read_sources(paths: Sequence[Path]) -> Iterator[Source]:
    """Every file under the paths (files, folders, zips), in the order of their names, decoded and checked.

    Raises:
        TsqError: a path does not exist.
    """
    for path in paths:
        if not path.exists():
            raise TsqError(f"{path} does not exist", hint="give files, folders or zips that are there")
    for path in paths:
        if path.is_dir():
            for file in sorted(item for item in path.rglob("*") if item.is_file()):
                inside = file.relative_to(path)
                if not any(part.startswith(".") or part in IGNORED for part in inside.parts):
                    yield from _read_file(file, inside.as_posix())
        else:
            yield from _read_file(path, path.name)


def _read_file(path: Path, name: str) -> Iterator[Source]:
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start == b"PK\x03\x04":
            yield from _read_zip(file, name)
        elif start == b"PAR1":
            yield Parquet(name, hashlib.file_digest(file, "sha256").hexdigest(), path, None)
        else:
            yield from_bytes(name, file.read())


def from_bytes(name: str, body: bytes) -> Source:
    """A source from the bytes of a file: parquet or text, else refused with a reason."""
    digest = hashlib.sha256(body).hexdigest()
    if body[:4] == b"PAR1":
        return Parquet(name, digest, None, body)
    notes: tuple[str, ...] = ()
    refusal = _binary(body)
    if refusal is None and body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            body, notes = body.decode("utf-16").encode(), ("read as UTF-16",)
        except UnicodeDecodeError:
            refusal = "is marked as UTF-16 but is not: save it as UTF-8"
    elif refusal is None:
        body = body.removeprefix(b"\xef\xbb\xbf")
        try:
            body.decode()
        except UnicodeDecodeError:
            try:
                body, notes = body.decode("cp1252").encode(), ("is not UTF-8; read as Windows-1252",)
            except UnicodeDecodeError:
                refusal = "is neither UTF-8 nor Windows-1252 text: save it as UTF-8"
    if refusal is None:
        refusal = _not_a_table(body)
    if refusal is not None:
        return Refused(name, digest, refusal)
    body = body.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if _has_huge_line(body):
        return Refused(
            name, digest, f"has a line of more than {MAX_LINE:,} bytes, so it is no table: look at it in an editor"
        )
    whole = body.endswith(b"\n")
    return Text(name, digest, body if whole else body + b"\n", whole, notes)


def _binary(body: bytes) -> str | None:
    if not body.strip():
        return "is empty: fetch it again"
    if body[:2] == b"PK":
        return "is a zip inside a zip: unpack the outer one first"
    if body[:2] == b"\x1f\x8b":
        return "is gzip: unpack it first"
    if body[:4] == b"\xd0\xcf\x11\xe0":
        return "is an Excel workbook: save the sheet as CSV"
    if body[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\x00" in body:
        return "is binary, not text: give a CSV, a parquet or a zip"
    return None


def _not_a_table(body: bytes) -> str | None:
    start = body[:512].lstrip().lower()
    if not start:
        return "is empty: fetch it again"
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "is an HTML page saved under another name (often the site's error page): fetch the file again"
    if start.startswith((b"<", b"{")):
        return "is XML or JSON, not a table: give a CSV or a parquet"
    return None


def _has_huge_line(body: bytes) -> bool:
    """Whether some stretch of MAX_LINE bytes has no line end; a longer line contains such a stretch."""
    return any(body.find(b"\n", at, at + MAX_LINE) < 0 for at in range(0, len(body) - MAX_LINE, MAX_LINE))


def _read_zip(file: BinaryIO, name: str) -> Iterator[Source]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = [member for member in archive.infolist() if not _skipped(member)]
            refusal = _whole_zip(members)
            if refusal is not None:
                yield Refused(name, "", refusal)
                return
            for member in sorted(members, key=lambda item: item.filename):
                yield _read_member(archive, member, f"{name}:{member.filename}")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        yield Refused(name, "", f"is a broken zip ({error}): fetch it again")


def _skipped(member: zipfile.ZipInfo) -> bool:
    return member.is_dir() or any(part in IGNORED for part in Path(member.filename).parts)


def _whole_zip(members: list[zipfile.ZipInfo]) -> str | None:
    if not members:
        return "is a zip with no file in it: fetch it again"
    if len(members) > MAX_MEMBERS:
        return f"is a zip of {len(members):,} files (at most {MAX_MEMBERS:,}): unpack it into a folder and give that"
    if any(member.filename in ("[Content_Types].xml", "xl/workbook.xml") for member in members):
        return "is an Excel workbook: save the sheet as CSV"
    return None


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Source:
    parts = member.filename.replace("\\", "/").split("/")
    if member.filename.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        return Refused(name, "", "has a path that leaves its folder: unpack the zip yourself and look at it")
    if member.flag_bits & 1:
        return Refused(name, "", "is encrypted: unpack the zip first")
    bomb = f"would unpack to {member.file_size:,} bytes from {member.compress_size:,}: a zip bomb, not read"
    if member.file_size > MAX_MEMBER_BYTES or _ratio_is_odd(member.file_size, member.compress_size):
        return Refused(name, "", bomb)
    # The reader stops at the declared size and then checks the sum, so a member that lies is a broken zip.
    return from_bytes(name, archive.read(member))


def _ratio_is_odd(size: int, packed: int) -> bool:
    return size > SMALL_BYTES and size > MAX_RATIO * max(packed, 1)
