import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsq.report import format as formats


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (0.1234, "percent", "12.3%"),
        (-0.1234, "percent.2", "−12.34%"),
        (0.05, "percent_signed", "+5.0%"),
        (-0.05, "percent_signed", "−5.0%"),
        (0.0, "percent_signed", "0.0%"),
        (-0.00001, "percent", "0.0%"),
        (1234567, "count", "12,34,567"),
        (123456789012, "count", "1,23,45,67,89,012"),
        (99999, "count", "99,999"),
        (-1234567, "count", "−12,34,567"),
        (1234567.891, "number", "12,34,567.89"),
        (2.041, "times", "2.04×"),
        (12.34, "bps", "12.3 bps"),
        (52_000, "inr", "₹52,000"),
        (450_000, "inr", "₹4.50 lakh"),
        (9_999_999, "inr", "₹1.00 crore"),
        (99_999.6, "inr", "₹1.00 lakh"),
        (123_500_000, "inr", "₹12.35 crore"),
        (-123_500_000, "inr", "−₹12.35 crore"),
        (1234.5, "inr_full.2", "₹1,234.50"),
        (-1234.5, "inr_full", "−₹1,234"),
        (1_234_567, "bytes", "1.2 MB"),
        (512, "bytes", "512 B"),
        (dt.date(2024, 1, 5), "date", "5 Jan 2024"),
        (dt.datetime(2023, 12, 29, 13, 0, tzinfo=dt.UTC), "time", "29 Dec 2023, 18:30 IST"),
        # an evening in UTC is already the next day in India
        (dt.datetime(2023, 12, 29, 20, 0, tzinfo=dt.UTC), "date", "30 Dec 2023"),
        (True, "flag", "yes"),
        (Decimal("1.50"), "auto", "1.50"),
        (["a", "b"], "auto", "a, b"),
        (7, "sessions", "7 sessions"),
        (2.5, "points", "2.50 points"),
        (3, "ratio a year", "3 ratio a year"),
        ("<b>", "percent", "<b>"),
        (1e308, "percent", "∞%"),
        (-1e308, "percent_signed", "−∞%"),
        ("none", "inr", "none"),
        ("none", "bytes", "none"),
        ("yes", "flag", "yes"),
        ("soon", "time", "soon"),
        (True, "auto", "yes"),
    ],
)
def test_values_are_written_as_people_read_them(value: object, spec: str, text: str) -> None:
    assert formats.write(value, spec) == text


@pytest.mark.parametrize("spec", formats.FORMATS)
@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), Decimal("NaN")])
def test_what_has_no_value_is_a_dash_in_every_format(spec: str, value: object) -> None:
    assert formats.write(value, spec) == "–"


def test_numbers_can_be_international() -> None:
    assert formats.write(1234567, "count", "international") == "1,234,567"
    assert formats.write(12_350_000, "inr", "international") == "₹12.35 m"


@given(st.integers(-(10**15), 10**15))
def test_grouping_keeps_the_digits(whole: int) -> None:
    text = formats.group(whole)
    assert int(text.replace(",", "").replace("−", "-")) == whole
    head, *groups = text.replace("−", "").split(",")
    assert 1 <= len(head) <= (2 if len(groups) > 1 else 3)
    assert [len(part) for part in groups] == [2] * (len(groups) - 1) + [3] * bool(groups)


@given(st.floats(allow_nan=False, allow_infinity=False, width=64), st.sampled_from(sorted(formats.FORMATS)))
def test_any_float_can_be_written_in_any_format(value: float, spec: str) -> None:
    text = formats.write(value, spec)
    assert text
    assert "nan" not in text.lower()


def test_an_unknown_format_gets_a_guess() -> None:
    assert formats.known("percent.2") is None
    assert "percent" in str(formats.known("procent"))


def test_words_of_a_status_have_a_tone() -> None:
    assert [formats.tone(word) for word in ("ok", "Warn", "failed", "carried", None)] == [
        "ok",
        "warn",
        "bad",
        "plain",
        "plain",
    ]
