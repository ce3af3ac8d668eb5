from __future__ import annotations

from typing import Any

from tests.unit.engine.made_builds import manifest, model
from tsq.engine.diff_inputs import Input, differences


def asked(a: dict[str, Any], b: dict[str, Any]) -> tuple[Input, ...]:
    return differences(manifest("A", **a), manifest("B", **b))


def test_equal_inputs_are_no_news() -> None:
    same = {"knobs": {"x": 1}, "inputs": {"rows/b1.parquet": "aa"}, "packages": {"duckdb": "2"}}
    assert asked(same, same) == ()


def test_what_decides_most_comes_first() -> None:
    found = asked(
        {"market": "demo", "as_of": "1", "knobs": {"x": 1, "old": [2]}, "platform": "p", "git": {"commit": "c" * 40}},
        {
            "market": "real",
            "as_of": "2",
            "knobs": {"x": 3, "new": None, "y": 0},
            "platform": "q",
            "packages": {"z": "1"},
        },
    )
    assert found == (
        Input("market", "market", "demo", "real"),
        Input("as_of", "as_of", "1", "2"),
        Input("knob", "x", 1, 3),
        Input("knob", "old", [2], None),
        Input("knob", "y", None, 0),
        Input("package", "z", None, "1"),
        Input("platform", "platform", "p", "q"),
        Input("git", "commit", "cccccccccc", None),
    )


def test_batches_are_told_with_what_they_brought() -> None:
    found = asked(
        {"inputs": {"rows/b1.parquet": "aa", "rows/b2.parquet": "bb"}},
        {
            "inputs": {
                "rows/b1.parquet": "aa",
                "rows/b2.parquet": "cc",
                "rows/b3.parquet": "dd",
                "days/b3.parquet": "ee",
            }
        },
    )
    assert found == (
        Input("batch", "b2", "rows (sha256 bb)", "rows (sha256 cc)"),
        Input("batch", "b3", None, "days, rows"),
    )


def test_a_model_that_says_something_else_though_its_knobs_are_the_same() -> None:
    def made(run: str, **others: Any) -> Any:
        return manifest(run, model("mart.t", run, **others))

    text = {"own_hash": "1" * 64}, {"own_hash": "2" * 64}
    assert differences(made("A", **text[0]), made("B", **text[1])) == (Input("model", "mart.t", "1" * 8, "2" * 8),)
    assert differences(made("A", **text[0], knobs={"x": 1}), made("B", **text[1], knobs={"x": 2})) == ()
    sources = {"config.limits": "a" * 64, "raw.rows": "b"}, {"config.limits": "c" * 64, "raw.rows": "d"}
    assert differences(made("A", sources=sources[0]), made("B", sources=sources[1])) == (
        Input("file", "config.limits", "a" * 8, "c" * 8),
    )
