"""With MAINTENANCE=true, no function writes to either store. Events that arrive meanwhile wait."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from imageapi.errors import MaintenanceError

from tests.integration.analyses import queue, queue_event
from tests.integration.client import get, send, upload
from tests.integration.key_requests import make_key
from tests.integration.leftovers import expire
from tests.integration.lifecycle import announce_and_post, arrived, complete_event, trash_image
from tests.integration.stores import TABLES, Configure, Stores
from tests.support import pictures
from tests.support.events import Event, LambdaContext, event_names, load_event, load_handler, load_routes
from tests.support.openapi import operations
from tests.support.templates import MAIN, find, read_template

ON = {"MAINTENANCE": "true", "EDGE": "true", "WEBHOOKS": "true", "ANALYZE_UPLOADS": "true"}
RESOURCES = read_template(MAIN)["Resources"]
FUNCTIONS = set(find(MAIN, "AWS::Lambda::Function")) - {"MigrateFunction"}
"""All functions except MigrateFunction: a deploy may migrate."""


@pytest.fixture
def upload_id(stores: Stores) -> str:
    """The id of an upload whose file has arrived. The stores also contain work for every other function."""
    waiting = announce_and_post(pictures.jpeg(seed=1))
    queue(stores, upload(pictures.jpeg(800, 600)).image["id"])
    assert trash_image(upload(pictures.jpeg(seed=2)).image["id"]).status == 204
    stores.execute("UPDATE trashed_images SET purge_after = now()")
    stores.insert_unready("deleting")
    expire(stores)
    return waiting


def contents(stores: Stores) -> dict[str, Any]:
    select = "SELECT {0}::text AS text FROM {0} ORDER BY 1"
    rows = {table: [row["text"] for row in stores.execute(select.format(table))] for table in TABLES}
    listed = stores.client.list_objects_v2(Bucket=stores.s3.bucket)["Contents"]
    return {**rows, "objects": [(item["Key"], item["ETag"], item["LastModified"]) for item in listed]}


def make_events(upload_id: str) -> Iterator[tuple[str, Event]]:
    """Each function with each kind of event in the template, except requests."""
    samples = {
        "UploadQueue": arrived(upload_id),
        "AnalysisQueue": queue_event(upload_id),
        "InvalidationQueue": load_event("invalidate"),
        "WebhookQueue": load_event("notify"),
    }
    for mapping in find(MAIN, "AWS::Lambda::EventSourceMapping").values():
        yield mapping["FunctionName"]["Ref"], samples[mapping["EventSourceArn"]["Fn::GetAtt"][0]]
    for name in FUNCTIONS:
        for source in RESOURCES[name]["Properties"].get("Events", {}).values():
            if source["Type"] == "Schedule":
                yield name, json.loads(source["Properties"].get("Input", "{}"))
    yield "ManageFunction", {"take": True}  # from OutsideFunction


def test_nothing_is_written(stores: Stores, upload_id: str, configure: Configure) -> None:
    keys = [None, make_key("images:read", "images:write", "images:delete", "keys:manage")["key"]]
    before = contents(stores)
    configure(**ON)
    asked = set()

    for name, key in [(name, key) for name in event_names() for key in keys]:
        event = load_event(name)
        if key:
            event["headers"]["X-API-Key"] = key
        answer = send(event)
        asked.add(load_routes()[event["resource"]])
        if answer.status == 503 and name != "health":
            assert answer.code == "maintenance"
            assert answer.headers["retry-after"]
        else:
            assert name in ("asset", "docs", "gallery", "health", "openapi")
    for function, event in make_events(upload_id):
        asked.add(function)
        with pytest.raises(MaintenanceError):
            load_handler(function)(event, LambdaContext())

    assert asked == FUNCTIONS
    assert contents(stores) == before


def test_what_may_be_asked_during_it(stores: Stores, upload_id: str, configure: Configure) -> None:
    """A restore needs health, the sweep's report, and the comparison of rows and files."""
    before = contents(stores)
    configure(**ON)
    handler = load_handler("SweepFunction")

    assert handler({"dry_run": True}, LambdaContext())["purged"] == 1
    assert handler({"verify": {}}, LambdaContext())["missing"] == []
    health = get("/health", key=None)

    assert (health.status, health.body["status"]) == (503, "maintenance")
    assert {check["status"] for check in health.body["checks"].values()} == {"up"}
    assert contents(stores) == before
    assert {method for method, _, each in operations() if each.get("x-in-maintenance")} == {"get"}


def test_what_came_meanwhile_is_done_afterwards(stores: Stores, upload_id: str, configure: Configure) -> None:
    (event,) = (event for function, event in make_events(upload_id) if function == "UploadFunction")
    ingest = load_handler("UploadFunction")
    configure(**ON)
    with pytest.raises(MaintenanceError):
        ingest(event, LambdaContext())
    configure(MAINTENANCE=None)

    assert ingest(event, LambdaContext())["completed"] == [upload_id]
    assert send(complete_event(upload_id)).status == 200
