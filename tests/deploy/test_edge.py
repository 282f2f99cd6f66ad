"""A stack with CloudFront. The emulator's CloudFront forwards no requests, so the tests send them like it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.deploy.cloud import Cloud, Stack
from tests.e2e.client import Api
from tests.integration.stores import new_id
from tests.support import pictures
from tests.support.edge_function import EdgeFunction
from tests.support.http_client import Answer, fetch
from tests.support.waiting import wait_until

STACK = "edge"
DATABASE = "edge"
"""A separate database: another stack's sweep would miss the files of these images in its bucket."""
VIEWER_HOST = "d111111abcdef8.cloudfront.net"


@dataclass(frozen=True)
class EdgeStack:
    """The stack, and its parts in CloudFront."""

    cloud: Cloud
    stack: Stack
    distribution_id: str
    config: dict[str, Any]

    def secret(self, name: str) -> str:
        return self.cloud.secret(self.cloud.physical_id(STACK, name))

    def code(self) -> str:
        """The published code of the function."""
        name = self.config["DefaultCacheBehavior"]["FunctionAssociations"]["Items"][0]["FunctionARN"]
        answer = self.cloud.client("cloudfront").get_function(Name=name.rpartition("/")[2], Stage="LIVE")
        return str(answer["FunctionCode"].read().decode())

    def invalidated(self) -> set[str]:
        client, names = self.cloud.client("cloudfront"), {"DistributionId": self.distribution_id}
        found = client.list_invalidations(**names)["InvalidationList"].get("Items", [])
        answers = [client.get_invalidation(**names, Id=item["Id"])["Invalidation"] for item in found]
        return {path for answer in answers for path in answer["InvalidationBatch"]["Paths"]["Items"]}


@dataclass(frozen=True)
class ApiBehindEdge(Api):
    """Adds CloudFront's headers to each request."""

    secret: str

    def request(self, method: str, path: str, **options: Any) -> Answer:
        added = {"X-Origin-Verify": self.secret, "X-Forwarded-Host": VIEWER_HOST}
        return super().request(
            method, path, **options | {"headers": {**(options.get("headers") or {}), **added}}
        )


@pytest.fixture(scope="module")
def edge(cloud: Cloud, build: Path) -> Iterator[EdgeStack]:
    cloud.deploy(build, STACK, {"Edge": "true", "DatabaseSecretArn": cloud.create_database(DATABASE)})
    nested = cloud.physical_id(STACK, "EdgeStack")
    name = cloud.physical_id(nested, "Distribution")
    config = cloud.client("cloudfront").get_distribution_config(Id=name)["DistributionConfig"]
    yield EdgeStack(cloud, cloud.describe(STACK), name, config)
    cloud.delete(STACK)


@pytest.fixture
def api(edge: EdgeStack) -> Api:
    return ApiBehindEdge(edge.stack.base_url, edge.secret("ApiKeySecret"), edge.secret("OriginSecret"))


def test_the_address_is_the_distributions(edge: EdgeStack) -> None:
    client = edge.cloud.client("cloudfront")
    domain = client.get_distribution(Id=edge.distribution_id)["Distribution"]["DomainName"]
    assert edge.stack.outputs["Url"] == f"https://{domain}"


def test_cloudfront_has_both_secrets(edge: EdgeStack) -> None:
    assert f"const KEYS = '{edge.secret('SigningKeySecret')}'.split" in edge.code()
    (api,) = (origin for origin in edge.config["Origins"]["Items"] if origin["Id"] == "api")
    (header,) = api["CustomHeaders"]["Items"]
    assert header == {"HeaderName": "X-Origin-Verify", "HeaderValue": edge.secret("OriginSecret")}


def test_the_deployed_function_takes_the_links_of_the_deployed_service(edge: EdgeStack, api: Api) -> None:
    image = api.upload(pictures.jpeg(800, 600)).image
    link = image["urls"]["thumbnail"]
    assert urlsplit(link).netloc == VIEWER_HOST
    target = link.partition(VIEWER_HOST)[2]

    with EdgeFunction(edge.code()) as function:
        outcome = function.on_request(target, [("Accept", "image/webp")])
        another = target[:-1] + ("A" if target[-1] != "A" else "B")
        altered = function.on_request(another, [("Accept", "image/webp")])

    assert altered.error == (403, "link_invalid")
    assert outcome.uri == f"/variants/{image['id']}/w320.webp"
    headers = {"X-Origin-Verify": edge.secret("OriginSecret"), "Accept": outcome.headers["accept"]}
    query = urlsplit(link).query
    answer = fetch("GET", f"{edge.stack.base_url}{outcome.uri}?{query}", headers)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
    assert answer.data[8:12] == b"WEBP", "bytes, not base64"
    stored = edge.cloud.client("s3").head_object(
        Bucket=edge.stack.outputs["BucketName"], Key=outcome.uri.removeprefix("/")
    )
    assert stored["ETag"] == answer.headers["etag"]
    assert stored["CacheControl"] == "public, max-age=31536000, immutable"


def test_the_api_answers_cloudfront_only(edge: EdgeStack, api: Api) -> None:
    assert api.get("/api/images").status == 200
    for headers in ({}, {"X-Origin-Verify": "guessed"}):
        direct = Api(edge.stack.base_url, edge.secret("ApiKeySecret"))
        answer = direct.request("GET", "/api/images", headers=headers)
        assert (answer.status, answer.code) == (403, "edge_bypassed")


def test_deleted_and_revoked_images_are_invalidated(edge: EdgeStack, api: Api) -> None:
    """Requests, and the sweep after a crash, do so with their own roles."""
    deleted, revoked = (api.upload(pictures.jpeg(seed=seed)).image for seed in (1, 2))
    link = deleted["urls"]["thumbnail"].partition(VIEWER_HOST)[2]
    headers = {"X-Origin-Verify": edge.secret("OriginSecret")}
    assert fetch("GET", edge.stack.base_url + link, headers).status == 302, "there is a variant now"
    interrupted = new_id()
    with closing(edge.cloud.database.connect(DATABASE)) as connection:
        connection.autocommit = True
        connection.cursor().execute(
            """INSERT INTO pending_removals (image_id, variants, lease_until)
               VALUES (%s, '{w320.webp}', now() - interval '1 s')""",
            (interrupted,),
        )

    assert api.request("DELETE", f"/api/images/{deleted['id']}").status == 204
    assert api.request("POST", f"/api/images/{revoked['id']}/links/revoke").status == 200
    assert edge.cloud.invoke(STACK, "SweepFunction", {"compare": False})["undone"] == 1

    ids = (deleted["id"], revoked["id"], interrupted)
    expected = {f"/{folder}/{name}/*" for folder in ("images", "variants") for name in ids}
    wait_until(lambda: expected <= edge.invalidated(), seconds=120)
    assert edge.invalidated() == expected
