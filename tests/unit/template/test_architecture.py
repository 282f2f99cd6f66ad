"""docs/architecture.md agrees with template.yaml, with the code, and with the database's grants."""

import re

from imageapi.database.grants import GRANTS

from tests.reference import ARCHITECTURE, FUNCTIONS, write_functions
from tests.support.needs import TABLES, find_table_needs
from tests.unit.template.test_needs import FUNCTIONS as ALL_FUNCTIONS
from tests.unit.template.test_needs import code_of, reached

TEXT = ARCHITECTURE.read_text(encoding="utf-8")
OWNER = {"MigrateFunction"}


def test_the_table_of_functions_is_generated() -> None:
    found = FUNCTIONS.search(TEXT)
    assert found
    assert found[0] == write_functions()


def test_tables_name_the_functions_that_write_them() -> None:
    section = TEXT.partition("## The tables")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (.+) \|$", section, re.MULTILINE))
    assert set(rows) == TABLES
    needs = {name: find_table_needs(code_of(name), reached(name)) for name in {*ALL_FUNCTIONS} - OWNER}
    for table, text in rows.items():
        written = {name: {item for verb, item in found if verb != "SELECT"} for name, found in needs.items()}
        writers = {name for name, items in written.items() if table in items}
        assert set(re.findall(r"\w+Function", text)) - OWNER == writers, table
        granted = any(GRANTS[role].get(table, "SELECT") != "SELECT" for role in GRANTS)
        assert granted == bool(writers), table
