"""The functions' own user of the database: what it may do, and that migrations make and mend it."""

import psycopg2
import pytest
from imageapi.database import db
from imageapi.database.migrations import read_migrations
from imageapi.errors import DatabaseUnavailableError

from tests.integration.client import get, upload
from tests.integration.database.migrating import SERVICE, invoke, make_first_release, run
from tests.integration.lifecycle import delete_for_good, fetch, patch_image, sweep
from tests.integration.stores import Configure, Stores
from tests.support import pictures
from tests.support.events import ROOT
from tests.support.waiting import wait_until

FOLDER = ROOT / "functions/migrate/migrations"


def test_the_service_does_all_its_work_as_a_user_of_its_own(service_user: Stores) -> None:
    image = upload(pictures.jpeg(), {"title": "x", "category": "c", "tags": ["t"]}).image
    assert get("/api/images", {"q": "x", "tag": "t", "total": "true"}).body["images"][0]["id"] == image["id"]
    assert patch_image(image["id"], {"title": "y"}).status == 200
    assert fetch(image["urls"]["thumbnail"]).status == 200
    assert get("/api/tags").body["tags"] == [{"name": "t", "images": 1}]
    wait_until(lambda: get("/health").status == 200)
    assert get("/api/database/status").status == 200
    assert delete_for_good(image["id"]).status == 204
    assert sweep()["failed"] == 0


@pytest.mark.parametrize(
    "statement",
    [
        *("DROP TABLE image_metadata", "ALTER TABLE image_metadata ADD COLUMN x int", "CREATE TABLE x ()"),
        *("UPDATE changes SET key_id = NULL", "DELETE FROM changes", "TRUNCATE changes"),
        "INSERT INTO changes (sequence, time, type, subject_id) SELECT 1, now(), 'x', gen_random_uuid()",
        *("UPDATE changes_unnumbered SET key_id = NULL", "DELETE FROM changes_unnumbered"),
        *("UPDATE partitions.changes_0 SET key_id = NULL", "DROP TABLE partitions.changes_0"),
        *("DELETE FROM schema_migrations", "CREATE ROLE x", "COPY image_metadata TO PROGRAM 'true'"),
    ],
)
def test_the_user_of_the_service_may_do_no_more(
    service_user: Stores, configure: Configure, statement: str
) -> None:
    upload(pictures.jpeg())
    assert len(get("/api/changes").body["changes"]) == 1  # there is a partition now
    owner = {"POSTGRES_USER": service_user.postgres.user, "POSTGRES_PASSWORD": service_user.postgres.password}
    configure(**owner)
    invoke()  # grants privileges on all tables once more
    configure(POSTGRES_USER=SERVICE["DB_SERVICE_USER"], POSTGRES_PASSWORD=SERVICE["DB_SERVICE_PASSWORD"])
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        db.query(statement)


def test_a_new_password_of_the_service_counts_after_a_migration(
    service_user: Stores, configure: Configure, stores: Stores
) -> None:
    db.close()
    owner = {"POSTGRES_USER": stores.postgres.user, "POSTGRES_PASSWORD": stores.postgres.password}
    configure(**SERVICE | {"DB_SERVICE_PASSWORD": "another"}, **owner)
    make_first_release()
    db.close()
    configure(POSTGRES_USER=SERVICE["DB_SERVICE_USER"], POSTGRES_PASSWORD="another")
    assert get("/api/images").status == 200


@pytest.mark.parametrize(
    "moment",
    [
        'DROP OWNED BY "the service"; DROP ROLE "the service"',
        """ALTER ROLE "the service" PASSWORD 'of that moment'""",
        'ALTER ROLE "the service" NOLOGIN PASSWORD NULL',
    ],
    ids=["without the user", "with another password", "with a user that may not connect"],
)
def test_a_restored_database_lets_the_service_in_after_a_migration(
    service_user: Stores, configure: Configure, moment: str
) -> None:
    """A snapshot has users, passwords and privileges of its moment."""
    image = upload(pictures.jpeg()).image
    db.close()
    run(service_user, moment)
    with pytest.raises(DatabaseUnavailableError):
        db.ping()
    owner = {"POSTGRES_USER": service_user.postgres.user, "POSTGRES_PASSWORD": service_user.postgres.password}
    configure(**SERVICE, **owner)

    assert invoke() == {
        "is_new": False,
        "applied": [],
        "version": len(read_migrations(FOLDER)),
        "suspended_keys": 0,
    }

    db.close()
    configure(POSTGRES_USER=SERVICE["DB_SERVICE_USER"], POSTGRES_PASSWORD=SERVICE["DB_SERVICE_PASSWORD"])
    assert [row["id"] for row in get("/api/images").body["images"]] == [image["id"]]
    assert patch_image(image["id"], {"title": "y"}).status == 200
