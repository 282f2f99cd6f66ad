"""The template with its options: valid. tests/unit/test_options.py has what they are for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.options import apply_options
from tests.deploy.cloud import Cloud
from tests.support.templates import MAIN, ROOT


@pytest.fixture(params=["alias", "snapstart"])
def optional(request: pytest.FixtureRequest) -> Iterator[Path]:
    """template.yaml with all options that go together; beside it, since it names folders."""
    path = ROOT / f"template.{request.param}.yaml"
    options = [request.param, "usage-plan"]
    path.write_text(apply_options(MAIN.read_text(encoding="utf-8"), options), encoding="utf-8")
    yield path
    path.unlink()


def test_valid_without_a_warning(cloud: Cloud, optional: Path) -> None:
    cloud.sam("validate", "--lint", "--template-file", str(optional))
