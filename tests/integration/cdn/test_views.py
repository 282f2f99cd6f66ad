"""Views through CloudFront: the component that responds, and its response."""

import io
import re
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.integration.cdn.conftest import KEY, WEBP, get_permanent, upload
from tests.integration.client import Json
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.edge import Edge
from tests.support.edge_function import HOST
from tests.support.http_client import Answer

FOREVER = "public, max-age=31536000, immutable"


def format_of(answer: Answer) -> str | None:
    return Image.open(io.BytesIO(answer.data)).format


@pytest.mark.parametrize(
    ("accept", "format"),
    [("image/avif,image/webp,*/*", "AVIF"), ("image/webp", "WEBP"), ("*/*", "JPEG"), ("", "JPEG")],
)
def test_the_first_view_renders_the_second_asks_nobody(
    edge: Edge, image: Json, stores: Stores, accept: str, format: str
) -> None:
    link = image["urls"]["thumbnail"]
    answers = [edge.fetch("GET", link, {"Accept": accept}) for _ in range(2)]
    assert edge.asked == ["bucket", "api"], "the second neither a function nor the bucket"
    edge.invalidate(["/*"])  # as at another edge location
    answers += [edge.fetch("GET", link, {"Accept": accept}) for _ in range(2)]
    assert edge.asked == ["bucket", "api", "bucket"], "a stored variant comes from the bucket"

    for answer in answers:
        assert (answer.status, format_of(answer), answer.data) == (200, format, answers[0].data)
        assert answer.headers["content-type"] == f"image/{format.lower()}"
        assert answer.headers["etag"] == answers[0].headers["etag"], "the function's is the bucket's"
        assert re.fullmatch(r"private, max-age=3[56]\d\d, immutable", answer.headers["cache-control"])
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["access-control-allow-origin"] == "*"
    extension = "jpg" if format == "JPEG" else format.lower()
    assert f"variants/{image['id']}/w320.{extension}" in stores.keys()  # noqa: SIM118 (a method of Stores)


def test_a_permanent_link_is_cached_for_a_year(edge: Edge, image: Json, stores: Stores) -> None:
    link = get_permanent(edge, image)

    for _ in range(2):
        answer = edge.fetch("GET", link, WEBP)
        assert (answer.status, format_of(answer), answer.headers["cache-control"]) == (200, "WEBP", FOREVER)

    assert edge.asked == ["bucket", "api"]
    edge.invalidate(["/*"])
    edge.fetch("GET", link, WEBP)
    assert edge.asked == ["bucket", "api"] * 2, "the version is compared with the row each time"


def test_links_go_to_the_address_that_viewers_use(edge: Edge, image: Json) -> None:
    upload(edge, pictures.png())
    forged = {**KEY, "X-Forwarded-Host": "evil.example.com", "X-Origin-Verify": "x"}

    page = edge.fetch("GET", "/api/images?limit=1", forged)

    assert f"<https://{HOST}/api/images?" in page.headers["link"]
    for url in page.body["images"][0]["urls"].values():
        assert urlsplit(url).netloc == HOST


def test_the_bucket_gives_nothing_else(edge: Edge, image: Json, stores: Stores) -> None:
    """A valid link does not open other objects, and no viewer can change the headers of a cached response."""
    link = image["urls"]["thumbnail"]
    edge.fetch("GET", link, WEBP)
    edge.invalidate(["/*"])

    answer = edge.fetch("GET", f"{link}&response-content-type=text/html", WEBP)
    assert answer.status == 302
    assert edge.fetch("GET", link, WEBP).headers["content-type"] == "image/webp"
    edge.invalidate(["/*"])
    for path in (
        f"/images/../{image['s3_key']}",
        f"/images/..%2f{image['s3_key']}",
        f"/images/{image['id']}/original",
    ):
        refused = edge.fetch("GET", f"{path}?{urlsplit(link).query}", WEBP)
        assert refused.status in (403, 404)
        assert refused.code in ("link_invalid", "not_found")
