from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from flowstudio.workspace.run_ids import new_run_id


def test_it_is_a_uuid_of_version_7() -> None:
    parsed = UUID(new_run_id())
    assert (parsed.version, parsed.variant) == (7, RFC_4122)


def test_it_begins_with_the_time() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    milliseconds = UUID(new_run_id()).int >> 80
    made_at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    assert before <= made_at <= datetime.now(UTC)


def test_ten_thousand_of_one_moment_differ() -> None:
    assert len({new_run_id() for _ in range(10_000)}) == 10_000


def test_every_bit_of_chance_is_used() -> None:
    made = [UUID(new_run_id()).int for _ in range(500)]
    random_bits = (((1 << 12) - 1) << 64) | ((1 << 62) - 1)
    ever_set = ever_clear = 0
    for each in made:
        ever_set |= each
        ever_clear |= ~each
    assert ever_set & ever_clear & random_bits == random_bits
