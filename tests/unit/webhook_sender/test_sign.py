"""Signatures, checked by the package of Standard Webhooks."""

import json
import time

import pytest
from imageapi.webhook_sender.sign import make_secret, sign
from standardwebhooks import Webhook, WebhookVerificationError

BODY = '{"type":"image.changed","data":{"title":"猫 “é”"}}'


def headers(secret: str, body: str = BODY, age: int = 0) -> dict[str, str]:
    moment = int(time.time()) - age
    return {
        "webhook-id": "chg_7_1700000000000000",
        "webhook-timestamp": str(moment),
        "webhook-signature": sign([secret], "chg_7_1700000000000000", moment, body.encode()),
    }


def test_the_package_takes_them_and_refuses_what_was_altered() -> None:
    secret = make_secret()
    assert Webhook(secret).verify(BODY, headers(secret)) == json.loads(BODY)
    for altered in (
        headers(make_secret()),
        headers(secret, BODY + " "),
        headers(secret, age=3600),
        headers(secret) | {"webhook-id": "chg_8_1700000000000000"},
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(BODY, altered)


def test_the_example_of_the_specification() -> None:
    secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    signature = sign([secret], message, 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_are_32_random_bytes() -> None:
    first, second = make_secret(), make_secret()
    assert first != second
    assert first.startswith("whsec_")
    assert len(first) == len("whsec_") + 44
