"""Receive webhooks of image-api: check, store and accept each delivery, then handle it.

WEBHOOK_SECRETS=whsec_… python app.py    # during a rotation: "whsec_new whsec_old"
"""

import base64
import hashlib
import hmac
import json
import os
import sqlite3
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRETS = [base64.b64decode(secret[len("whsec_") :]) for secret in os.environ["WEBHOOK_SECRETS"].split()]
MAX_BYTES, MAX_AGE_SECONDS = 1_000_000, 300


def execute(statement, *values):
    with closing(sqlite3.connect("inbox.db", isolation_level=None)) as inbox:
        return inbox.execute(statement, values).fetchall()


def is_genuine(headers, body):
    """Whether one of the secrets signed the body, the id and the time, and not long ago."""
    sent_at, sent = headers.get("webhook-timestamp", ""), headers.get("webhook-signature", "").split()
    signed = f"{headers.get('webhook-id')}.{sent_at}.".encode() + body
    digests = [base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)) for secret in SECRETS]
    known = any(hmac.compare_digest(b"v1," + own, other.encode()) for own in digests for other in sent)
    return known and abs(time.time() - int(sent_at)) <= MAX_AGE_SECONDS


class Receiver(BaseHTTPRequestHandler):
    timeout = 10  # seconds for a slow sender

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        body = self.rfile.read(length) if 0 < length <= MAX_BYTES else b""
        genuine = is_genuine(self.headers, body)
        if genuine:  # a repeated delivery has the same id
            execute("INSERT OR IGNORE INTO deliveries VALUES (?, ?, 0)", self.headers["webhook-id"], body)
        self.send_response(204 if genuine else 401)
        self.end_headers()


def handle(delivery):
    # Your work, such as reading the feed. After a crash, it may run again for the same delivery.
    print(delivery["type"], delivery["data"]["subject_id"], flush=True)


execute("CREATE TABLE IF NOT EXISTS deliveries (id TEXT PRIMARY KEY, body BLOB, handled INTEGER)")
server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
while True:
    for webhook_id, body in execute("SELECT id, body FROM deliveries WHERE NOT handled ORDER BY rowid"):
        handle(json.loads(body))
        execute("UPDATE deliveries SET handled = 1 WHERE id = ?", webhook_id)
    time.sleep(0.5)
