"""What the service costs, as ratios to a floor that is measured in the same run: `python -m benchmarks`.

Milliseconds differ from machine to machine and from minute to minute; the ratio of two interleaved
measurements varies far less.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# The layer does this on AWS, and pyproject.toml for the tests.
sys.path.insert(0, str(ROOT / "layers" / "shared"))
