"""A client by openapi-typescript and openapi-fetch: passes tsc --strict, and decodes all that it gets."""

import shutil
import subprocess
from pathlib import Path

from imageapi.http.operations import DOCUMENT

from tests.e2e.client import Api
from tests.support.pictures import jpeg

FOLDER = Path(__file__).parent
PROGRAM = "use_typescript_client"
OPTIONS = "--strict --noUncheckedIndexedAccess --target es2022 --module nodenext --skipLibCheck"


def test_typescript_client(api: Api, later_service: str, tmp_path: Path) -> None:
    def run(*command: object) -> None:
        subprocess.run(list(map(str, command)), cwd=tmp_path, check=True)

    for name in ("package.json", "package-lock.json", f"{PROGRAM}.ts"):
        shutil.copy(FOLDER / name, tmp_path)
    (tmp_path / "picture.jpg").write_bytes(jpeg(seed="client"))
    run("npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
    run("npx", "openapi-typescript", DOCUMENT, "--output", "api.d.ts")
    run("npx", "tsc", *OPTIONS.split(), f"{PROGRAM}.ts")
    run("node", f"{PROGRAM}.js", api.base_url, later_service, api.key, "picture.jpg")
