"""Tests, and harnesses for ``python -m tests.NAME``."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# On AWS, the layer does this; for pytest, pyproject.toml.
sys.path.insert(0, str(ROOT / "layers" / "shared"))
