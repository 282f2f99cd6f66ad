"""A proxy for the S3 server that rejects foreign web pages. Standard library only.

    python -I -S s3_front.py PORT SOCKET HOSTS ORIGINS

SOCKET is the server's; HOSTS and ORIGINS are separated by commas. The keys of .env.example are public, so any
page can sign requests. The browser sends the page's host: in Host, if that name resolves to this machine (DNS
rebinding), else in Origin. The proxy exits when standard input closes.
"""

import contextlib
import os
import re
import socket
import sys
import threading

CHUNK_BYTES = 256 * 1024
MAX_HEAD_BYTES = 64 * 1024
FROM_BROWSER = re.compile(rb"(?im)^(?:origin:|sec-fetch-|user-agent: *mozilla/)")
REFUSAL = (
    b"<Error><Code>AccessDenied</Code><Message>This %s is not known here. MINIO_PUBLIC_ENDPOINT_URL adds a "
    b"host, and CORS_ALLOW_ORIGINS adds origins.</Message></Error>"
)


def find_foreign(head: bytes, hosts: set[bytes], origins: set[bytes]) -> bytes:
    """The name of the header with a foreign host; empty if all are permitted."""
    found = [re.sub(rb":\d*$", b"", host) for host in read_header(head, b"Host")]
    if len(found) != 1 or found[0] not in hosts:
        return b"Host"
    return b"" if origins.issuperset(read_header(head, b"Origin")) else b"Origin"


def read_header(head: bytes, name: bytes) -> list[bytes]:
    """All values of a header, in lower case."""
    return [value.strip().lower() for value in re.findall(rb"(?im)^%s:(.*)$" % name, head)]


def answer(client: socket.socket, server_path: str, hosts: set[bytes], origins: set[bytes]) -> None:
    """Check the first request of a connection, then connect client and server.

    Tools keep their connections. A browser's pages may share one, so each of its requests gets a new one.
    """
    with contextlib.suppress(OSError), client, socket.socket(socket.AF_UNIX) as server:
        data = b""
        while b"\r\n\r\n" not in data:
            more = client.recv(CHUNK_BYTES)
            if not more or len(data) > MAX_HEAD_BYTES:
                return
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        if header := find_foreign(head, hosts, origins):
            refuse(client, REFUSAL % header)
            return
        if FROM_BROWSER.search(head):
            head = re.sub(rb"(?im)^connection:.*\n", b"", head + b"\r\n") + b"Connection: close"
        server.connect(server_path)
        server.sendall(head + b"\r\n\r\n" + body)
        back = threading.Thread(target=copy, args=(server, client), daemon=True)
        back.start()
        copy(client, server)
        back.join()


def refuse(client: socket.socket, body: bytes) -> None:
    client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nConnection: close\r\n")
    client.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    client.shutdown(socket.SHUT_WR)
    while client.recv(CHUNK_BYTES):  # closing with unread bytes would reset the connection
        pass


def copy(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes until one end closes."""
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def main() -> None:
    port, server_path, *lists = sys.argv[1:]
    hosts, origins = (set(names.lower().encode().split(b",")) for names in lists)
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=1024)

    def serve() -> None:
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=answer, args=(client, server_path, hosts, origins), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    os.read(0, 1)


if __name__ == "__main__":
    main()
