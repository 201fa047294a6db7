from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstudio.scheduling.cron import check, next_fire
from flowstudio.scheduling.errors import CronFieldError, NeverFiresError, ScheduleError, TimezoneError

BERLIN = "Europe/Berlin"


def fires(expression: str, timezone: str, after: datetime, count: int) -> list[str]:
    """The next few firings, as local times."""
    zone = ZoneInfo(timezone)
    found = []
    for _ in range(count):
        instant = next_fire(expression, timezone, after)
        assert instant is not None
        assert instant > after
        found.append(instant.astimezone(zone).strftime("%a %d %b %H:%M %z"))
        after = instant
    return found


def local(*when: int, timezone: str = BERLIN, fold: int = 0) -> datetime:
    return datetime(*when, tzinfo=ZoneInfo(timezone), fold=fold)


@pytest.mark.parametrize("sunday", ["0", "7", "SUN", "sun"])
def test_sunday_has_three_names(sunday: str) -> None:
    assert fires(f"0 9 * * {sunday}", "UTC", datetime(2026, 6, 3, tzinfo=UTC), 1) == ["Sun 07 Jun 09:00 +0000"]


def test_one_is_monday() -> None:
    assert fires("0 9 * * 1", "UTC", datetime(2026, 6, 3, tzinfo=UTC), 1) == ["Mon 08 Jun 09:00 +0000"]


def test_names_of_days_and_months_make_ranges() -> None:
    assert fires("0 9 * JAN-FEB MON-TUE", "UTC", datetime(2026, 6, 3, tzinfo=UTC), 2) == [
        "Mon 04 Jan 09:00 +0000",
        "Tue 05 Jan 09:00 +0000",
    ]


def test_a_time_that_spring_leaves_out_runs_right_after_the_gap() -> None:
    assert fires("30 2 * * *", BERLIN, local(2026, 3, 28, 12), 2) == [
        "Sun 29 Mar 03:00 +0200",
        "Mon 30 Mar 02:30 +0200",
    ]


def test_a_time_that_autumn_repeats_runs_once() -> None:
    assert fires("30 2 * * *", BERLIN, local(2026, 10, 24, 12), 2) == [
        "Sun 25 Oct 02:30 +0200",
        "Mon 26 Oct 02:30 +0100",
    ]


def test_an_hourly_job_runs_every_real_hour_of_autumn() -> None:
    assert fires("0 * * * *", BERLIN, local(2026, 10, 25, 1, 30), 3) == [
        "Sun 25 Oct 02:00 +0200",
        "Sun 25 Oct 02:00 +0100",
        "Sun 25 Oct 03:00 +0100",
    ]


def test_an_hourly_job_skips_the_hour_that_spring_leaves_out() -> None:
    assert fires("0 * * * *", BERLIN, local(2026, 3, 29, 1, 30), 2) == [
        "Sun 29 Mar 03:00 +0200",
        "Sun 29 Mar 04:00 +0200",
    ]


def test_within_the_repeated_hour_the_next_firing_is_never_in_the_past() -> None:
    second_time_around = local(2026, 10, 25, 2, 15, fold=1)
    assert fires("30 2 * * *", BERLIN, second_time_around, 1) == ["Mon 26 Oct 02:30 +0100"]


def test_the_answer_is_utc() -> None:
    assert next_fire("0 9 * * *", "Asia/Kolkata", datetime(2026, 6, 3, tzinfo=UTC)) == datetime(
        2026, 6, 3, 3, 30, tzinfo=UTC
    )


def test_the_instant_itself_is_not_its_next() -> None:
    nine = datetime(2026, 6, 3, 9, tzinfo=UTC)
    assert next_fire("0 9 * * *", "UTC", nine) == nine + timedelta(days=1)


def test_nicknames_are_understood() -> None:
    assert fires("@Daily", "UTC", datetime(2026, 6, 3, 4, tzinfo=UTC), 1) == ["Thu 04 Jun 00:00 +0000"]


def test_six_fields_begin_with_seconds() -> None:
    start = datetime(2026, 6, 3, tzinfo=UTC)
    assert next_fire("*/10 * * * * *", "UTC", start) == start + timedelta(seconds=10)


@pytest.mark.parametrize(
    ("expression", "field"),
    [
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day-of-month"),
        ("* * * 13 *", "month"),
        ("* * * * 8", "day-of-week"),
        ("* * * * MOON", "day-of-week"),
        ("*/0 * * * *", "minute"),
        ("5-1 * * * *", "minute"),
        ("a b c d e", "minute"),
        ("* * * *", "expression"),
        ("", "expression"),
        ("* * * * * * *", "expression"),
        ("@reboot", "expression"),
        ("1," * 200 + "1 * * * *", "expression"),
    ],
)
def test_the_field_that_is_wrong_is_named(expression: str, field: str) -> None:
    with pytest.raises(CronFieldError) as caught:
        check(expression, "UTC")
    assert caught.value.facts["field"] == field
    assert field in str(caught.value) or field == "expression"
    assert caught.value.fix


@pytest.mark.parametrize("expression", ["0 0 30 2 *", "0 0 31 4,6 *"])
def test_a_day_that_never_comes_is_refused(expression: str) -> None:
    with pytest.raises(NeverFiresError):
        check(expression, "UTC")


@pytest.mark.parametrize("name", ["Europe/Berln", "europe/berlin x", "../../etc/passwd", "Europe", "", "a\0b"])
def test_an_unknown_zone_is_a_sentence(name: str) -> None:
    with pytest.raises(TimezoneError):
        check("0 0 * * *", name)


def test_a_misspelt_zone_suggests_the_right_one() -> None:
    with pytest.raises(TimezoneError, match="Did you mean Europe/Berlin"):
        check("0 0 * * *", "Europe/Berln")


@given(st.text(alphabet="0123456789*/,-LW#@ MONJAN", max_size=25))
def test_any_text_is_legal_or_refused_with_a_sentence(expression: str) -> None:
    with suppress(ScheduleError):
        check(expression, BERLIN)


@given(
    st.sampled_from(["30 2 * * *", "0 * * * *", "*/15 * * * *", "0 9 * * 1", "0 0 1 * *"]),
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_the_next_firing_is_always_later(expression: str, after: datetime, timezone: str) -> None:
    found = next_fire(expression, timezone, after)
    assert found is not None
    assert found > after
