"""The modules and functions named in the overview docstrings exist."""

import importlib
import pkgutil
import re

import imageapi
import pytest

MODULES = [
    module.name for module in pkgutil.walk_packages(imageapi.__path__, "imageapi.") if not module.ispkg
]
ROOMS = [f"imageapi.{room.name}" for room in pkgutil.iter_modules(imageapi.__path__) if room.ispkg]


def exists(room: str, name: str) -> bool:
    """Whether a name in a room, such as ``direct.upload_image()``, is a module or a module's attribute."""
    name = name.removesuffix("()")
    path, _, attribute = name.rpartition(".")
    for module in MODULES:
        if module.endswith(f".{name}") or module == f"{room}.{name}":
            return True
        if module.endswith(f".{path}") and hasattr(importlib.import_module(module), attribute):
            return True
    return f"imageapi.{name}" in ROOMS


@pytest.mark.parametrize("room", ["imageapi", *ROOMS])
def test_what_a_room_says_is_there(room: str) -> None:
    text = importlib.import_module(room).__doc__ or ""
    named = re.findall(r"``([a-z0-9_]+(?:\.[a-z0-9_]+)+(?:\(\))?)``", text)
    assert [name for name in named if name != "os.environ" and not exists(room, name)] == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_names_its_modules(room: str) -> None:
    text = importlib.import_module(room).__doc__ or ""
    modules = [name.removeprefix(f"{room}.") for name in MODULES if name.startswith(f"{room}.")]
    assert [name for name in modules if not re.search(rf"``({name})(\.\w+(\(\))?)?``", text)] == []
