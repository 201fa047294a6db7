from sqlalchemy import text

from flowstudio.storage.database import Database

WHO = text("SELECT current_setting('app.user_id', true)")


def test_a_transaction_knows_its_user_and_the_next_one_does_not(postgres_schema: str) -> None:
    database = Database(postgres_schema)
    with database.begin("ann") as connection:
        assert connection.execute(WHO).scalar() == "ann"
    with database.reading() as connection:
        assert not connection.execute(WHO).scalar()
    database.close()
