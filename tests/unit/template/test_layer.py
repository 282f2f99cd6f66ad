"""The layers contain only what the functions import."""

import ast
import importlib.metadata
import sys

from packaging.utils import canonicalize_name

from tests.support.locks import read_lock
from tests.support.templates import ROOT


def imported_modules() -> set[str]:
    """The top-level modules that imageapi and the functions import, at once or lazily."""
    found = set()
    for path in [*(ROOT / "layers/shared/imageapi").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module))
    beside = {path.stem for path in (ROOT / "functions").glob("*/*.py")}
    return {name.partition(".")[0] for name in found} - sys.stdlib_module_names - beside - {"imageapi"}


def test_the_layers_require_what_is_imported() -> None:
    distributions = importlib.metadata.packages_distributions()
    # A module such as `google` belongs to several packages.
    owners = {
        module: {canonicalize_name(owner) for owner in distributions[module]} for module in imported_modules()
    }
    locks = [read_lock(path) for path in (ROOT / "layers/shared").glob("*.txt")]
    installed = set[str]().union(*locks)
    assert [module for module, names in owners.items() if not names & installed] == []
    wanted = {name for lock in locks for name, entry in lock.items() if entry.asked_by}
    assert wanted <= set().union(*owners.values())
