"""Signatures, checked by the package of Standard Webhooks."""

import json
import time

import pytest
from imageapi.webhook_sender.sign import make_secret, sign
from standardwebhooks import Webhook, WebhookVerificationError

BODY = '{"type":"image.changed","data":{"title":"猫 “é”"}}'


def headers(secret: str, body: str = BODY, timestamp: int | None = None) -> dict[str, str]:
    moment = int(time.time()) if timestamp is None else timestamp
    return {
        "webhook-id": "chg_7_1700000000000000",
        "webhook-timestamp": str(moment),
        "webhook-signature": sign([secret], "chg_7_1700000000000000", moment, body.encode()),
    }


def test_the_package_takes_them() -> None:
    secret = make_secret()
    assert Webhook(secret).verify(BODY, headers(secret)) == json.loads(BODY)


def test_the_package_refuses_what_was_altered() -> None:
    secret = make_secret()
    for altered in (
        headers(make_secret()),
        headers(secret, BODY + " "),
        headers(secret, timestamp=int(time.time()) - 3600),
        headers(secret) | {"webhook-id": "chg_8_1700000000000000"},
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(BODY, altered)


def test_the_example_of_the_specification() -> None:
    signature = sign(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_are_32_random_bytes() -> None:
    first, second = make_secret(), make_secret()
    assert first != second
    assert first.startswith("whsec_")
    assert len(first) == len("whsec_") + 44
