"""The tax law case by case: published answers and statutes, at the project's own dated rates."""

import datetime as dt
import itertools
from dataclasses import replace

import polars as pl
import pytest
from law_bench import tax_rates, the_law

from tsq.errors import TsqError
from tsq.quant.tax import (
    LONG,
    SHORT,
    Income,
    Loss,
    Taxpayer,
    assess,
    buyback,
    called,
    financial_year,
    gained,
    law,
    received,
    settled,
)

LATEST = dt.date(2026, 11, 1)
PLAIN = Taxpayer()


def date(text):
    return dt.date.fromisoformat(text)


def year_of(*transfers, known=LATEST, dividends=(), slab=0.3):
    """Income of transfers, each a term, a day and rupees."""
    rates, income = the_law().on(known), Income()
    for term, on, inr in transfers:
        income = gained(income, rates, term, date(on), inr)
    for on, inr in dividends:
        income = received(income, rates, date(on), inr, slab)
    return income


def assessed(year, *transfers, brought=(), taxpayer=PLAIN, known=LATEST, dividends=()):
    income = year_of(*transfers, known=known, dividends=dividends, slab=taxpayer.slab)
    return assess(year, income, brought, the_law().on(known), taxpayer)


def before_cess(assessment, cess=0.04):
    return assessment.tax / (1 + cess)


def taxable(assessment, term):
    return sum(line.taxable for line in assessment.lines if line.term == term)


# -- rates and thresholds


@pytest.mark.parametrize(
    ("on", "rate"),
    [("2004-10-01", 0.10), ("2008-03-31", 0.10), ("2008-04-01", 0.15), ("2024-07-22", 0.15), ("2024-07-23", 0.20)],
)
def test_short_term_rates(on, rate):
    assert the_law().on(LATEST).gain(SHORT, date(on)) == ("rate", rate)


@pytest.mark.parametrize(
    ("on", "treatment", "rate"),
    [
        ("2004-10-01", "exempt", 0.0),
        ("2018-02-01", "exempt", 0.0),  # the Budget's day, and the tax begins two months later
        ("2018-03-31", "exempt", 0.0),
        ("2018-04-01", "rate", 0.10),
        ("2024-07-22", "rate", 0.10),
        ("2024-07-23", "rate", 0.125),
    ],
)
def test_long_term_rates(on, treatment, rate):
    assert the_law().on(LATEST).gain(LONG, date(on)) == (treatment, rate)


@pytest.mark.parametrize(("year", "limit"), [(2017, 0.0), (2018, 1e5), (2023, 1e5), (2024, 1.25e5), (2025, 1.25e5)])
def test_the_exemption_of_each_year(year, limit):
    assert the_law().on(LATEST).exemption(year) == limit


@pytest.mark.parametrize(("year", "cess"), [(2003, 0.0), (2010, 0.03), (2017, 0.03), (2018, 0.04), (2025, 0.04)])
def test_the_cess_of_each_year(year, cess):
    assert the_law().on(LATEST).cess(year) == cess


def test_the_threshold_of_fy2024_25_was_raised_in_july_for_the_whole_year():
    """A gain of June is exempt up to 1 lakh until 22 July 2024, and up to 1.25 lakh from the 23rd on."""
    gains = (LONG, "2024-06-03", 200_000)
    june = assessed(2024, gains, known=date("2024-07-22"))
    july = assessed(2024, gains, known=date("2024-07-23"))
    assert before_cess(june) == pytest.approx(100_000 * 0.10)
    assert before_cess(july) == pytest.approx(75_000 * 0.10)
    assert the_law().on(date("2024-07-22")) is the_law().on(date("2024-04-30"))
    assert the_law().on(date("2024-07-22")) is not the_law().on(date("2024-07-23"))


def test_a_rate_nobody_knew_yet_is_not_applied():
    assert the_law().on(date("2024-07-22")).gain(SHORT, date("2024-08-01")) == ("rate", 0.15)
    assert the_law().on(date("2018-01-31")).of("LTCG_112A", date("2018-04-02")) is None
    assert the_law().on(date("2018-02-01")).gain(LONG, date("2018-04-02")) == ("rate", 0.10)


@pytest.mark.parametrize(("on", "tax"), [("2024-07-22", 15_000), ("2024-07-23", 20_000)])
def test_stcg_boundary(on, tax):
    found = assessed(2024, (SHORT, on, 100_000))
    assert before_cess(found) == pytest.approx(tax)
    assert found.tax == pytest.approx(tax * 1.04)


@pytest.mark.parametrize(("year", "on", "tax"), [(2017, "2018-03-28", 0), (2018, "2018-04-02", 40_000)])
def test_ltcg_boundary_2018(year, on, tax):
    assert before_cess(assessed(year, (LONG, on, 500_000))) == pytest.approx(tax)


def test_50_000_of_ltcg_in_may_2018_are_exempt():
    """Geojit: 1,000 shares of 200, worth 250 on 31 January 2018, sold at 300: below 1 lakh nothing is taxed."""
    found = assessed(2018, (LONG, "2018-05-19", 50_000))
    assert found.tax == 0
    assert sum(line.exempt for line in found.lines) == 50_000


def test_losses_of_exempt_gains_are_none():
    found = assessed(2017, (LONG, "2018-03-01", -80_000), (SHORT, "2018-03-01", 100_000))
    assert found.carried == ()
    assert before_cess(found, 0.03) == pytest.approx(15_000)


def test_ltcg_of_2_lakh_in_august_2024():
    """stoxntax: taxable 75,000, tax 9,375, with cess 9,750."""
    found = assessed(2024, (LONG, "2024-08-12", 200_000))
    assert taxable(found, LONG) == 75_000
    assert found.tax == pytest.approx(9_750)


@pytest.mark.parametrize(
    ("before", "after", "highest", "lowest"),
    [(100_000, 125_000, 10_000, 12_500), (150_000, 200_000, 24_375, 27_500)],
)
def test_the_exemption_goes_to_the_bucket_that_is_asked_for(before, after, highest, lowest):
    """fy2425_mix_a; the law does not say which bucket. The other: 150,000 and 75,000 are left, or 25,000 and 200,000."""
    gains = ((LONG, "2024-05-06", before), (LONG, "2024-09-02", after))
    assert before_cess(assessed(2024, *gains)) == pytest.approx(highest)
    lowest_first = replace(PLAIN, exemption="lowest_first")
    assert before_cess(assessed(2024, *gains, taxpayer=lowest_first)) == pytest.approx(lowest)


def test_the_second_published_mix():
    """fy2425_mix_b, whose answers are 18,125 and 21,250: gains of 125,000 before and 170,000 after have them."""
    gains = ((LONG, "2024-05-06", 125_000), (LONG, "2024-09-02", 170_000))
    assert before_cess(assessed(2024, *gains)) == pytest.approx(18_125)
    lowest_first = replace(PLAIN, exemption="lowest_first")
    assert before_cess(assessed(2024, *gains, taxpayer=lowest_first)) == pytest.approx(21_250)


# -- set-off and carry-forward


def test_stcl_against_ltcg_comes_before_the_exemption():
    """setoff_1, FY2025-26: 200,000 − 50,000 − 125,000 at 12.5 %."""
    found = assessed(2025, (SHORT, "2025-08-01", -50_000), (LONG, "2025-09-01", 200_000))
    assert before_cess(found) == pytest.approx(3_125)
    assert found.carried == ()


def test_ltcl_never_meets_stcg():
    """setoff_2: STCG is taxed whole, the long-term loss is carried."""
    found = assessed(2025, (LONG, "2025-08-01", -80_000), (SHORT, "2025-09-01", 100_000))
    assert before_cess(found) == pytest.approx(20_000)
    assert found.carried == (Loss(2025, LONG, 80_000),)


def test_stcl_meets_stcg_first_and_the_highest_rate_first():
    found = assessed(
        2024,
        (SHORT, "2024-05-06", 60_000),
        (SHORT, "2024-09-02", 60_000),
        (SHORT, "2024-10-01", -80_000),
        (LONG, "2024-10-01", 500_000),
    )
    assert {(line.rate, line.taxable) for line in found.lines if line.term == SHORT} == {(0.15, 40_000), (0.2, 0)}
    assert taxable(found, LONG) == 375_000


def test_long_term_losses_are_used_first_since_only_they_need_long_term_gains():
    found = assessed(
        2025, (LONG, "2025-05-05", 100_000), (LONG, "2025-06-02", -100_000), (SHORT, "2025-06-02", -40_000)
    )
    assert found.tax == 0
    assert found.carried == (Loss(2025, SHORT, 40_000),)


def test_losses_brought_forward_burn_the_exemption():
    """freefincal: 5 lakh of LTCL brought forward, LTCG of 1 lakh: 4 lakh are left and the exemption is unused."""
    found = assessed(2025, (LONG, "2025-08-01", 100_000), brought=(Loss(2022, LONG, 500_000),))
    assert found.tax == 0
    assert found.carried == (Loss(2022, LONG, 400_000),)
    assert sum(line.exempt for line in found.lines) == 0


def test_a_loss_of_fy2018_19_is_used_up_to_fy2026_27():
    old = (Loss(2018, LONG, 100_000),)
    used = assessed(2026, (LONG, "2026-05-04", 300_000), brought=old)
    assert before_cess(used) == pytest.approx((300_000 - 100_000 - 125_000) * 0.125)
    assert assessed(2025, brought=old).carried == old
    assert assessed(2026, brought=old).carried == ()
    gone = assess(2027, Income({(LONG, 0.125): 300_000.0}), old, the_law().on(LATEST), PLAIN)
    assert before_cess(gone) == pytest.approx(175_000 * 0.125)


def test_the_oldest_loss_is_used_first():
    brought = (Loss(2023, SHORT, 30_000), Loss(2021, SHORT, 30_000))
    found = assessed(2024, (SHORT, "2024-09-02", 40_000), brought=brought)
    assert found.tax == 0
    assert found.carried == (Loss(2023, SHORT, 20_000),)


def test_the_years_own_loss_comes_before_an_old_one():
    found = assessed(
        2024, (SHORT, "2024-09-02", 40_000), (SHORT, "2024-09-03", -40_000), brought=(Loss(2023, SHORT, 30_000),)
    )
    assert found.carried == (Loss(2023, SHORT, 30_000),)


# -- surcharge, cess, dividends, buybacks


@pytest.mark.parametrize(
    ("year", "term", "on", "most"),
    [
        (2025, LONG, "2025-06-02", 0.1495),
        (2025, SHORT, "2025-06-02", 0.2392),
        (2023, LONG, "2023-06-01", 0.1196),
        (2023, SHORT, "2023-06-01", 0.1794),
    ],
)
def test_the_highest_rates(year, term, on, most):
    """15 % surcharge and 4 % cess; 37 % is capped at 15 since FY2019-20."""
    for surcharge in (0.15, 0.37):
        found = assessed(year, (term, on, 1e7), taxpayer=replace(PLAIN, surcharge=surcharge))
        assert found.tax / taxable(found, term) == pytest.approx(most)


def test_the_cap_counts_from_the_day_it_was_known():
    rich = replace(PLAIN, surcharge=0.37)
    assert assessed(2019, (SHORT, "2019-06-03", 1e6), taxpayer=rich, known=date("2019-10-06")).tax == pytest.approx(
        1e6 * 0.15 * 1.37 * 1.04
    )
    assert assessed(2019, (SHORT, "2019-06-03", 1e6), taxpayer=rich).tax == pytest.approx(1e6 * 0.15 * 1.15 * 1.04)


@pytest.mark.parametrize(
    ("income", "rate"), [(5e6, 0.0), (5_000_001, 0.1), (1e7, 0.1), (1.5e7, 0.15), (3e7, 0.25), (6e7, 0.37)]
)
def test_surcharge_goes_with_the_income(income, rate):
    assert the_law().on(LATEST).surcharge(2025, income) == rate


@pytest.mark.parametrize(
    ("year", "above_50_lakh", "above_1_crore", "above_5_crore"),
    [
        (2008, 0.10, 0.10, 0.10),
        (2009, 0.0, 0.0, 0.0),
        (2012, 0.0, 0.0, 0.0),
        (2013, 0.0, 0.10, 0.10),
        (2014, 0.0, 0.10, 0.10),
        (2015, 0.0, 0.12, 0.12),
        (2016, 0.0, 0.15, 0.15),
        (2017, 0.10, 0.15, 0.15),
        (2018, 0.10, 0.15, 0.15),
        (2019, 0.10, 0.15, 0.37),
    ],
)
def test_the_surcharge_is_that_of_its_year(year, above_50_lakh, above_1_crore, above_5_crore):
    found = [the_law().on(LATEST).surcharge(year, income) for income in (6e6, 1.5e7, 6e7)]
    assert found == [above_50_lakh, above_1_crore, above_5_crore]
    by_income = assessed(year, (SHORT, f"{year}-06-02", 6e7), taxpayer=replace(PLAIN, surcharge=None))
    (line,) = by_income.lines
    levy = (1 + min(above_5_crore, 0.15 if year >= 2019 else 1.0)) * (1.04 if year >= 2018 else 1.03)
    assert line.tax == pytest.approx(6e7 * line.rate * levy)


def test_a_surcharge_counts_from_the_day_it_was_announced():
    assert the_law().on(date("2019-07-04")).surcharge(2019, 6e7) == 0.15
    assert the_law().on(date("2019-07-05")).surcharge(2019, 6e7) == 0.37


def test_gains_and_other_income_together_decide_the_surcharge():
    by_income = replace(PLAIN, surcharge=None, other_income=4_000_000)
    low = assessed(2025, (SHORT, "2025-06-02", 1_000_000), taxpayer=by_income)
    high = assessed(2025, (SHORT, "2025-06-02", 1_000_001), taxpayer=by_income)
    assert low.tax == pytest.approx(1_000_000 * 0.2 * 1.04)
    assert high.tax == pytest.approx(1_000_001 * 0.2 * 1.10 * 1.04)
    offset = assessed(2025, (SHORT, "2025-06-02", 1_000_001), (SHORT, "2025-06-02", -1), taxpayer=by_income)
    assert offset.tax == pytest.approx(low.tax)


def test_dividends_are_taxed_at_the_slab_since_april_2020():
    found = assessed(2020, dividends=[("2020-03-31", 5_000), ("2020-04-01", 10_000)])
    assert before_cess(found) == pytest.approx(3_000)
    poorer = replace(PLAIN, slab=0.05)
    assert before_cess(assessed(2020, dividends=[("2020-06-01", 10_000)], taxpayer=poorer)) == pytest.approx(500)


def test_losses_of_transfers_do_not_touch_dividends():
    found = assessed(2025, (SHORT, "2025-06-02", -10_000), dividends=[("2025-06-02", 10_000)])
    assert before_cess(found) == pytest.approx(3_000)
    assert found.carried == (Loss(2025, SHORT, 10_000),)


def test_a_dividend_that_is_taken_back_never_makes_a_tax_negative():
    assert assessed(2025, dividends=[("2025-06-02", -10_000)]).tax == 0


def test_a_right_that_is_sold_is_taxed_as_other_income():
    income = gained(Income(), the_law().on(LATEST), SHORT, date("2025-06-02"), 10_000, slab=0.3)
    assert before_cess(assess(2025, income, (), the_law().on(LATEST), PLAIN)) == pytest.approx(3_000)


@pytest.mark.parametrize(
    ("on", "answer"),
    [
        ("2024-09-30", (0.0, 0.0)),
        ("2024-10-01", (50_000.0, -30_000.0)),
        ("2026-03-31", (50_000.0, -30_000.0)),
        ("2026-06-02", (0.0, 20_000.0)),
    ],
)
def test_buybacks(on, answer):
    """Shares of 30,000 tendered for 50,000: exempt, then all of it a dividend and the cost a loss, then a sale."""
    assert buyback(50_000, 30_000, date(on), the_law().on(LATEST)) == answer


# -- the year, the instalments


@pytest.mark.parametrize(
    ("on", "year"), [("2024-03-31", 2023), ("2024-04-01", 2024), ("2025-01-01", 2024), ("2025-03-31", 2024)]
)
def test_a_year_is_april_to_march_by_the_day_of_the_contract_note(on, year):
    """A sale of 31 March that settles in April belongs to the year that ends (CBDT Circular 704)."""
    assert financial_year(date(on)) == year


def test_instalments_of_advance_tax():
    """s.211: 15, 45, 75 and 100 %; gains after 15 March by the end of the year."""
    year = called("advance", date("2024-04-01"), date("2025-04-01"))
    assert [(of, on.isoformat(), part) for of, on, part in year] == [
        (2024, "2024-06-15", 0.15),
        (2024, "2024-09-15", 0.45),
        (2024, "2024-12-15", 0.75),
        (2024, "2025-03-15", 1.0),
        (2024, "2025-03-31", 1.0),
    ]
    assert [on.isoformat() for _, on, _ in called("year_end", date("2024-04-01"), date("2025-04-01"))] == ["2025-03-31"]


def test_an_instalment_is_called_once_in_the_first_session_that_is_not_before_it():
    """15 June 2024 is a Saturday: CBDT Circular 676 makes Monday soon enough."""
    sessions = [date("2024-06-13"), date("2024-06-14"), date("2024-06-17"), date("2024-06-18")]
    calls = [len(called("advance", *pair)) for pair in itertools.pairwise(sessions)]
    assert calls == [0, 1, 0]


def test_the_return_is_due_at_the_end_of_july():
    assert settled(date("2025-07-30"), date("2025-07-31")) == (2024,)
    assert settled(date("2025-07-31"), date("2025-08-01")) == ()
    assert settled(date("2024-12-31"), date("2025-12-31")) == (2024,)


# -- what a taxpayer cannot ask for


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"holding_period": "lunar"}, "holding_period"),
        ({"exemption": "mine_first"}, "exemption_order"),
        ({"instalments": "never"}, "instalments"),
        ({"deductible": ("brokerage", "stt")}, "stt"),
        ({"deductible": ("lunch",)}, "lunch"),
        ({"slab": 30.0}, "slab_rate"),
        ({"surcharge": -0.1}, "surcharge"),
    ],
)
def test_choices_are_ones_that_are_known(choice, says):
    with pytest.raises(TsqError, match=says):
        Taxpayer(**choice)


def test_brokerage_and_its_tax_reduce_a_gain_and_the_transaction_tax_never_does():
    deducts = dict(
        zip(["stt", "exchange", "ipft", "sebi", "stamp", "gst", "brokerage", "dp"], PLAIN.deducts(), strict=True)
    )
    assert not deducts["stt"]
    assert not deducts["dp"]
    assert all(deducts[name] for name in ("exchange", "ipft", "sebi", "stamp", "gst", "brokerage"))


def test_a_day_without_a_law_is_said():
    with pytest.raises(TsqError, match="no rate of the tax on STCG covers 2001-01-01"):
        the_law().on(LATEST).gain(SHORT, date("2001-01-01"))
    with pytest.raises(TsqError, match="no rate of the tax on dividends covers 2001-01-01"):
        the_law().on(LATEST).dividend(date("2001-01-01"), 0.3)


def test_no_rates_are_no_law():
    empty = law(tax_rates().filter(pl.lit(False)))
    with pytest.raises(TsqError, match="no rate"):
        empty.on(LATEST).gain(LONG, LATEST)
