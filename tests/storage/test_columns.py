from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from flowstudio.storage.columns import from_micros, storable_text, to_micros


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_time_comes_back_to_the_microsecond(moment: datetime) -> None:
    assert from_micros(to_micros(moment)) == moment


def test_a_time_in_another_zone_is_the_same_instant() -> None:
    there = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert from_micros(to_micros(there)) == datetime(2026, 7, 1, 10, tzinfo=UTC)


def test_text_a_database_refuses_is_replaced() -> None:
    assert storable_text("a\0b\ud800c") == "a\ufffdb\ufffdc"


@given(st.text())
def test_other_text_is_left_alone(text: str) -> None:
    assert storable_text(text) == text.replace("\0", "\ufffd")
