"""make demo against a scripted HTTP server."""

from argparse import Namespace
from typing import Any

import pytest

from local.client import Api as Client
from local.demo import upload
from local.errors import LocalError
from local.settings import make_settings
from tests.integration.local.conftest import Api

MADE: tuple[int, Any] = (201, {"data": {}})


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ([MADE], "added"),
        ([(503, None), (429, None), MADE], "added"),
        ([(200, {"data": {}})], "there already"),
        ([(422, {"error": {"code": "idempotency_key_reused"}})], "there already"),
        ([(422, {"error": {"code": "image_corrupt", "message": "No."}})], "number 2: 422 image_corrupt: No."),
        ([(418, None)], "number 2: 418 : "),
    ],
)
def test_what_an_answer_means(api: Api, answers: list[tuple[int, Any]], text: str) -> None:
    api.answers["POST"] = answers.copy()

    assert upload.upload_one(Client(api.url, "right"), 2) == text
    assert [key for *_, key in api.requests] == ["demo-0002"] * len(answers)


def run(api_url: str | None, key: str | None, count: int = 3, **variables: str) -> None:
    arguments = Namespace(base_url=api_url, api_key=key, count=count)
    upload.run_demo(arguments, make_settings(variables), None)


def test_a_run_says_what_it_did(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers["POST"] = [(200, {"data": {}}), MADE]
    run(None, None, BASE_URL=api.url + "/", API_KEY="right,older")
    assert "2 added, 1 there already" in capsys.readouterr().out
    assert sorted(key for *_, key in api.requests if key) == ["demo-0000", "demo-0001", "demo-0002"]

    api.answers["POST"] = [(422, {"error": {"code": "metadata_invalid", "message": "No."}}), MADE]
    with pytest.raises(LocalError, match=r"1 were not taken; .*number \d: 422 metadata_invalid"):
        run(api.url, "right")


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("http://127.0.0.1:1", "right", "make run"),
        ("nonsense", "right", "not an address"),
        ("ftp://127.0.0.1", "right", "not an address"),
        ("http://", "right", "not an address"),
        (None, "wrong", "API_KEY"),
        (None, "", "API_KEY"),
    ],
)
def test_without_an_api_that_can_be_used(api: Api, url: str | None, key: str, said: str) -> None:
    with pytest.raises(LocalError, match=said):
        run(url or api.url, key)
    assert not api.requests
