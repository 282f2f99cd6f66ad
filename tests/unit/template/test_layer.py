"""The layers contain only what the functions import."""

import importlib.metadata
import re
import sys

from packaging.utils import canonicalize_name

from tests import ROOT
from tests.support.locks import read_lock

IMPORT = re.compile(r"^\s*(?:from|import) (\w+)[\w.]*(?: import .+| as \w+)?(?:  #.*)?$", re.M)


def test_the_layers_require_what_is_imported() -> None:
    paths = [*(ROOT / "layers/shared/imageapi").rglob("*.py"), *(ROOT / "functions").glob("*/*.py")]
    imported = {name for path in paths for name in IMPORT.findall(path.read_text(encoding="utf-8"))}
    imported -= {"imageapi", *sys.stdlib_module_names, *(path.stem for path in paths)}
    distributions = importlib.metadata.packages_distributions()
    # A module such as `google` belongs to several packages.
    owners = {name: set(map(canonicalize_name, distributions[name])) for name in imported}
    locks = [read_lock(path) for path in (ROOT / "layers/shared").glob("*.txt")]
    installed = set[str]().union(*locks)
    assert [name for name, packages in owners.items() if not packages & installed] == []
    wanted = {name for lock in locks for name, entry in lock.items() if entry.asked_by}
    assert wanted <= set().union(*owners.values())
