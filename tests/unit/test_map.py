"""The overview docstring of each room names its modules and nothing that is gone."""

import importlib
import pkgutil
import re

import imageapi
import pytest

EVERYTHING = pkgutil.walk_packages(imageapi.__path__, "imageapi.")
MODULES = [module.name for module in EVERYTHING if not module.ispkg]
ROOMS = [f"imageapi.{room.name}" for room in pkgutil.iter_modules(imageapi.__path__) if room.ispkg]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_names_its_modules_and_what_is_there(room: str) -> None:
    text = importlib.import_module(room).__doc__ or ""
    own = {name.removeprefix(f"{room}.") for name in MODULES if name.startswith(f"{room}.")}
    assert own <= set(re.findall(r"``(\w+)", text))
    for module, attribute in re.findall(r"``(\w+)\.(\w+)(?:\(\))?``", text):
        if module in own:
            assert hasattr(importlib.import_module(f"{room}.{module}"), attribute), attribute
