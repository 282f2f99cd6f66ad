"""Makes the two servers of a run from its settings; starts neither."""

from local.errors import LocalError
from local.servers.postgres import PostgresServer
from local.servers.s3 import S3Server
from local.settings import Settings, page_origins


def make_stores(settings: Settings, api_port: int) -> tuple[PostgresServer, S3Server]:
    """The stores of an API on `api_port`. Raises LocalError for a setting that is empty and must not be."""
    value = settings.value
    for name in ("POSTGRES_PASSWORD", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"):
        if not value(name):
            raise LocalError(f"{name} is empty: set it in .env (.env.example shows how).")
    postgres = PostgresServer(
        settings.data_dir,
        settings.db_port,
        user=value("POSTGRES_USER", "postgres"),
        password=value("POSTGRES_PASSWORD"),
        database=value("POSTGRES_DB", "imagedb"),
    )
    s3 = S3Server(
        settings.data_dir,
        settings.s3_port,
        access_key=value("MINIO_ACCESS_KEY"),
        secret_key=value("MINIO_SECRET_KEY"),
        bucket=value("MINIO_BUCKET_NAME", "images"),
        origins=page_origins(settings, api_port),
    )
    return postgres, s3
