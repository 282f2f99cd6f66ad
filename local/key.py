"""`make key` and `make keys-confirm`: API keys through the API, with the root key."""

import argparse
import json
import re
import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from local.client import Api, ask_once, choose_api, find_stack_api
from local.errors import LocalError
from local.run_info import say
from local.settings import Settings


def run_key(arguments: argparse.Namespace, settings: Settings, info: dict[str, Any] | None) -> None:
    """Create a key and print it once. Raises LocalError if the API rejects the request."""
    api = find_api(arguments, settings, info)
    values = {"name": arguments.name, "scopes": re.findall(r"[^\s,]+", arguments.scopes)}
    if arguments.expires:
        values["expires_at"] = arguments.expires
    body = json.dumps(values).encode("utf-8", "replace")
    status, answer = ask_once(api, "POST", "/api/keys", body=body)
    if status != 201:
        raise LocalError(f"The key was not created: {describe_problem(status, answer)}")
    say(describe_key(answer["data"], api))


def run_keys_confirm(arguments: argparse.Namespace, settings: Settings, info: dict[str, Any] | None) -> None:
    """List the keys that a restore of the database has suspended. With ``apply``, confirm them."""
    api = find_api(arguments, settings, info)
    suspended = [key for key in list_keys(api) if key["suspended_at"] and not key["revoked_at"]]
    if not suspended:
        say("No API key is suspended.")
        return
    say(f"Suspended since the restore of the database: {len(suspended)}")
    for key in suspended:
        made = f"created {key['created_at'][:10]}, last used {(key['last_used_at'] or 'never')[:10]}"
        say(f"  {key['prefix']}…  {key['name']!r}  {' '.join(key['scopes'])}  {made}  {key['id']}")
    if not arguments.apply:
        revoke = f'curl -X DELETE -H "X-API-Key: $API_KEY" {api.base_url}/api/keys/<id>'
        say(f"Revoke the keys that were revoked after the backup. API_KEY is the root key:\n  {revoke}")
        say("Then confirm the others: make keys-confirm APPLY=1")
        return
    for key in suspended:
        status, answer = ask_once(api, "POST", f"/api/keys/{key['id']}/confirm")
        if status not in (200, 409):  # 409: confirmed or revoked meanwhile
            raise LocalError(f"{key['name']!r} was not confirmed: {describe_problem(status, answer)}")
    say("Confirmed. These keys work again.")


def list_keys(api: Api) -> Iterator[dict[str, Any]]:
    """All keys, page by page. Raises LocalError if the API rejects the request."""
    query = {"limit": "200"}
    while True:
        status, answer = ask_once(api, "GET", f"/api/keys?{urlencode(query)}")
        if status != 200:
            raise LocalError(f"The keys could not be listed: {describe_problem(status, answer)}")
        yield from answer["keys"]
        if not answer["next_cursor"]:
            return
        query["cursor"] = answer["next_cursor"]


def find_api(arguments: argparse.Namespace, settings: Settings, info: dict[str, Any] | None) -> Api:
    if arguments.stack:
        return find_stack_api(arguments.stack, arguments.api_key)
    return choose_api(arguments.base_url, arguments.api_key, settings, info)


def describe_problem(status: int, answer: Any) -> str:
    problem = answer.get("error", {}) if isinstance(answer, dict) else {}
    return f"{status} {problem.get('code', '')}: {problem.get('message', '')}"


def describe_key(made: dict[str, Any], api: Api) -> str:
    """The text to print: the key and how to use it."""
    until = f" until {made['expires_at']}" if made["expires_at"] else ""
    return "\n".join(
        [
            f"Made the key {made['name']!r} for {', '.join(made['scopes'])}{until}:",
            "",
            f"  {made['key']}",
            "",
            "Keep it: it is not shown again. Clients send it as X-API-Key:",
            f"  curl -H {shlex.quote('X-API-Key: ' + made['key'])} {api.base_url}/api/keys/self",
            "It can be revoked with the root key in API_KEY, which `make run` prints:",
            f'  curl -X DELETE -H "X-API-Key: $API_KEY" {api.base_url}/api/keys/{made["id"]}',
        ]
    )
