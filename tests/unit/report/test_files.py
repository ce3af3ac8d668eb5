from pathlib import Path

import pytest

from tsq.report.files import write_text


def test_a_file_is_written_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "out" / "index.html"
    assert write_text(path, "one\r\n₹") == path
    assert write_text(path, "two\n") == path
    assert path.read_bytes() == b"two\n"
    assert list(path.parent.iterdir()) == [path]


def _lock(monkeypatch: pytest.MonkeyPatch, locked: set[str], times: int) -> list[str]:
    tried: list[str] = []
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        tried.append(Path(target).name)
        if Path(target).name in locked and tried.count(Path(target).name) <= times:
            raise PermissionError("another program has it open")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    return tried


def test_a_lock_that_goes_away_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = _lock(monkeypatch, {"index.html"}, times=2)
    assert write_text(tmp_path / "index.html", "x", waits=(0, 0, 0)) == tmp_path / "index.html"
    assert len(tried) == 3


def test_a_lock_that_stays_leaves_the_new_file_beside_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index.html").write_text("old", encoding="utf-8")
    _lock(monkeypatch, {"index.html"}, times=99)
    put = write_text(tmp_path / "index.html", "new", waits=(0, 0))
    assert put == tmp_path / "index.new.html"
    assert put.read_text(encoding="utf-8") == "new"
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "old"


def test_even_two_locks_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _lock(monkeypatch, {"index.html", "index.new.html"}, times=99)
    put = write_text(tmp_path / "index.html", "new", waits=())
    assert put.read_text(encoding="utf-8") == "new"
