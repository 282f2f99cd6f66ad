"""The S3 server of `make run`: the clients and web pages that its ports accept."""

import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import psutil
import pytest
import urllib3
from botocore.config import Config

from local.servers.ports import HOST
from local.servers.s3 import S3Server

PAGE = "http://127.0.0.1:8000"
OTHER_PAGE = "http://else.example"
FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhello\r\n--b--\r\n'
FORM_TYPE = {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3") / "data", origins=[PAGE, "http://localhost:8000"])
    server.start()
    yield server
    server.stop()


def ask(port: int, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, str | None]:
    """Status and Access-Control-Allow-Origin. 0 means no HTTP response."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        body = FORM if method in ("POST", "PUT") else None
        connection.request(method, path, body, FORM_TYPE if body else headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers["Access-Control-Allow-Origin"]
    except (ConnectionError, http.client.HTTPException):
        return 0, None
    finally:
        connection.close()


def ask_preflight(s3: S3Server, path: str, origin: str, method: str) -> bool:
    """Whether a browser would allow a page of this origin to send such a request."""
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    status, allowed = ask(s3.port, "OPTIONS", path, headers)
    return 200 <= status < 300 and allowed in ("*", origin)


def listening_ports(s3: S3Server) -> set[int]:
    own = psutil.Process(s3.pid).net_connections("inet")
    return {s3.port} | {found.laddr.port for found in own if found.status == psutil.CONN_LISTEN}


def test_no_port_but_that_of_s3_does_what_a_stranger_asks(s3: S3Server) -> None:
    client = s3.client()
    client.put_object(Bucket=s3.bucket, Key="originals/a", Body=bytes(5_000_000))
    ports = listening_ports(s3)
    assert len(ports) >= 9

    for port in ports - {s3.port}:
        for method, path in [
            *(("GET", "/dir/assign"), ("GET", "/dir/status"), ("GET", "/dir/lookup?volumeId=1")),
            *(("GET", "/vol/grow?count=1"), ("GET", "/vol/status"), ("POST", "/submit")),
            *(("GET", "/buckets/"), ("GET", f"/buckets/{s3.bucket}/originals/a?metadata=true")),
            *(("PUT", f"/buckets/{s3.bucket}/b"), ("DELETE", f"/buckets/{s3.bucket}?recursive=true")),
            *(("GET", "/1,01637037d6"), ("POST", "/1,01637037d6"), ("DELETE", "/1,01637037d6")),
            *((method, f"/col/delete?collection={s3.bucket}") for method in ("GET", "POST")),
        ]:
            status, _ = ask(port, method, path)
            assert status in (0, 400, 401, 404), (port, method, path)
    assert [item["Key"] for item in client.list_objects_v2(Bucket=s3.bucket)["Contents"]] == ["originals/a"]
    assert len(client.get_object(Bucket=s3.bucket, Key="originals/a")["Body"].read()) == 5_000_000


def sign_list(s3: S3Server, host: str, port: int) -> str:
    """The signed path and query that list the bucket, for this host and port."""
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    parts = urlsplit(client.generate_presigned_url("list_objects_v2", {"Bucket": s3.bucket}))
    return f"{parts.path}?{parts.query}"


def test_a_page_that_rebinds_its_name_gets_nothing_with_the_right_keys(s3: S3Server) -> None:
    for port in listening_ports(s3):
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.", "2130706433"):
            path = sign_list(s3, host, port)
            assert ask(port, "GET", path, {"Host": f"{host}:{port}"})[0] not in range(200, 300), (port, host)
    for host in ("127.0.0.1", "localhost"):
        path = sign_list(s3, host, s3.port)
        assert ask(s3.port, "GET", path, {"Host": f"{host}:{s3.port}"})[0] == 200


def test_tls_is_no_way_around(s3: S3Server) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for port in listening_ports(s3):
        with (
            socket.create_connection((HOST, port), timeout=0.5) as plain,
            pytest.raises((ssl.SSLError, TimeoutError, ConnectionError)),
        ):
            context.wrap_socket(plain)


def test_forms_are_taken_from_pages_of_the_api(s3: S3Server) -> None:
    form = s3.client().generate_presigned_post(s3.bucket, "incoming/form")
    fields = {**form["fields"], "file": ("a.jpg", b"hello")}
    for origin, status in ((None, 204), (PAGE, 204), (OTHER_PAGE, 403), ("null", 403)):
        with urllib3.PoolManager(headers={"Origin": origin} if origin else {}) as browser:
            assert browser.request("POST", form["url"], fields=fields).status == status, origin
        stored = s3.client().list_objects_v2(Bucket=s3.bucket, Prefix="incoming/form").get("Contents", [])
        assert len(stored) == (1 if status == 204 else 0)
        s3.client().delete_object(Bucket=s3.bucket, Key="incoming/form")


def test_pages_share_no_connection(s3: S3Server) -> None:
    pages = ({"Origin": PAGE}, {"sec-fetch-site": "same-site"}, {"User-Agent": "Mozilla/5.0"})
    for headers in ({}, *pages):
        connection = http.client.HTTPConnection(HOST, s3.port, timeout=10)
        connection.request("GET", "/", headers={"Connection": "keep-alive", **headers})
        connection.getresponse().read()
        assert (connection.sock is None) == bool(headers), headers
        connection.close()


def test_only_the_pages_of_the_api_may_speak_to_it(s3: S3Server) -> None:
    for origin in s3.origins:
        assert ask_preflight(s3, f"/{s3.bucket}", origin, "POST")
        assert ask_preflight(s3, f"/{s3.bucket}/originals/a", origin, "GET")
    for origin in (OTHER_PAGE, "http://127.0.0.1:8001", "null"):
        for path in ("/", f"/{s3.bucket}", f"/{s3.bucket}/", f"/{s3.bucket}/originals/a", "/another"):
            for method in ("GET", "POST", "PUT", "DELETE"):
                assert not ask_preflight(s3, path, origin, method), (origin, path, method)
    rules = s3.client().get_bucket_cors(Bucket=s3.bucket)["CORSRules"]
    assert [set(rule["AllowedMethods"]) for rule in rules] == [{"GET", "HEAD", "POST"}]


def test_a_start_forgets_the_origins_of_the_last_and_keeps_the_data(tmp_path: Path) -> None:
    for origins in ([PAGE], [OTHER_PAGE], []):
        server = S3Server(tmp_path / "data", origins=origins)
        server.start()
        client = server.client()
        if origins == [PAGE]:
            client.put_object(Bucket=server.bucket, Key="a", Body=bytes(9_000_000))
        allowed = [page for page in (PAGE, OTHER_PAGE) if ask_preflight(server, "/images/a", page, "POST")]
        assert allowed == origins
        assert len(client.get_object(Bucket=server.bucket, Key="a")["Body"].read()) == 9_000_000
        server.kill()
