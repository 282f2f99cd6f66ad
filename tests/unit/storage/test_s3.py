"""Responses of the object store that no test server gives."""

from typing import Any

import pytest
from imageapi.config.settings import get_settings
from imageapi.errors import StorageUnavailableError
from imageapi.storage import s3


class Client:
    """Deletes one of the objects and refuses the others."""

    def delete_objects(self, **request: Any) -> dict[str, Any]:
        refused = request["Delete"]["Objects"][1:]
        return {"Errors": [{"Key": item["Key"], "Code": "AccessDenied"} for item in refused]}


def test_why_some_objects_were_not_deleted_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DB_HOST", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY", "MINIO_BUCKET_NAME"):
        monkeypatch.setenv(name, "some-value")
    get_settings.cache_clear()
    monkeypatch.setattr(s3, "get_client", Client)

    with pytest.raises(StorageUnavailableError) as caught:
        s3.delete_objects(["a", "b", "c"])

    get_settings.cache_clear()
    assert str(caught.value.__cause__) == "2 of 3 objects not deleted: AccessDenied"
