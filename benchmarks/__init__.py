"""What the service costs, as ratios to a floor that is measured in the same run: `python -m benchmarks`.

Milliseconds differ from machine to machine and from minute to minute; a ratio of two things that took turns
does so much less.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# As the layer does on AWS, and as pyproject.toml does for the tests.
sys.path.insert(0, str(ROOT / "layers" / "shared"))
