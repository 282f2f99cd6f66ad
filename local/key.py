"""`make key`: makes an API key through the API, with the root key."""

import argparse
import json
import re
import shlex
from typing import Any

from local.client import Api, ask_once, choose_api, find_stack_api
from local.errors import LocalError
from local.run_info import say
from local.settings import Settings


def run_key(arguments: argparse.Namespace, settings: Settings, info: dict[str, Any] | None) -> None:
    """Make a key and print it, once. Raises LocalError when the API refuses it."""
    if arguments.stack:
        api = find_stack_api(arguments.stack, arguments.api_key)
    else:
        api = choose_api(arguments.base_url, arguments.api_key, settings, info)
    values = {"name": arguments.name, "scopes": re.findall(r"[^\s,]+", arguments.scopes)}
    if arguments.expires:
        values["expires_at"] = arguments.expires
    body = json.dumps(values).encode("utf-8", "replace")
    status, answer = ask_once(api, "POST", "/api/keys", body=body)
    if status != 201:
        problem = answer.get("error", {}) if isinstance(answer, dict) else {}
        raise LocalError(f"No key was made: {status} {problem.get('code', '')}: {problem.get('message', '')}")
    say(describe_key(answer["data"], api))


def describe_key(made: dict[str, Any], api: Api) -> str:
    """What is printed: the key, and what to do with it."""
    until = f" until {made['expires_at']}" if made["expires_at"] else ""
    return "\n".join(
        [
            f"Made the key {made['name']!r} for {', '.join(made['scopes'])}{until}:",
            "",
            f"  {made['key']}",
            "",
            "Keep it: it is not shown again. Clients send it as X-API-Key:",
            f"  curl -H {shlex.quote('X-API-Key: ' + made['key'])} {api.base_url}/api/keys/self",
            "It can be revoked with the root key:",
            f'  curl -X DELETE -H "X-API-Key: $API_KEY" {api.base_url}/api/keys/{made["id"]}',
        ]
    )
