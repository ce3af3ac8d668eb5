from pathlib import Path

import pytest

from tsq.report import bundle


def test_the_bundle_is_kept_and_read_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (kept,) = cache.iterdir()
    assert "vegaEmbed" in kept.read_text(encoding="utf-8")
    monkeypatch.setattr(bundle.vl_convert, "javascript_bundle", None)
    assert bundle.javascript(cache) == kept.read_text(encoding="utf-8")


def test_it_cannot_end_the_element_it_stands_in(cache: Path) -> None:
    assert bundle.inlined("a</script>b</SCRIPT>c<!--") == "a<\\/script>b<\\/SCRIPT>c<\\!--"
    text = bundle.javascript(cache)
    assert "</script" not in text.lower()
    assert "<!--" not in text


def test_a_folder_that_cannot_be_written_to_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setattr(bundle.vl_convert, "javascript_bundle", lambda *args, **more: "made")
    assert bundle.javascript(tmp_path / "file" / "below") == "made"


@pytest.mark.parametrize(
    ("platform", "variable", "tail"),
    [("win32", "LOCALAPPDATA", ("tsq", "Cache")), ("linux", "XDG_CACHE_HOME", ("tsq",))],
)
def test_the_cache_is_the_users(
    platform: str, variable: str, tail: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle.sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    assert bundle.cache_folder() == tmp_path.joinpath(*tail)
    monkeypatch.delenv(variable)
    assert bundle.cache_folder().parts[-1] == tail[-1]
