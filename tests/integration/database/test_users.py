"""The database users of the functions: their limits. Migrations create and repair them.

All other tests show their rights, because each function connects as its own user.
"""

import psycopg2
import pytest
from imageapi.database import db
from imageapi.database.migrations import read_migrations
from imageapi.errors import DatabaseUnavailableError

from tests import ROOT
from tests.integration.client import get, upload
from tests.integration.database.migrating import PASSWORD, become, become_owner, invoke, run
from tests.integration.lifecycle import patch_image
from tests.integration.stores import Configure, Stores
from tests.support import pictures

FOLDER = ROOT / "functions/migrate/migrations"
SERVICE, MANAGER = "the service", "the manager"

SCHEMA = (
    *("DROP TABLE image_metadata", "ALTER TABLE api_keys ADD COLUMN x int", "CREATE TABLE x ()"),
    *("DELETE FROM schema_migrations", "CREATE ROLE x", "COPY image_metadata TO PROGRAM 'true'"),
    *("SELECT suspend_restored_keys('x')", "DELETE FROM database_server"),
)
FEED = (
    *("UPDATE changes SET key_id = NULL", "DELETE FROM changes", "TRUNCATE changes"),
    "INSERT INTO changes (sequence, time, type, subject_id) SELECT 1, now(), 'x', gen_random_uuid()",
    *("UPDATE changes_unnumbered SET key_id = NULL", "DELETE FROM changes_unnumbered"),
    *("UPDATE partitions.changes_0 SET key_id = NULL", "DROP TABLE partitions.changes_0"),
    "SELECT note_change('image.deleted', gen_random_uuid(), 1, NULL, NULL)",
    """CREATE TEMP TABLE forged (LIKE api_keys);
       CREATE TRIGGER forged AFTER INSERT ON forged FOR EACH ROW EXECUTE FUNCTION note_key_change()""",
)
KEYS = (
    "INSERT INTO api_keys (id, name, scopes, prefix, sha256, created_by) VALUES"
    " (gen_random_uuid(), 'x', '{images:read}', 'x', sha256('x'), 'root')",
    "UPDATE api_keys SET scopes = '{keys:manage}'",
    "UPDATE api_keys SET revoked_at = NULL, suspended_at = NULL",
    "DELETE FROM api_keys",
)


def allowed(statement: str) -> bool:
    try:
        db.query(statement)
    except psycopg2.errors.InsufficientPrivilege:
        return False
    return True


@pytest.mark.parametrize(
    ("user", "refused"),
    [
        (SERVICE, [*SCHEMA, *FEED, *KEYS, "SELECT secret FROM webhooks", "SELECT drop_changes(now())"]),
        (MANAGER, [*SCHEMA, *FEED, "SELECT FROM image_metadata"]),
    ],
)
def test_what_neither_may(migrated: Stores, configure: Configure, user: str, refused: list[str]) -> None:
    """The service may change only images. The manager may neither write the feed nor read images."""
    upload(pictures.jpeg())
    assert len(get("/api/changes").body["changes"]) == 1  # creates a partition
    become(configure, user)

    assert [statement for statement in refused if allowed(statement)] == []


def test_what_runs_as_the_owner_is_for_nobody_in_general(stores: Stores) -> None:
    """By default, PostgreSQL lets every user execute a function."""
    found = stores.execute(
        """SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
           AND has_function_privilege('public', oid, 'EXECUTE')"""
    )
    assert found == []


def test_a_grant_that_is_no_longer_listed_is_revoked(migrated: Stores, configure: Configure) -> None:
    run(
        migrated,
        f'GRANT ALL ON webhooks, api_keys TO "{SERVICE}"; GRANT INSERT (sequence) ON changes TO "{SERVICE}"',
    )
    become_owner(migrated, configure)
    invoke()
    become(configure, SERVICE)
    refused = [*KEYS, "SELECT secret FROM webhooks", FEED[3]]
    assert [statement for statement in refused if allowed(statement)] == []


@pytest.mark.parametrize(
    "moment",
    [
        f'DROP OWNED BY "{SERVICE}"; DROP ROLE "{SERVICE}"',
        f"""ALTER ROLE "{SERVICE}" PASSWORD 'of that moment'""",
        f'ALTER ROLE "{SERVICE}" NOLOGIN PASSWORD NULL',
    ],
    ids=["without the user", "with another password", "with a user that may not connect"],
)
def test_a_restored_database_lets_the_service_in_after_a_migration(
    migrated: Stores, configure: Configure, moment: str
) -> None:
    """A snapshot contains the users, passwords and privileges of its time."""
    image = upload(pictures.jpeg()).image
    db.close()
    run(migrated, moment)
    with pytest.raises(DatabaseUnavailableError):
        db.ping()
    become_owner(migrated, configure)

    outcome = {"is_new": False, "applied": [], "version": len(read_migrations(FOLDER)), "suspended_keys": 0}
    assert invoke() == outcome

    become(configure, SERVICE, PASSWORD)
    assert [row["id"] for row in get("/api/images").body["images"]] == [image["id"]]
    assert patch_image(image["id"], {"title": "y"}).status == 200
