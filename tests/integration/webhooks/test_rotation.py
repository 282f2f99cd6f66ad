"""A secret is rotated while deliveries continue."""

import json
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from tests.integration.stores import Stores
from tests.integration.webhooks.calls import add_changes, ask, create, deliver, take
from tests.integration.webhooks.receiver import Receiver


def rotate(webhook: dict[str, Any], **values: Any) -> str:
    answer = ask("POST", f"/{webhook['id']}/secret/rotate", json.dumps(values) if values else "")
    assert answer.status == 200, answer.body
    assert answer.body["data"]["id"] == webhook["id"]
    return str(answer.body["data"]["secret"])


def verifies(server: Receiver, *secrets: str) -> list[bool]:
    """For each secret, whether it signed the last delivery."""
    _, headers, body = server.received[-1]
    found = []
    for secret in secrets:
        try:
            Webhook(secret).verify(body, headers)
            found.append(True)
        except WebhookVerificationError:
            found.append(False)
    return found


def age(stores: Stores, hours: float) -> None:
    """Move the rotations into the past."""
    stores.execute(
        """UPDATE webhooks SET old_secrets = (
               SELECT jsonb_agg(item || jsonb_build_object('until', (item->'until')::numeric - %s))
               FROM jsonb_array_elements(old_secrets) AS item)""",
        (hours * 3600,),
    )


def test_both_secrets_sign_for_a_day(service: Stores, server: Receiver) -> None:
    webhook = create(server.url)
    old, new = webhook["secret"], rotate(webhook)
    assert new != old
    for hours, expected in ((23.9, [True, True]), (0.2, [False, True])):
        add_changes(service, 1)
        age(service, hours)
        deliver()
        assert verifies(server, old, new) == expected


def test_without_overlap_all_before_end_at_once_and_few_are_kept(service: Stores, server: Receiver) -> None:
    webhook = create(server.url)
    secrets = [webhook["secret"], rotate(webhook, overlap_hours=168)]
    # The response was lost, so the client rotates again. Receivers have only the first secret.
    secrets.append(rotate(webhook, overlap_hours=1))
    add_changes(service, 1)
    deliver()
    assert verifies(server, *secrets) == [True, True, True]
    secrets.append(rotate(webhook, overlap_hours=0))
    add_changes(service, 1)
    deliver()
    assert verifies(server, *secrets) == [False, False, False, True]

    for _ in range(9):
        rotate(webhook)
    add_changes(service, 1)
    (delivery,) = take()
    assert len(delivery["secrets"]) == 6
