"""docs/limits.md: its numbers are those of the code, and its codes have these statuses."""

import re

import pytest
from imageapi.analysis import gemini
from imageapi.catalog import uploads
from imageapi.changes import serialize, waiting
from imageapi.config import settings
from imageapi.decoder.forks import LIMITS, REUSED_SECONDS
from imageapi.delivery import deliver
from imageapi.http.json_body import MAX_JSON_BYTES
from imageapi.images.revoke_links import REVOCATIONS_PER_DAY
from imageapi.model import filenames, idempotency, metadata, picture, variant_names
from imageapi.pictures import frames, pixel_limits
from imageapi.search import counts, sort_matches, tokens
from imageapi.uploads import presigned
from imageapi.webhook_sender import addresses, response, send
from imageapi.webhooks import due, retries
from samcli.yamlhelper import yaml_parse

from tests.support.documents import read, rows
from tests.support.openapi import body_of, parameters, schema, statuses_of_codes

DOCUMENT = "docs/limits.md"
DEFAULTS = settings.load_settings({"MINIO_BUCKET_NAME": "images"})
LENGTHS = {name: field.max_length for name, field in metadata.TEXT_FIELDS.items()}
OVERLAP = body_of("rotateWebhookSecret")["properties"]["overlap_hours"]
HOURS = retries.PAUSE_AFTER.total_seconds() / 3_600
FRAME_PIXELS = DEFAULTS.max_pixels * 2 // 5


def bound(path: str, name: str, *keys: str) -> list[float]:
    """Bounds of a parameter of GET in openapi.json."""
    return [parameters("get", path)[name]["schema"][key] for key in keys or ["maxItems"]]


VALUES: dict[str, list[float]] = {
    "File in POST /api/upload": [settings.MAX_DIRECT_FILE_BYTES],
    "Whole body of POST /api/upload": [settings.MAX_MULTIPART_BYTES],
    "File in POST /api/uploads (MAX_UPLOAD_BYTES)": [DEFAULTS.max_upload_bytes],
    "JSON body, or metadata in a form": [MAX_JSON_BYTES],
    "Lifetime of the upload form": [presigned.FORM_SECONDS],
    "Time until a registered upload without a file is undone": [presigned.OPEN_SECONDS],
    "Time that GET /api/uploads/{id} shows why an upload failed": [uploads.KEPT_DAYS],
    "Lifetime of an Idempotency-Key": [idempotency.KEY_DAYS],
    "JPEG or still PNG (MAX_PIXELS)": [DEFAULTS.max_pixels],
    "HEIC": [50, DEFAULTS.max_pixels // 2],
    "Other formats, and each frame of an animation": [40, FRAME_PIXELS],
    "Longer side": [picture.MAX_SIDE],
    "Frames, or pages of a TIFF": [picture.MAX_FRAMES],
    "All frames together": [pixel_limits.ANIMATION_FACTOR, pixel_limits.ANIMATION_FACTOR * FRAME_PIXELS],
    "CPU time to decode a file": [LIMITS["inspect"].cpu_seconds - REUSED_SECONDS],
    "Memory to decode a file": [LIMITS["inspect"].memory / 2**20],
    "Widths": [*variant_names.WIDTHS],
    "Pixels of a variant": [variant_names.MAX_ENCODED_PIXELS],
    "Longest side of a variant": [variant_names.MAX_SIDE],
    "Frames of an animated variant": [frames.MAX_ANIMATED_FRAMES],
    "All frames of an animated variant": [frames.MAX_ANIMATED_PIXELS],
    "Names in variants": bound("/api/images/{image_id}", "variants"),
    "Lifetime of a link (LINK_TTL_SECONDS)": [DEFAULTS.link_ttl, 1.5, 1.5 * DEFAULTS.link_ttl],
    "Lifetime of the S3 URL behind a link": [deliver.URL_SECONDS],
    "Revocations of permanent links": [REVOCATIONS_PER_DAY],
    **{name: [length] for name, length in LENGTHS.items()},
    "A tag": [metadata.TAG.max_length],
    "File name": [filenames.MAX_FILENAME_LENGTH],
    "Idempotency-Key": [idempotency.MAX_KEY_LENGTH],
    "limit of a list": bound("/api/images", "limit", "maximum", "default"),
    "q": [tokens.MAX_QUERY_LENGTH],
    "Words in q": [tokens.MAX_TERMS],
    "tags in a filter": bound("/api/images", "tags"),
    "sha256 in a filter": bound("/api/images", "sha256"),
    "Matches of a search or filter, sorted by title or size": [sort_matches.MAX_SORTED],
    "Exact total of a search or filter": [counts.MAX_COUNTED],
    "ids in a batch": [schema("ImageBatch")["properties"]["ids"]["maxItems"]],
    "Images in the trash (TRASH_DAYS)": [DEFAULTS.trash_days],
    "Feed of changes (CHANGES_DAYS)": [DEFAULTS.changes_days],
    "limit of GET /api/changes": bound("/api/changes", "limit", "maximum", "default"),
    "wait": bound("/api/changes", "wait", "maximum"),
    "Waiting requests of one API key": [waiting.PLACES_OF_A_KEY],
    "Waiting requests of all API keys": [DEFAULTS.changes_waits],
    "Size of a page of changes": [serialize.MAX_BYTES],
    "name of an API key": [schema("NewKey")["properties"]["name"]["maxLength"]],
    "Lifetime of an API key (KEY_MAX_DAYS)": [DEFAULTS.key_max_days],
    "Root key and signing key on AWS": [settings.MIN_KEY_LENGTH],
    "Webhooks": [due.MAX_WEBHOOKS],
    "url": [addresses.MAX_URL_LENGTH],
    "Time for a receiver to respond": [send.DELIVERY_SECONDS],
    "Pause after a failure": [retries.FIRST_SECONDS, retries.MAX_SECONDS],
    "Time of failures": [HOURS],
    "Retry-After of a receiver": [response.MAX_RETRY_AFTER],
    "overlap_hours of a rotation": [OVERLAP["maximum"], OVERLAP["default"]],
    "results of a webhook": [retries.MAX_RESULTS],
    "Analyses (ANALYSIS_DAILY_BUDGET)": [DEFAULTS.analysis_daily_budget],
    "caption": [gemini.MAX_CAPTION],
    "text_seen": [gemini.MAX_TEXT_SEEN],
}


def numbers(cell: str) -> list[float]:
    return [float(text.replace(",", "")) for text in re.findall(r"(?<![\w/])\d[\d,]*(?:\.\d+)?", cell)]


def table() -> dict[str, list[list[float]]]:
    """The numbers of each row; ``tags`` has two rows, of images and of analyses."""
    found: dict[str, list[list[float]]] = {}
    for label, value, _ in rows(DOCUMENT):
        found.setdefault(label.replace("`", ""), []).append(numbers(value))
    return found


@pytest.mark.parametrize("label", VALUES)
def test_numbers_are_those_of_the_code(label: str) -> None:
    assert table()[label] == [VALUES[label]]


def test_tags_of_images_and_of_analyses() -> None:
    assert table()["tags"] == [[metadata.MAX_TAGS], [gemini.MAX_TAGS, gemini.MAX_TAG]]


def test_rates_and_times_are_those_of_the_template() -> None:
    template = yaml_parse(read("template.yaml"))
    settings = template["Resources"]["Api"]["Properties"]["MethodSettings"]
    names = ("ThrottlingRateLimit", "ThrottlingBurstLimit")
    throttles = {one["ResourcePath"].replace("~1", "/"): [one[name] for name in names] for one in settings}
    found = table()
    assert found["Requests to a route, on AWS"] == [throttles["/*"]]
    assert found["Requests to links, on AWS"] == [throttles["//images/{image_id}/{variant}"]]
    assert found["Requests to /health, on AWS"] == [throttles["//health"]]
    assert found["Duration of a request, on AWS"] == [[template["Globals"]["Function"]["Timeout"]]]
    for name, path in (("Database=postgres", "infra/postgres.yaml"), ("Aurora", "infra/aurora.yaml")):
        (connections,) = re.findall(r'max_connections: "(\d+)"', read(path))
        assert found[f"Connections of the functions to {name}"] == [[int(connections) - 15]]


def test_every_row_is_checked() -> None:
    others = {"Limit", "tags", "url without https, or to an address that is not public"}
    unchecked = table().keys() - VALUES.keys() - others
    assert all(label.startswith(("Requests to", "Duration", "Connections")) for label in unchecked)


def test_codes_have_these_statuses() -> None:
    statuses = statuses_of_codes()
    named = re.findall(r"\b([45]\d\d) `([a-z_0-9]+)`", read(DOCUMENT))
    assert len(named) > 40
    assert {code: int(status) for status, code in named} == {code: statuses[code] for _, code in named}
