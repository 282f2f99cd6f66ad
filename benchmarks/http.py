"""`make run` over HTTP: uploads, the newest page, and the CPU time of each process.

The floor of an upload is the minimum work: one put_object and one INSERT. The floor of a page is a five-byte
response from the bare HTTP server of the gateway.
"""

import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks import ROOT
from benchmarks.figures import Figure
from benchmarks.handlers import load_handler
from benchmarks.pictures import encode_jpeg, make_photo
from benchmarks.upload import HEIGHT, WIDTH, open_floor
from tests.integration.run import Run
from tests.support.multipart import upload_body

NAME = "http"
PICTURE_BYTES = 318_000
COLLECTION = 20
"""Number of images when the newest page is requested."""
CLIENTS = 8
ROUNDS, UPLOADS, PAGES = 6, 48, 400
PROCESSES = ("workers", "S3 server", "gateway", "PostgreSQL")
UPLOAD_CPU_GOAL, PAGE_CPU_GOAL = 2.1, 18.0
"""About 15.5 and 2.5 ms on the machine that produced the figures in docs/performance.md."""

Call = Callable[[], None]
Seconds = dict[str, float]


@dataclass
class Cost:
    """Latency and CPU time of a number of requests."""

    latencies: list[float] = field(default_factory=list)  # milliseconds
    seconds: float = 0.0
    cpu: Seconds = field(default_factory=lambda: defaultdict(float))  # by process

    @property
    def p50(self) -> float:
        return statistics.median(self.latencies)

    @property
    def each(self) -> float:
        """Milliseconds per request, the inverse of the throughput."""
        return self.seconds * 1000 / len(self.latencies)

    def cpu_each(self, *names: str) -> float:
        """CPU milliseconds per request, summed over these processes."""
        return sum(self.cpu[name] for name in names) * 1000 / len(self.latencies)


@dataclass
class Work:
    """A workload of `count` calls, split among `clients` threads. `open` creates a client."""

    open: Callable[[], Call]
    count: int
    clients: int = 1


def run() -> list[Figure]:
    picture = encode_jpeg(make_photo(WIDTH, HEIGHT), PICTURE_BYTES)
    print(f"http: {len(picture):,} bytes, {ROUNDS} rounds of {UPLOADS} uploads or {PAGES} pages", flush=True)
    with tempfile.TemporaryDirectory(prefix="image-api-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # the servers may run as another user
        service = Run(Path(folder) / "data", ROOT / "template.yaml", {"ANALYZE_UPLOADS": "false"})
        try:
            with run_hello() as (hello_address, hello):
                return measure(service, picture, hello_address, hello)
        finally:
            service.stop()


def measure(service: Run, picture: bytes, hello_address: str, hello: psutil.Process) -> list[Figure]:
    key = {"X-API-Key": service.info["api_key"]}
    body, content_type = upload_body(picture, "photo.jpg", {"title": "Benchmark", "tags": ["one", "two"]})
    address = service.info["base_url"].removeprefix("http://")
    headers = {**key, "Content-Type": content_type}

    def open_upload() -> Call:
        return open_client(address, "POST", "/api/upload", 201, headers, body)

    def read() -> Seconds:
        return read_cpu(service, hello)

    do(Work(open_upload, COLLECTION))
    costs = take_turns(
        read,
        {
            "page": Work(lambda: open_client(address, "GET", "/api/images", 200, key), PAGES),
            "hello": Work(lambda: open_client(hello_address, "GET", "/", 200, {}), PAGES),
        },
    )
    with open_stores(service, picture) as put_and_insert:
        costs |= take_turns(
            read,
            {
                "upload": Work(open_upload, UPLOADS),
                "uploads": Work(open_upload, UPLOADS, CLIENTS),
                "stores": Work(lambda: put_and_insert, UPLOADS),
            },
        )
    return make_figures(costs)


def make_figures(costs: dict[str, Cost]) -> list[Figure]:
    page, hello, stores = costs["page"], costs["hello"], costs["stores"]
    figures = [
        Figure("newest page over HTTP, p50", page.p50, hello.p50, "bare response"),
        Figure("upload over HTTP, 1 client, p50", costs["upload"].p50, stores.p50, "put + insert"),
        Figure("upload over HTTP, 1 client, for each", costs["upload"].each, stores.each, "put + insert"),
        Figure("upload over HTTP, 8 clients, p50", costs["uploads"].p50, stores.p50, "put + insert"),
        Figure("upload over HTTP, 8 clients, for each", costs["uploads"].each, stores.each, "put + insert"),
    ]
    floors = {
        "page": (hello.cpu_each("hello"), "bare response", PAGE_CPU_GOAL),
        "upload": (stores.cpu_each("client", "S3 server", "PostgreSQL"), "put + insert", UPLOAD_CPU_GOAL),
    }
    for name, (floor, floor_name, goal) in floors.items():
        cost = costs[name]
        figures += [
            Figure(f"CPU for each {name}: {process}", cost.cpu_each(process), floor, floor_name)
            for process in PROCESSES
        ]
        total = cost.cpu_each(*PROCESSES)
        figures.append(Figure(f"CPU for each {name}: together", total, floor, floor_name, goal=goal))
    return figures


def take_turns(read: Callable[[], Seconds], works: dict[str, Work]) -> dict[str, Cost]:
    """Interleave the workloads and measure each. `read` returns the CPU seconds of each process so far."""
    for work in works.values():
        do(work)  # starts and warms the workers
    costs = {name: Cost() for name in works}
    for number in range(ROUNDS):
        order = list(works.items())
        for name, work in order if number % 2 else reversed(order):
            cost, before, start = costs[name], read(), time.perf_counter()
            cost.latencies += do(work)
            cost.seconds += time.perf_counter() - start
            for process, seconds in read().items():
                cost.cpu[process] += seconds - before[process]
    return costs


def do(work: Work) -> list[float]:
    """The milliseconds of each call."""
    latencies: list[float] = []

    def act() -> None:
        call = work.open()
        for _ in range(work.count // work.clients):
            start = time.perf_counter()
            call()
            latencies.append((time.perf_counter() - start) * 1000)

    clients = [threading.Thread(target=act) for _ in range(work.clients)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return latencies


def open_client(
    address: str, method: str, path: str, status: int, headers: dict[str, str], body: bytes | None = None
) -> Call:
    """A client with a persistent connection that expects this status."""
    connection = http.client.HTTPConnection(address, timeout=60)

    def send() -> None:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.read()
        assert response.status == status, response.status

    return send


def read_cpu(service: Run, hello: psutil.Process) -> Seconds:
    """CPU seconds so far of each process of the run, of `hello`, and of this process, the client."""
    gateway, *others = service.family()
    found = defaultdict(float, client=time.process_time())
    found |= {"hello": sum(hello.cpu_times()[:2]), "gateway": sum(gateway.cpu_times()[:2])}
    database, s3 = service.info["database"]["pid"], service.info["s3"]["pid"]
    for process in others:
        times = process.cpu_times()
        if process.pid == s3:
            found["S3 server"] += sum(times[:2])
        elif process.pid == database or process.ppid() == database:
            found["PostgreSQL"] += sum(times[:4])  # including closed connections
        elif any(part.endswith("worker_main.py") for part in process.cmdline()):
            found["workers"] += sum(times[:2])
    return found


@contextmanager
def run_hello() -> Iterator[tuple[str, psutil.Process]]:
    """Run the gateway's HTTP server in a process. It responds to every request with five bytes."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.http_child"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        yield f"127.0.0.1:{process.stdout.readline().strip()}", psutil.Process(process.pid)


@contextmanager
def open_stores(service: Run, picture: bytes) -> Iterator[Call]:
    """A call with one put_object and one INSERT, in the stores of the run."""
    database, s3 = service.info["database"], service.info["s3"]
    environ = {
        "DB_HOST": database["host"],
        "DB_PORT": str(database["port"]),
        "DB_SSLMODE": "disable",
        "POSTGRES_DB": database["dbname"],
        "POSTGRES_USER": database["user"],
        "POSTGRES_PASSWORD": database["password"],
        "MINIO_ENDPOINT_URL": s3["endpoint_url"],
        "MINIO_ACCESS_KEY": s3["access_key"],
        "MINIO_SECRET_KEY": s3["secret_key"],
        "MINIO_BUCKET_NAME": s3["bucket"],
        "API_KEY": service.info["api_key"],
        "SECRET_KEY": "not used",
        "AWS_REGION": "us-east-1",
    }
    with load_handler("upload", environ), open_floor(environ, picture) as floor:
        yield floor
