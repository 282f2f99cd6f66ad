"""template.yaml and the database's grants give each function what its code reaches, and nothing else.

The needs follow from the code: settings that it reads, objects whose keys it builds, tables in its SQL.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from imageapi.database.grants import GRANTS

from local.settings import find_database_users
from tests import ROOT
from tests.support.events import list_routes, load_app
from tests.support.needs import (
    CHECK_KEY,
    PREFIXES,
    WAKE,
    Need,
    find_object_needs,
    find_services,
    find_settings,
    find_table_needs,
    variables_of,
)
from tests.support.reach import Code, Definition
from tests.support.templates import MAIN, as_list, find, read_template, walk

TEMPLATE = read_template(MAIN)
FUNCTIONS = find(MAIN, "AWS::Lambda::Function")
SHARED = set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
OBJECT_ACTIONS = {f"s3:{verb}Object": verb.lower() for verb in ("Put", "Get", "Delete")}
OBJECT_ACTIONS |= {"s3:GetObjectVersion": "get-version"}
OBJECT_ACTIONS |= {"s3:ListBucket": "list", "s3:ListBucketVersions": "list-versions"}
SENDS = Definition("imageapi.analysis.enqueue", "send_messages")
NEVER_DONE: dict[str, set[Need]] = {
    # It finishes only deletions of variants: their images are in the trash, and keep their files.
    "DeliverFunction": {("delete", "originals"), ("delete", "incoming")}
}
"""Operations that code reaches and never does."""
NEVER_READ = {
    # Its pages are public, and the same for everybody.
    "GalleryFunction": {"origin_secrets"}
}
"""Settings that code reaches and does not need."""


def folder_of(function: str) -> Path:
    uri: str = TEMPLATE["Resources"][function]["Properties"]["CodeUri"]
    return ROOT / uri


def code_of(function: str) -> Code:
    return Code(folder_of(function))


def routes(function: str) -> set[str]:
    return {route for folder, route in list_routes() if folder == folder_of(function).name}


def takes_keys(function: str) -> bool:
    app = getattr(load_app(folder_of(function).name), "app", None)
    return app is not None and any(route.operation.scopes is not None for route in app.routes)


def may_wake(function: str) -> bool:
    """Whether its routes or its other work may change something."""
    works = "wakes=" in (folder_of(function) / "app.py").read_text(encoding="utf-8")
    return works or any(not route.startswith("GET ") for route in routes(function))


@cache
def reached(function: str) -> frozenset[Definition]:
    """Each App checks keys and wakes webhooks, if a route needs it."""
    return frozenset(code_of(function).reach({WAKE} if takes_keys(function) else {WAKE, CHECK_KEY}))


def own_variables(function: str) -> set[str]:
    return set(FUNCTIONS[function].get("Environment", {}).get("Variables", {})) - SHARED


def variables_needed(function: str) -> set[str]:
    settings = find_settings(code_of(function), reached(function))
    settings -= NEVER_READ.get(function, set()) | (set() if takes_keys(function) else {"api_keys"})
    return set().union(*map(variables_of, settings))


def named_in(value: Any) -> set[str]:
    """The resources and parameters that a value refers to."""
    parts = [part for part in walk(value) if isinstance(part, dict)]
    found = {part["Ref"] for part in parts if "Ref" in part}
    found |= {part["Fn::GetAtt"][0] for part in parts if "Fn::GetAtt" in part}
    return found - {"AWS::NoValue"}


def statements_of(function: str) -> list[dict[str, Any]]:
    """All statements of the function's role."""
    role = FUNCTIONS[function]["Role"]["Fn::GetAtt"][0]
    attached = [p for p in find(MAIN, "AWS::IAM::Policy").values() if {"Ref": role} in p["Roles"]]
    policies = [*find(MAIN, "AWS::IAM::Role")[role].get("Policies", []), *attached]
    found = [s.get("Fn::If", [s, s])[1] for p in policies for s in p["PolicyDocument"]["Statement"]]
    assert all(statement["Effect"] == "Allow" for statement in found)
    return [s | {"Action": as_list(s["Action"])} for s in found]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_variables(function: str) -> None:
    every = set().union(*map(own_variables, FUNCTIONS))
    assert own_variables(function) == variables_needed(function) & every


@pytest.mark.parametrize("function", FUNCTIONS)
def test_secrets(function: str) -> None:
    variables = FUNCTIONS[function].get("Environment", {}).get("Variables", {})
    needed = {name for name in variables_needed(function) if name.endswith("_SECRET_ARN")}
    secrets = [variables[name] for name in needed]
    statements = [s for s in statements_of(function) if "secretsmanager:" in str(s["Action"])]
    assert all(statement["Action"] == ["secretsmanager:GetSecretValue"] for statement in statements)
    assert named_in([statement["Resource"] for statement in statements]) == named_in(secrets)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_objects(function: str) -> None:
    statements = [s for s in statements_of(function) if "s3:" in str(s["Action"])]
    assert all("ImageBucket" in str(statement["Resource"]) for statement in statements)
    allowed = {
        (OBJECT_ACTIONS[action], prefix)
        for statement in statements
        for action in statement["Action"]
        for text in walk(statement["Resource"])
        if isinstance(text, str) and "ImageBucket" in text
        for prefix in re.findall(r"\}/(\w+)/", text) or [""]
    }
    needed = find_object_needs(code_of(function), reached(function))
    needed |= {("put", PREFIXES["WAKE_KEY"])} if may_wake(function) else set()
    assert NEVER_DONE.get(function, set()) <= needed
    assert allowed == needed - NEVER_DONE.get(function, set())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_queues_and_other_services(function: str) -> None:
    statements, mappings = statements_of(function), find(MAIN, "AWS::Lambda::EventSourceMapping").values()
    sends = [s["Resource"] for s in statements if "sqs:SendMessage" in s["Action"]]
    takes = [s["Resource"] for s in statements if "sqs:ReceiveMessage" in s["Action"]]
    sources = [m["EventSourceArn"] for m in mappings if m["FunctionName"] == {"Ref": function}]

    assert named_in(sends) == ({"AnalysisQueue"} if SENDS in reached(function) else set())
    assert named_in(takes) == named_in(sources)
    services = {action.partition(":")[0] for statement in statements for action in statement["Action"]}
    used = find_services(code_of(function), reached(function)) | ({"sqs"} if sources else set())
    assert services - {"s3", "secretsmanager"} == used


@pytest.mark.parametrize("role", GRANTS)
def test_tables(role: str) -> None:
    created = find_database_users(TEMPLATE["Resources"], "MigrateFunction")
    user = created[f"DB_{role.upper()}"]
    granted = {
        (re.sub(r" \(.*\)", "", privilege), item)
        for item, privileges in GRANTS[role].items()
        for privilege in privileges.split(", ")
    }
    users = {name: find_database_users(TEMPLATE["Resources"], name).get("POSTGRES") for name in FUNCTIONS}
    needed = [find_table_needs(code_of(name), reached(name)) for name in FUNCTIONS if users[name] == user]
    assert granted == set().union(*needed)


def test_only_the_migrations_connect_as_the_owner() -> None:
    connecting = {name for name in FUNCTIONS if "DATABASE_SECRET_ARN" in variables_needed(name)}
    users = {name: find_database_users(TEMPLATE["Resources"], name) for name in connecting}
    assert {name for name, found in users.items() if "POSTGRES" not in found} == {"MigrateFunction"}
