"""Measures imports in a fresh process: cold_child.py naive|app [put|answer] FOLDER…

Prints milliseconds of CPU time as JSON.

Standalone: before the clock starts, it imports nothing that the measured code might import.
"""

import sys
import time

what, then, *folders = sys.argv[1:]
sys.path[:0] = folders


class Context:
    aws_request_id = "request"
    function_name = "benchmark"
    function_version = "$LATEST"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:benchmark"

    def get_remaining_time_in_millis(self) -> int:
        return 10_000


start = time.process_time()
if what == "naive":
    import boto3
    import psycopg2
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.event_handler import APIGatewayRestResolver
    from PIL import Image

    boto3.client("s3")
    _used = (psycopg2, Logger, APIGatewayRestResolver, Image)
else:
    import app  # type: ignore[import-not-found]
imported = time.process_time()
if then == "put":
    from imageapi.storage import clients, signing

    signing.sign_put("originals/an-id.jpg", {}, bytes(32))
    clients.get_connections()
elif then == "answer":
    # Without a key, so no server is contacted.
    event = {
        "httpMethod": "GET",
        "resource": "/api/images",
        "path": "/api/images",
        "headers": {},
        "requestContext": {"stage": "v1", "path": "/api/images"},
        "body": None,
        "isBase64Encoded": False,
    }
    answer = app.lambda_handler(event, Context())
    assert answer["statusCode"] == 401, answer
ready = time.process_time()
print(f'\n{{"import": {(imported - start) * 1000}, "ready": {(ready - start) * 1000}}}')
