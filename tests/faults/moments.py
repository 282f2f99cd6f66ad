"""Both stores as a restore finds them: the database of an earlier moment, beside today's bucket."""

from contextlib import closing
from copy import copy

from tests.integration.stores import SCHEMA, Stores
from tests.support.postgres import create_users


class Moments:
    """A database of its own, with copies of its moments, and a bucket of its own that keeps versions.

    Attributes:
        stores: the two.
        taken: the names of the copies that are kept.
    """

    def __init__(self, servers: Stores, name: str) -> None:
        postgres, s3 = copy(servers.postgres), copy(servers.s3)
        postgres.database = s3.bucket = name
        self.stores = Stores(postgres, s3)
        self._name = name
        self.taken: list[str] = []
        self._count = 0
        self._run(f"CREATE DATABASE {name}")
        self.stores.execute(SCHEMA.read_text(encoding="utf-8"))
        create_users(postgres)
        self.stores.client.create_bucket(Bucket=name)
        enabled = {"Status": "Enabled"}
        self.stores.client.put_bucket_versioning(Bucket=name, VersioningConfiguration=enabled)

    def take(self) -> str:
        """Copy the database; returns the copy's name."""
        self._count += 1
        moment = f"{self._name}_{self._count}"
        self.stores.disconnect()
        self._run(f"CREATE DATABASE {moment} TEMPLATE {self._name}")
        self.taken.append(moment)
        return moment

    def restore(self, moment: str) -> None:
        """Replace the database by a copy. The bucket stays."""
        self.stores.disconnect()
        self._run(f"DROP DATABASE {self._name} WITH (FORCE)")
        self._run(f"CREATE DATABASE {self._name} TEMPLATE {moment}")

    def forget(self, moment: str) -> None:
        """Drop a copy."""
        self._run(f"DROP DATABASE {moment} WITH (FORCE)")
        self.taken.remove(moment)

    def close(self) -> None:
        """Remove the databases and the bucket."""
        self.stores.disconnect()
        for name in [*self.taken, self._name]:
            self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        client = self.stores.client
        for page in client.get_paginator("list_object_versions").paginate(Bucket=self._name):
            versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
            if objects:
                client.delete_objects(Bucket=self._name, Delete={"Objects": objects, "Quiet": True})
        client.delete_bucket(Bucket=self._name)

    def _run(self, sql: str) -> None:
        with closing(self.stores.postgres.connect("postgres")) as connection:
            connection.autocommit = True
            connection.cursor().execute(sql)


def moments(servers: Stores, name: str) -> closing[Moments]:
    """A :class:`Moments`, removed at the end."""
    return closing(Moments(servers, name))
