"""Finds the run that is under way on a data folder."""

import json
from pathlib import Path
from typing import Any

from local.errors import LocalError
from local.servers.process import identify


def read_running(data_dir: Path) -> dict[str, Any]:
    """What a run on this data folder wrote when it was ready. Raises LocalError when there is none."""
    try:
        facts: dict[str, Any] = json.loads((data_dir / "run.json").read_text())
    except (OSError, ValueError):
        facts = {}
    if not facts or identify(facts["pid"]) is None:
        raise LocalError("Nothing runs on that data folder: start `make run` in another terminal first.")
    return facts
