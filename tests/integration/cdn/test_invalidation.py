"""CloudFront drops images from its cache if they were deleted or their links were revoked."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError
from imageapi.config.aws_clients import get_aws_client
from imageapi.errors import ConfigurationError

from tests.integration.cdn.conftest import KEY, WEBP, get_permanent, upload
from tests.integration.client import Json
from tests.integration.stores import Configure, Stores, new_id
from tests.support import pictures
from tests.support.edge import Edge
from tests.support.events import LambdaContext, load_event, load_handler
from tests.support.http_server import Handler, serve
from tests.support.templates import MAIN, find

QUEUE = find(MAIN, "AWS::SQS::Queue")["InvalidationQueue"]
MAPPING = find(MAIN, "AWS::Lambda::EventSourceMapping")["InvalidationQueueMapping"]
DEFAULT_BATCH_SIZE = 10
WILDCARDS_IN_PROGRESS = 15
REFUSAL = b"""<ErrorResponse><Error><Type>Sender</Type><Code>TooManyInvalidationsInProgress</Code>
<Message>Your request will cause you to exceed the maximum.</Message></Error></ErrorResponse>"""


@dataclass
class CloudFront:
    """Accepts as many paths as the real one, which works on each for a minute.

    Attributes:
        now: its clock, in seconds.
        accepted: the paths of each invalidation.
    """

    now: float = 0.0
    accepted: list[list[str]] = field(default_factory=list)
    _until: list[float] = field(default_factory=list)
    _references: set[str] = field(default_factory=set)

    def invalidate(self, reference: str, paths: list[str]) -> tuple[int, bytes]:
        if reference not in self._references:
            assert all(path.endswith("/*") for path in paths)
            self._until = [time for time in self._until if time > self.now]
            if len(self._until) + len(paths) > WILDCARDS_IN_PROGRESS:
                return 400, REFUSAL
            self._until += [self.now + 60] * len(paths)
            self._references.add(reference)
            self.accepted.append(paths)
        return 201, b"<Invalidation><Id>I1</Id></Invalidation>"


@pytest.fixture
def cloudfront(configure: Configure) -> Iterator[CloudFront]:
    """The function uses this CloudFront."""
    found = CloudFront()

    class Invalidations(Handler):
        def respond(self) -> None:
            body = self.read_body().decode()
            (reference,) = re.findall("<CallerReference>(.+?)</CallerReference>", body)
            status, answer = found.invalidate(reference, re.findall("<Path>(.+?)</Path>", body))
            if "/distribution/E123/invalidation" not in self.path:
                status, answer = 404, re.sub(b"TooMany[A-Za-z]+", b"NoSuchDistribution", REFUSAL)
            self.answer(status, answer, content_type="text/xml")

    with serve(Invalidations) as url:
        configure(AWS_ENDPOINT_URL_CLOUDFRONT=url, DISTRIBUTION_ID="E123")
        configure(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
        get_aws_client.cache_clear()
        yield found
        get_aws_client.cache_clear()


def drain(cloudfront: CloudFront, messages: list[Json]) -> dict[str, int]:
    """Process a queue as SQS and Lambda do, two batches a second. Returns how often each was received."""
    waiting = dict.fromkeys((message["messageId"] for message in messages), 0.0)
    received = dict.fromkeys(waiting, 0)
    size = MAPPING.get("BatchSize", DEFAULT_BATCH_SIZE)
    while waiting:
        due = [m for m in messages if waiting.get(m["messageId"], math.inf) <= cloudfront.now][:size]
        if due:
            kept = {item["itemIdentifier"] for item in run({"Records": due})["batchItemFailures"]}
            for name in (message["messageId"] for message in due):
                received[name] += 1
                waiting[name] = cloudfront.now + QUEUE["VisibilityTimeout"]
                if name not in kept:
                    del waiting[name]
        cloudfront.now += 0.5
    return received


def notify(*keys: str) -> Json:
    """The queue's event with one notification of the bucket for each key."""
    sample = load_event("invalidate")
    (message,) = sample["Records"]
    (record,) = json.loads(message["body"])["Records"]
    messages = []
    for number, key in enumerate(keys):
        about = {**record, "s3": {**record["s3"], "object": {**record["s3"]["object"], "key": key}}}
        body = json.dumps({"Records": [about]})
        messages.append({**message, "messageId": f"m-{number}", "body": body})
    return {"Records": messages}


def run(event: Json) -> Json:
    return load_handler("OutsideFunction")(event, LambdaContext())


@pytest.mark.parametrize(
    ("method", "path", "keep", "error"),
    [
        ("DELETE", "", set(), (404, "image_not_found")),
        ("DELETE", "?permanent=true", set(), (404, "image_not_found")),
        ("POST", "/links/revoke", {"thumbnail", "preview"}, (403, "link_revoked")),
    ],
)
def test_what_is_deleted_or_revoked_is_forgotten(
    edge: Edge, cloudfront: CloudFront, stores: Stores, method: str, path: str, keep: set[str], error: Any
) -> None:
    image, other = upload(edge), upload(edge, pictures.png(), "a.png")
    links = image["urls"] | {"permanent": get_permanent(edge, image)}
    seen = [links[name] for name in ("thumbnail", "preview", "permanent")]
    for link in (*seen, other["urls"]["thumbnail"]):
        assert edge.fetch("GET", link, WEBP).status == 200
    assert edge.fetch(method, f"/api/images/{image['id']}{path}", KEY).status in (200, 204)
    (marker,) = (key for key in stores.keys() if key.startswith("invalidations/"))  # noqa: SIM118
    assert [edge.fetch("GET", link, WEBP).status for link in seen] == [200] * 3, "until it is told"

    assert run(notify(marker)) == {"images": [image["id"]], "paths": 2, "batchItemFailures": []}

    (paths,) = cloudfront.accepted
    edge.invalidate(paths)
    for name in ("thumbnail", "preview", "permanent"):
        answer = edge.fetch("GET", links[name], WEBP)
        assert answer.status == 200 if name in keep else (answer.status, answer.code) == error, name
    edge.asked.clear()
    assert edge.fetch("GET", other["urls"]["thumbnail"], WEBP).status == 200
    assert edge.asked == []


def test_an_image_that_several_messages_name_is_told_once(cloudfront: CloudFront) -> None:
    """CloudFront charges once for a repeated request, so a retry after a crash costs nothing."""
    ids = [new_id(), new_id()]
    event = notify(*(f"invalidations/{name}" for name in [*ids, *ids]))

    for _ in range(10):
        assert run(event) == {"images": sorted(ids), "paths": 4, "batchItemFailures": []}
    assert sorted(cloudfront.accepted) == [[f"/images/{i}/*", f"/variants/{i}/*"] for i in sorted(ids)]


def test_of_many_images_each_is_forgotten_and_no_other(cloudfront: CloudFront) -> None:
    """CloudFront refuses most requests. Their messages stay in the queue."""
    ids = [new_id() for _ in range(200)]

    received = drain(cloudfront, notify(*(f"invalidations/{name}" for name in ids))["Records"])

    assert sorted(cloudfront.accepted) == sorted([f"/images/{i}/*", f"/variants/{i}/*"] for i in ids)
    assert max(received.values()) < QUEUE["RedrivePolicy"]["maxReceiveCount"] / 2
    assert cloudfront.now < QUEUE["MessageRetentionPeriod"] / 2


def test_messages_that_name_no_image(cloudfront: CloudFront) -> None:
    """An object put by hand, S3's test message of a new notification, and a message not from S3."""
    event = notify("invalidations/by hand", "x", "y")
    event["Records"][1]["body"] = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})
    event["Records"][2]["body"] = "hello"

    outcome = run(event)

    assert outcome == {"images": [], "paths": 0, "batchItemFailures": [{"itemIdentifier": "m-2"}]}
    assert cloudfront.accepted == []


def test_a_failure_is_for_the_queue_to_try_again(cloudfront: CloudFront, configure: Configure) -> None:
    event = load_event("invalidate")
    configure(DISTRIBUTION_ID="NOSUCHONE")
    with pytest.raises(ClientError, match="NoSuchDistribution"):
        run(event)
    configure(DISTRIBUTION_ID=None)
    with pytest.raises(ConfigurationError, match="DISTRIBUTION_ID"):
        run(event)
