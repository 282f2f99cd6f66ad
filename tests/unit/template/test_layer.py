"""The layers contain only what the functions import."""

import ast
import importlib.metadata
import re
import sys

from packaging.utils import canonicalize_name

from tests.support.templates import ROOT

OTHERS_NEED = {"typing-extensions": "aws-lambda-powertools"}
"""A package pinned only because both layers need the same version, and the package that imports it."""


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


def pinned(pattern: str) -> set[str]:
    """The packages named in files of layers/shared."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "layers/shared").glob(pattern)]
    return {canonicalize_name(name) for text in texts for name in re.findall(r"^([\w.-]+)==", text, re.M)}


def test_the_layers_require_what_is_imported() -> None:
    distributions = importlib.metadata.packages_distributions()
    # A module such as `google` belongs to several packages.
    owners = {
        module: {canonicalize_name(owner) for owner in distributions[module]} for module in imported_modules()
    }
    installed = pinned("*.txt")
    assert [module for module, names in owners.items() if not names & installed] == []
    assert pinned("requirements*.txt") - set().union(*owners.values()) == set(OTHERS_NEED)
