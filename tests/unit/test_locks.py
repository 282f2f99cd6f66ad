"""Advisory locks have a class each, so that no id that a client chooses meets a lock of the service."""

import re

from imageapi.database import locks

from tests import ROOT

CALL = re.compile(r"pg_(?:try_)?advisory_(?:xact_)?lock\(([^,()]+)(, *[^;]+)?\)")
SOURCES = [ROOT / "init_db.sql", *sorted((ROOT / "layers/shared/imageapi").rglob("*.py"))]


def test_each_class_has_a_number_of_its_own() -> None:
    numbers = [number for name, number in vars(locks).items() if name.isupper()]
    assert len(set(numbers)) == len(numbers) > 0


def test_every_lock_names_its_class() -> None:
    calls = [call for path in SOURCES for call in CALL.findall(path.read_text(encoding="utf-8"))]
    assert len(calls) > 4
    assert [call for call in calls if not call[1]] == []


def test_the_schema_numbers_under_the_class_of_numbering() -> None:
    (call,) = CALL.findall((ROOT / "init_db.sql").read_text(encoding="utf-8"))
    assert int(call[0]) == locks.NUMBERING
