"""The service's settings for the two stores."""

from local.servers.postgres import PostgresServer
from local.servers.s3 import S3Server
from tests.support.events import API_KEY, database_users


def service_environment(postgres: PostgresServer, s3: S3Server) -> dict[str, str]:
    """The service's settings for both, as the functions' user of the database (postgres.create_users)."""
    return {
        "DB_HOST": postgres.host,
        "DB_PORT": str(postgres.port),
        "DB_SSLMODE": "disable",
        "POSTGRES_DB": postgres.database,
        "POSTGRES_USER": database_users()["DB_SERVICE"],
        "POSTGRES_PASSWORD": postgres.password,
        "MINIO_ENDPOINT_URL": s3.endpoint_url,
        "MINIO_ACCESS_KEY": s3.access_key,
        "MINIO_SECRET_KEY": s3.secret_key,
        "MINIO_BUCKET_NAME": s3.bucket,
        "API_KEY": API_KEY,
        "SECRET_KEY": "your-secret-key-here",
        "LOG_LEVEL": "INFO",
    }
