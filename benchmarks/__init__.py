"""Measure the service as ratios to a floor from the same run: `python -m benchmarks`.

Milliseconds differ from machine to machine and from minute to minute. The ratio of two interleaved
measurements varies far less.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# On AWS, the layer does this; for the tests, pyproject.toml.
sys.path.insert(0, str(ROOT / "layers" / "shared"))
