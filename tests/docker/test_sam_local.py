"""`sam build`, `sam local invoke` and `sam local start-api`, with only samconfig.toml's settings.

(--skip-pull-image only reuses images that were already pulled.)
"""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.docker import images, stack
from tests.integration.test_events import EXPECTED
from tests.support.events import event_names, function_for

pytestmark = pytest.mark.usefixtures("stores", "built")


@pytest.fixture(scope="module")
def sam_api(stores: None, built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run ``sam local start-api`` on port 8000; yields its log file."""
    log = tmp_path_factory.mktemp("sam") / "start-api.log"
    with stack.sam_local_api(log):
        yield log
    assert stack.find_sam_containers() == [], "Ctrl-C left containers of functions behind"


def test_invoke_answers_each_sample_event() -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = dict(zip(event_names(), pool.map(invoke, event_names()), strict=True))

    assert {event: answer["statusCode"] for event, answer in answers.items()} == EXPECTED, answers


def invoke(event: str) -> dict[str, Any]:
    command = ("local", "invoke", function_for(event), "-e", f"events/{event}.json", "--skip-pull-image")
    answer: dict[str, Any] = json.loads(stack.run(stack.sam_command(), *command).stdout.splitlines()[-1])
    return answer


def test_second_request_finds_a_warm_container(sam_api: Path) -> None:
    stack.wait_for_status("/health", 200, seconds=60)
    containers = stack.find_sam_containers()

    assert stack.API.get("/health").status == 200

    assert stack.find_sam_containers() == containers


def test_picture_comes_back_as_it_was_sent(sam_api: Path) -> None:
    """Bytes that are not UTF-8 go through SAM's base64 into MinIO, and come back through a link."""
    picture = images.make_jpeg(seed=1)

    stored = images.upload(picture)

    assert stored["sha256"] == hashlib.sha256(picture).hexdigest()
    assert images.download_original(stored) == picture


def test_api_survives_a_restart_of_postgres(sam_api: Path) -> None:
    stack.wait_for_status("/api/database/status", 200, seconds=60)

    stack.compose("restart", "postgres")
    stack.compose("up", "-d", "--wait")

    assert stack.wait_for_status("/api/database/status", 200, seconds=30).body["status"] == "connected"


def test_end_to_end_suite_passes(sam_api: Path) -> None:
    # SAM itself responds with 502 to a body that is not UTF-8, as some generated requests have. The tests of
    # the API's container send them all.
    print(stack.run_e2e_suite("-k", "not negative and not test_query_parameters_are_checked"))
