"""Each scope against every route: http.route_scopes.ROUTE_SCOPES is what the functions do."""

import re

import pytest
from imageapi.http.route_scopes import ANY_KEY, PUBLIC, ROUTE_SCOPES
from imageapi.model.scopes import SCOPES

from tests.integration.client import send
from tests.integration.key_requests import make_key
from tests.integration.stores import Stores, new_id
from tests.support.answers import Answer
from tests.support.events import make_event

SCOPED = {route: scopes for route, scopes in ROUTE_SCOPES.items() if scopes not in (PUBLIC, ANY_KEY)}


def ask(route: str, key: str) -> Answer:
    method, rule = route.split()
    return send(make_event(method, re.sub(r"<\w+>", new_id(), rule), {"X-API-Key": key}))


@pytest.mark.parametrize("route", SCOPED)
def test_a_key_without_the_scope_is_told_which_one_is_missing(stores: Stores, route: str) -> None:
    others = [scope for scope in SCOPES if scope not in SCOPED[route]]
    for scopes in (*([scope] for scope in others), others):
        answer = ask(route, make_key(*scopes)["key"])
        assert answer.error == (403, "scope_missing"), scopes
        assert answer.body["error"]["details"] == {"scope": SCOPED[route][0]}


@pytest.mark.parametrize("route", SCOPED)
def test_a_key_with_the_scope_passes(stores: Stores, route: str) -> None:
    assert ask(route, make_key(SCOPED[route][0])["key"]).status not in (401, 403)


@pytest.mark.parametrize("route", [route for route, scopes in ROUTE_SCOPES.items() if scopes == ANY_KEY])
@pytest.mark.parametrize("scope", SCOPES)
def test_any_key_passes_where_no_scope_is_needed(stores: Stores, route: str, scope: str) -> None:
    assert ask(route, make_key(scope)["key"]).status == 200
