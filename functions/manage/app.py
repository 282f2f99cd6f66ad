"""/api/keys and /api/webhooks. It also leases due deliveries for OutsideFunction and records their results.
On a schedule, it removes old changes and revoked keys.
"""

from typing import Any

import api_keys
import webhooks
from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.changes.retention import forget_old
from imageapi.events.run_event import run_event
from imageapi.http.app import App
from imageapi.webhooks import due

app = App()
app.include(api_keys.router, webhooks.router)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if "httpMethod" in event:
        return app.handle(event, context)
    if "forget" in event:
        return run_event("forget", forget_old, event, context)
    return run_event("webhooks", due.run, event, context, hidden=("deliveries",))
