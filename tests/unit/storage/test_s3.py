"""Responses of the object store that no test server gives."""

from typing import Any

import pytest
from imageapi.errors import StorageUnavailableError
from imageapi.storage import s3

from tests.support.settings import use_settings


class Client:
    """Deletes one of the objects and refuses the others."""

    def delete_objects(self, **request: Any) -> dict[str, Any]:
        refused = request["Delete"]["Objects"][1:]
        return {"Errors": [{"Key": item["Key"], "Code": "AccessDenied"} for item in refused]}


def test_why_some_objects_were_not_deleted_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "get_client", Client)
    with (
        use_settings(monkeypatch, {"DB_HOST": "db.invalid", "MINIO_BUCKET_NAME": "images"}),
        pytest.raises(StorageUnavailableError) as caught,
    ):
        s3.delete_objects(["a", "b", "c"])

    assert str(caught.value.__cause__) == "2 of 3 objects not deleted: AccessDenied"
