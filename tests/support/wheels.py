"""Packages for pip that need no network."""

import zipfile
from pathlib import Path


def make_wheel(folder: Path, name: str) -> Path:
    """Write an empty package, version 1.0, into a folder for pip's ``--find-links``."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(f"{name}-1.0.dist-info/{file}", text)
    return path
