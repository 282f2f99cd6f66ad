"""`aws s3 sync` between a bucket's prefix and a folder: python -m tests.docker.sync FROM TO."""

import sys
from pathlib import Path

from tests.docker.images import make_s3


def sync(source: str, target: str) -> None:
    """Copy all files. One of both is a folder, the other an address such as s3://images/originals."""
    s3 = make_s3()
    address, folder = (source, target) if source.startswith("s3://") else (target, source)
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    if address == target:
        for path in Path(folder).iterdir():
            s3.upload_file(str(path), bucket, f"{prefix}/{path.name}")
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/"):
        for found in page.get("Contents", []):
            s3.download_file(bucket, found["Key"], str(Path(folder) / Path(found["Key"]).name))


if __name__ == "__main__":
    sync(*sys.argv[1:])
