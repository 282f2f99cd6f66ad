"""The files of the migrations: their names, and the one that the template names."""

from pathlib import Path

import pytest
from imageapi.database.migrations import read_migrations

from tests import ROOT

FOLDER = ROOT / "functions/migrate/migrations"


@pytest.mark.parametrize("names", [["1_x.sql"], ["0001_a.sql", "0003_b.sql"], ["0001_a.sql", "0001_b.sql"]])
def test_names_that_are_not_in_order(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).touch()

    with pytest.raises(ValueError, match="0001"):
        read_migrations(tmp_path)


def test_the_template_names_the_newest_migration() -> None:
    """CloudFormation runs the migrations when this property changes."""
    newest = max((path.stem for path in FOLDER.glob("*.sql")), default="baseline")

    assert f"Migration: {newest}\n" in (ROOT / "template.yaml").read_text(encoding="utf-8")
