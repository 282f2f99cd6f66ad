"""python use_python_client.py BASE_URL LATER_URL API_KEY PICTURE: what a program does with the client."""

import sys
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from image_client import AuthenticatedClient
from image_client.api.changes import list_changes
from image_client.api.images import delete_image, get_image, list_images
from image_client.api.uploads import upload_image
from image_client.models import (
    ErrorResponse,
    FeedPage,
    ImageForm,
    ImagePage,
    ImageResponse,
    ListImagesSort,
    Metadata,
)
from image_client.types import File


def connect(url: str, key: str) -> AuthenticatedClient:
    return AuthenticatedClient(url, token=key, prefix="", auth_header_name="X-API-Key")


def upload(client: AuthenticatedClient, picture: bytes) -> UUID:
    form = ImageForm(File(BytesIO(picture), "harbour.jpg"), Metadata(title="Quiet harbour", tags=["sea"]))
    uploaded = upload_image.sync_detailed(client=client, body=form, idempotency_key=str(uuid4()))
    assert isinstance(uploaded.parsed, ImageResponse), uploaded
    assert uploaded.status_code == 201
    image = uploaded.parsed.data
    assert uploaded.headers["Location"].endswith(f"/api/images/{image.id}")
    assert httpx.get(image.urls.original, follow_redirects=True).content == picture
    return image.id


def read(client: AuthenticatedClient, image_id: UUID) -> None:
    page = list_images.sync(
        client=client,
        tags=["sea"],
        sort=ListImagesSort.VALUE_1,
        limit=1,
        width_gte=1,
        variants=["w160", "w320"],
    )
    assert isinstance(page, ImagePage), page
    (found,) = page.images
    assert found.id == image_id
    assert [variant.name for variant in found.variants] == ["w160", "w320"]

    missing = get_image.sync(uuid4(), client=client)
    assert isinstance(missing, ErrorResponse), missing
    assert missing.error.code == "image_not_found"
    refused = list_images.sync(client=client, limit=1_000)
    assert isinstance(refused, ErrorResponse), refused
    assert refused.error.details
    assert refused.error.details["parameter"] == "limit"


def read_later(client: AuthenticatedClient, image_id: UUID) -> None:
    image = get_image.sync(image_id, client=client)
    assert isinstance(image, ImageResponse), image
    assert image.data.title == "Quiet harbour"
    assert image.data["focal_point"] == {"x": 0.5, "y": 0.5}
    feed = list_changes.sync(client=client)
    assert isinstance(feed, FeedPage), feed
    assert feed.changes[0].type_ == "image.painted"
    refused = delete_image.sync(image_id, client=client)
    assert isinstance(refused, ErrorResponse), refused
    assert refused.error.code == "image_on_loan"


def main() -> None:
    base_url, later_url, key, picture = sys.argv[1:]
    client = connect(base_url, key)
    image_id = upload(client, Path(picture).read_bytes())
    read(client, image_id)
    read_later(connect(later_url, key), image_id)
    assert delete_image.sync_detailed(image_id, client=client).status_code == 204


main()
