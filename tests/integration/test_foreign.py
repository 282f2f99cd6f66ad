"""`python -m tests.foreign`, with files of known outcome."""

from pathlib import Path

from tests.foreign.__main__ import Run
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.worker import worker


def test_outcomes(stores: Stores, tmp_path: Path) -> None:
    files = {
        "turned.jpg": (pictures.jpeg(orientation=6), "accepted: image/jpeg"),
        "large.jpg": (pictures.jpeg_of_size(4_500_000), "accepted: image/jpeg"),
        "large.txt": (b"x" * 4_500_000, "refused: 415 unsupported_image_type"),
        "empty": (b"", "refused: 422 field_invalid"),
    }
    for name, (data, _) in files.items():
        (tmp_path / name).write_bytes(data)

    with worker(stores.environment) as process:
        run = Run(stores, process)
        outcomes = {name: run.check(tmp_path / name) for name in files}

    assert outcomes == {name: outcome for name, (_, outcome) in files.items()}
