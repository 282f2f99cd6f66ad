"""Responses of the object store that no test server sends."""

from types import SimpleNamespace

import pytest
from imageapi.errors import StorageUnavailableError
from imageapi.storage import s3


def test_why_some_objects_were_not_deleted_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"Errors": [{"Key": key, "Code": "AccessDenied"} for key in "bc"]}
    client = SimpleNamespace(delete_objects=lambda **_: answer)
    monkeypatch.setattr(s3, "get_client", lambda: client)
    monkeypatch.setattr(s3, "get_settings", lambda: SimpleNamespace(bucket="images"))
    with pytest.raises(StorageUnavailableError) as caught:
        s3.delete_objects(["a", "b", "c"])

    assert str(caught.value.__cause__) == "2 of 3 objects not deleted: AccessDenied"
