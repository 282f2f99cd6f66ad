"""Analysis against real stores and an HTTP server that speaks Gemini's protocol."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from tests.integration.analyses import (
    analysis_event,
    analyze,
    calls,
    gemini_variables,
    new_image,
    queue,
    read_analysis,
    row,
)
from tests.integration.client import get, upload
from tests.integration.leftovers import die
from tests.integration.stores import Configure, Stores
from tests.support import pictures
from tests.support.gemini_server import KEY, MODEL, SAFE, Blocks, GeminiServer, Says, Slow
from tests.support.worker import answer_at_once, workers


def test_an_image_is_described(stores: Stores, server: GeminiServer) -> None:
    image_id = new_image(title="mine", tags=["own"])

    answer = analyze(image_id)

    assert answer.status == 200
    assert answer.body["data"] == {
        "status": "ready",
        "failure": None,
        "caption": "A red square on a table.",
        "tags": ["red", "square"],
        "text_seen": "こんにちは HELLO",
        "safety": SAFE,
        "model": f"{MODEL}-001",
        "analyzed_at": answer.body["data"]["analyzed_at"],
    }
    age = datetime.now(UTC) - datetime.fromisoformat(answer.body["data"]["analyzed_at"])
    assert timedelta(0) <= age < timedelta(minutes=1)
    (image,) = stores.rows()
    assert (image["title"], image["tags"], image["version"]) == ("mine", ["own"], 1)
    assert read_analysis(image_id) == answer.body["data"]
    assert [found["id"] for found in get("/api/images", {"q": "hello"}).body["images"]] == [image_id]


def test_what_is_sent_is_small_and_says_nothing_else(stores: Stores, server: GeminiServer) -> None:
    data = pictures.jpeg_of_size(300_000)
    assert b"Exif" in pictures.camera_jpeg()
    large = upload(data, {"title": "Top secret"}, filename="secret.jpg").image
    with_exif = new_image()

    analyze(large["id"])
    analyze(with_exif)

    for request in server.requests:
        assert request.path == f"/v1/models/{MODEL}:generateContent"
        assert request.headers["x-goog-api-key"] == KEY
        assert request.body["generationConfig"]["responseMimeType"] == "application/json"
        text = json.dumps({**request.body, "contents": None}) + json.dumps(request.parts[-1])
        assert "secret" not in text.lower()
        assert "English" in text
        with Image.open(io.BytesIO(request.picture)) as picture:
            assert picture.format == "JPEG"
            assert picture.width <= 640
            assert not picture.getexif()
            assert not {"exif", "icc_profile", "comment", "xmp"} & set(picture.info)
        assert b"Exif" not in request.picture
        assert b"Canon" not in request.picture
    assert len(server.requests[0].picture) < len(data)


def test_an_analysis_is_made_once_and_outlives_a_failed_new_one(stores: Stores, server: GeminiServer) -> None:
    image_id = new_image()
    first = analyze(image_id)
    server.script = [Says(caption="Another."), Blocks()]

    assert analyze(image_id).body == first.body
    assert len(server.requests) == 1
    second = analyze(image_id, again="true").body["data"]
    assert second["caption"] == "Another."
    assert analyze(image_id, again="true").status == 422
    assert read_analysis(image_id) == second | {"failure": "analysis_blocked"}
    assert calls(stores) == 3


def test_what_is_not_analysed(stores: Stores, server: GeminiServer, configure: Configure) -> None:
    pending = stores.insert_unready("pending")
    for image_id in (pending, "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e", "nonsense"):
        assert analyze(image_id).error == (404, "image_not_found")
        assert get(f"/api/images/{image_id}/analysis").error == (404, "image_not_found")
    configure(GEMINI_API_KEY="")
    assert analyze(new_image()).error == (501, "analysis_not_configured")
    assert not server.requests
    assert not stores.execute("SELECT * FROM image_analysis")


def test_an_analysis_before_it_is_made(stores: Stores) -> None:
    image_id = new_image()
    assert get(f"/api/images/{image_id}/analysis").error == (404, "analysis_not_found")
    queue(stores, image_id)
    nothing = {"caption": "", "tags": [], "text_seen": "", "safety": {}}
    missing = dict.fromkeys(("failure", "model", "analyzed_at"))
    assert read_analysis(image_id) == {"status": "queued", **nothing, **missing}


def test_the_budget_of_a_day(stores: Stores, server: GeminiServer, configure: Configure) -> None:
    configure(ANALYSIS_DAILY_BUDGET="2")
    stores.execute("INSERT INTO daily_budgets VALUES ('analyses', (now() AT TIME ZONE 'UTC')::date - 1, 2)")

    statuses = [analyze(new_image()).status for _ in range(2)]
    image_id = new_image()
    answer = analyze(image_id)

    assert statuses == [200, 200]
    assert answer.error == (429, "analysis_budget_spent")
    assert answer.body["error"]["details"] == {"daily_budget": 2}
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0) + timedelta(days=1)
    left = (tomorrow - datetime.now(UTC)).total_seconds()
    assert abs(int(answer.headers["retry-after"][0]) - left) < 10
    assert len(server.requests) == 2
    stores.execute("UPDATE daily_budgets SET day = day - 10")
    assert analyze(image_id).status == 200


def test_many_at_once_stay_within_the_budget(stores: Stores, server: GeminiServer) -> None:
    images = [new_image() for _ in range(6)]
    variables = gemini_variables(server) | {"ANALYSIS_DAILY_BUDGET": "3"}
    with workers(stores.environment | variables, 6) as processes:
        for process, image_id in zip(processes, images, strict=True):
            process.send(analysis_event(image_id))
        statuses = sorted(process.answer().status for process in processes)

    assert statuses == [200, 200, 200, 429, 429, 429]
    assert len(server.requests) == 3


def test_one_image_is_sent_once_however_many_ask(stores: Stores, server: GeminiServer) -> None:
    server.script = [Slow(1.5)]
    image_id = new_image()
    with workers(stores.environment | gemini_variables(server), 3) as processes:
        answers = answer_at_once(processes, analysis_event(image_id))

    assert len(server.requests) == 1
    assert sorted(answer.status for answer in answers) == [200, 409, 409]
    assert {answer.code for answer in answers if answer.status == 409} == {"analysis_in_progress"}


@pytest.mark.parametrize(
    ("step", "status", "found"),
    [
        ("catalog.analyses.save", "running", 0),
        ("catalog.images.update", "running", 0),
        ("database.db.transaction", "ready", 1),
    ],
)
def test_what_is_saved_is_found_wherever_the_process_dies(
    stores: Stores, server: GeminiServer, step: str, status: str, found: int
) -> None:
    image_id = new_image()
    die(stores, analysis_event(image_id), step, "after", variables=gemini_variables(server))

    assert row(stores, image_id)["status"] == status
    assert len(get("/api/images", {"q": "hello"}).body["images"]) == found


def test_who_was_overtaken_does_not_save(stores: Stores, server: GeminiServer) -> None:
    image_id = new_image()
    event, variables = analysis_event(image_id), gemini_variables(server)
    with stores.paused_at(event, "database.db.transaction", "before", variables=variables) as process:
        stores.execute("UPDATE image_analysis SET lease_until = now() - interval '1 s'")
        server.script = [Says(caption="The second one.")]
        second = analyze(image_id).body["data"]
        late = process.finish()

    assert (late.status, late.code) == (409, "analysis_in_progress")
    assert read_analysis(image_id) == second
