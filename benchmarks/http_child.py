"""The gateway's HTTP server alone, as a process. Prints its port; ends when standard input closes."""

import sys
from typing import Any

from local.gateway.http_server import ApiServer


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Read the request to its end, and respond."""
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


if __name__ == "__main__":
    server = ApiServer(0)
    server.start(hello)
    print(server.port, flush=True)
    sys.stdin.read()
    server.stop()
    server.close()
