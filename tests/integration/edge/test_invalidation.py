"""CloudFront forgets images that were deleted or whose links were revoked."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from imageapi.edge import invalidate
from imageapi.errors import ConfigurationError

from tests.integration.edge.test_views import KEY, WEBP, get_links, upload
from tests.integration.stores import Configure, Stores, new_id
from tests.support import pictures
from tests.support.aws import emulate_aws, make_client
from tests.support.edge import Edge
from tests.support.events import LambdaContext, load_event, load_handler


@dataclass(frozen=True)
class Distribution:
    """One in an emulator."""

    client: Any
    id: str

    def invalidated(self) -> list[list[str]]:
        """The paths of each invalidation."""
        found = self.client.list_invalidations(DistributionId=self.id)["InvalidationList"].get("Items", [])
        return [self._paths(item["Id"]) for item in found]

    def _paths(self, invalidation_id: str) -> list[str]:
        answer = self.client.get_invalidation(DistributionId=self.id, Id=invalidation_id)
        paths: list[str] = answer["Invalidation"]["InvalidationBatch"]["Paths"]["Items"]
        return paths


@pytest.fixture
def distribution(configure: Configure) -> Iterator[Distribution]:
    """The function is configured for it."""
    with emulate_aws() as endpoint:
        client = make_client("cloudfront", endpoint)
        origin = {
            "Id": "a",
            "DomainName": "a.s3.amazonaws.com",
            "S3OriginConfig": {"OriginAccessIdentity": ""},
        }
        behaviour = {"TargetOriginId": "a", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": "a"}
        config = {
            "CallerReference": new_id(),
            "Comment": "",
            "Enabled": True,
            "DefaultCacheBehavior": behaviour,
            "Origins": {"Quantity": 1, "Items": [origin]},
        }
        name = client.create_distribution(DistributionConfig=config)["Distribution"]["Id"]
        credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        configure(AWS_ENDPOINT_URL_CLOUDFRONT=endpoint, DISTRIBUTION_ID=name, **credentials)
        invalidate._client.cache_clear()
        yield Distribution(client, name)
        invalidate._client.cache_clear()


def notify(*keys: str) -> dict[str, Any]:
    """The queue's event for notifications of the bucket, one for each key."""
    sample = load_event("invalidate")
    (message,) = sample["Records"]
    (record,) = json.loads(message["body"])["Records"]
    messages = []
    for number, key in enumerate(keys):
        about = {**record, "s3": {**record["s3"], "object": {**record["s3"]["object"], "key": key}}}
        body = json.dumps({"Records": [about]})
        messages.append({**message, "messageId": f"m-{number}", "body": body})
    return {"Records": messages}


def run(event: dict[str, Any]) -> dict[str, Any]:
    return load_handler("InvalidateFunction")(event, LambdaContext())


@pytest.mark.parametrize("query", ["", "?permanent=true"])
def test_a_deleted_image_is_forgotten(
    edge: Edge, distribution: Distribution, stores: Stores, query: str
) -> None:
    image, other = upload(edge), upload(edge, pictures.png(), "a.png")
    permanent = get_links(edge, image, links="permanent")["thumbnail"]
    seen = [image["urls"]["thumbnail"], image["urls"]["preview"], permanent]
    for link in (*seen, other["urls"]["thumbnail"]):
        assert edge.fetch("GET", link, WEBP).status == 200
    assert edge.fetch("DELETE", f"/api/images/{image['id']}{query}", KEY).status == 204
    (marker,) = (key for key in stores.keys() if key.startswith("invalidations/"))  # noqa: SIM118
    assert edge.fetch("GET", seen[0], WEBP).status == 200, "until it is told"

    outcome = run(notify(marker))

    assert outcome == {"images": [image["id"]], "paths": 2, "batchItemFailures": []}
    (paths,) = distribution.invalidated()
    edge.invalidate(paths)
    edge.asked.clear()
    for link in seen:
        answer = edge.fetch("GET", link, WEBP)
        assert (answer.status, answer.code) == (404, "image_not_found")
    edge.asked.clear()
    assert edge.fetch("GET", other["urls"]["thumbnail"], WEBP).status == 200
    assert edge.asked == []


def test_revoked_links_are_forgotten(edge: Edge, distribution: Distribution, stores: Stores) -> None:
    image = upload(edge)
    old = get_links(edge, image, links="permanent")["thumbnail"]
    assert edge.fetch("GET", old, WEBP).status == 200
    answer = edge.fetch("POST", f"/api/images/{image['id']}/links/revoke", KEY)
    assert answer.status == 200
    (marker,) = (key for key in stores.keys() if key.startswith("invalidations/"))  # noqa: SIM118

    run(notify(marker))

    (paths,) = distribution.invalidated()
    edge.invalidate(paths)
    refused = edge.fetch("GET", old, WEBP)
    assert (refused.status, refused.code) == (403, "link_revoked")
    assert edge.fetch("GET", answer.image["urls"]["thumbnail"], WEBP).status == 200
    assert edge.fetch("GET", image["urls"]["thumbnail"], WEBP).status == 200, "expiring links stay"


def test_many_images_are_two_paths(distribution: Distribution) -> None:
    ids = [f"0198c5f2-7b1e-7c3a-9d4e-{number:012x}" for number in range(6)]

    assert run(notify(*(f"originals/{name}.jpg" for name in ids[:5])))["paths"] == 10
    assert run(notify(*(f"originals/{name}.jpg" for name in ids)))["paths"] == 2
    assert run(notify(*[f"originals/{ids[0]}.jpg", f"invalidations/{ids[0]}"] * 5))["paths"] == 2

    found = sorted(sorted(paths) for paths in distribution.invalidated())
    assert sorted(map(len, found)) == [2, 2, 10]
    assert ["/images/*", "/variants/*"] in found
    assert [f"/images/{ids[0]}/*", f"/variants/{ids[0]}/*"] in found


def test_messages_that_name_no_image(distribution: Distribution) -> None:
    """S3's test when the notification is set up; an object put by hand; a message that is none of S3's."""
    event = notify("originals/by hand.jpg", "x", "y")
    event["Records"][1]["body"] = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})
    event["Records"][2]["body"] = "hello"

    outcome = run(event)

    assert outcome == {"images": [], "paths": 0, "batchItemFailures": [{"itemIdentifier": "m-2"}]}
    assert distribution.invalidated() == []


def test_a_failure_is_for_the_queue_to_try_again(distribution: Distribution, configure: Configure) -> None:
    event = load_event("invalidate")
    configure(DISTRIBUTION_ID="NOSUCHONE")
    with pytest.raises(ClientError, match="NoSuchDistribution"):
        run(event)
    configure(DISTRIBUTION_ID=None)
    with pytest.raises(ConfigurationError, match="DISTRIBUTION_ID"):
        run(event)
