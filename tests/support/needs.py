"""The needs of a function, read from its code: settings, objects, and tables of the database."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache
from typing import NamedTuple

from imageapi.config.secrets import SECRET_ARNS
from imageapi.config.settings import Settings

from tests import ROOT
from tests.support.reach import Code, Definition

Need = tuple[str, str]
"""An operation and its target: ``("put", "originals")``, ``("SELECT", "uploads")``."""

WAKE = Definition("imageapi.webhooks.wake", "wake_webhooks")
CHECK_KEY = Definition("imageapi.api_keys.check", "check_key")
GET_SETTINGS = Definition("imageapi.config.settings", "get_settings")
GET_AWS_CLIENT = Definition("imageapi.config.aws_clients", "get_aws_client")
KEYS = "imageapi.storage.object_keys"
PREFIXES = {
    "original_key": "originals",
    "incoming_key": "incoming",
    "variant_key": "variants",
    "invalidation_key": "invalidations",
    "WAKE_KEY": "webhooks",
}
IN_ROWS = {"s3_key": "originals", "originals/": "originals"}
"""Strings that name a key: the column of an image's key, and the listed prefix."""
STORAGE = "imageapi.storage."
DOES = {
    "put_object": ["put"],
    "put_marker": ["put"],
    "download": ["get"],
    "downloaded": ["get"],
    "object_exists": ["get"],
    "delete_objects": ["delete"],
    "presign_url": ["get"],
    "presign_post": ["put"],
    "read_sha256": ["get"],
    "copy_version": ["get-version", "put"],
}
"""The operations of each function of storage/ on the object whose key it takes."""
BUCKET = {"list_objects": "list", "check_bucket": "list", "find_versions": "list-versions"}
"""The operations of others on the bucket."""
NOTHING = {*PREFIXES, "limit_lifetime", "public_origin"}
"""Functions that do not use the bucket."""


class Calls(NamedTuple):
    """The calls of one definition, with what is assigned to each of its variables."""

    module: str
    calls: list[ast.Call]
    assigned: dict[str, list[ast.expr]]


def read_calls(code: Code, definition: Definition) -> Calls:
    found = Calls(definition.module, [], {})
    for node in code.nodes(definition):
        targets: list[tuple[ast.expr, ast.expr]] = []
        if isinstance(node, ast.Assign):
            targets = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AugAssign):
            targets = [(node.target, node.value)]
        elif isinstance(node, ast.comprehension | ast.For):
            targets = [(node.target, node.iter)]
        elif isinstance(node, ast.Call):
            found.calls.append(node)
        for target, value in targets:
            for name in ast.walk(target):
                if isinstance(name, ast.Name):
                    found.assigned.setdefault(name.id, []).append(value)
    return found


def find_object_needs(code: Code, reached: Iterable[Definition]) -> set[Need]:
    """The operations on objects, by prefix, and on the bucket: ``{("get", "incoming"), ("list", "")}``"""
    needs = set[Need]().union(*(_object_needs(code.owner(found), found) for found in reached))
    # Without it, S3 returns 403 for a missing object.
    return needs | ({("list", "")} if any(verb == "get" for verb, _ in needs) else set())


@cache
def _object_needs(code: Code, definition: Definition) -> set[Need]:
    needs: set[Need] = set()
    if definition.module.startswith(STORAGE):
        return needs
    found = read_calls(code, definition)
    for call in found.calls:
        called = code.resolve(definition.module, call.func)
        if called and called.module.startswith(STORAGE):
            assert called.name in {*DOES, *BUCKET, *NOTHING}, f"What does {called.name} do to the bucket?"
            prefixes = set[str]().union(*(_find_prefixes(code, found, argument) for argument in call.args))
            needs |= {(verb, prefix) for verb in DOES.get(called.name, []) for prefix in prefixes}
            needs |= {(BUCKET[called.name], "")} if called.name in BUCKET else set()
    return needs


def _find_prefixes(code: Code, found: Calls, key: ast.expr) -> set[str]:
    """The prefixes that an expression can have, also through variables."""
    prefixes, waiting, seen = set(), [key], set()
    while waiting:
        for node in ast.walk(waiting.pop()):
            named = code.resolve(found.module, node)
            if named and named.module == KEYS:
                prefixes.add(PREFIXES[named.name])
            if isinstance(node, ast.Constant) and node.value in IN_ROWS:
                prefixes.add(IN_ROWS[node.value])
            if isinstance(node, ast.Name) and node.id not in seen:
                seen.add(node.id)
                waiting += found.assigned.get(node.id, [])
    return prefixes


def find_services(code: Code, reached: Iterable[Definition]) -> set[str]:
    """AWS services other than S3 and Secrets Manager: ``{"sqs"}``."""
    return {
        str(argument.value)
        for found in reached
        for call in read_calls(code.owner(found), found).calls
        if code.owner(found).resolve(found.module, call.func) == GET_AWS_CLIENT
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }


def find_settings(code: Code, reached: Iterable[Definition]) -> set[str]:
    """The fields of Settings that are read."""
    return set[str]().union(*(_settings(code.owner(found), found) for found in reached))


@cache
def _settings(code: Code, definition: Definition) -> set[str]:
    read = {
        node.attr
        for node in code.nodes(definition)
        if isinstance(node, ast.Attribute) and _is_settings(code, definition.module, node.value)
    }
    # The only property.
    return (read | ({"s3_keys"} if "s3_credentials" in read else set())) & {f.name for f in fields(Settings)}


def _is_settings(code: Code, module: str, node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return code.resolve(module, node.func) == GET_SETTINGS
    return isinstance(node, ast.Name) and node.id == "settings"


@cache
def variables_of(field: str) -> frozenset[str]:
    """The variables that a field of Settings is read from, with those that name their secrets."""
    code = Code(ROOT / "functions")
    load = Definition("imageapi.config.settings", "load_settings")
    found = read_calls(code, load)
    (values,) = (
        {keyword.arg: keyword.value for keyword in call.keywords}
        for call in found.calls
        if isinstance(call.func, ast.Name) and call.func.id == "Settings"
    )
    waiting: list[ast.AST] = [values[field]]
    names, seen = set[str](), {"env", "keys"}
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Constant) and re.fullmatch(r"[A-Z][A-Z0-9_]+", str(node.value)):
                names.add(str(node.value))
            if isinstance(node, ast.Name) and node.id not in seen:
                seen.add(node.id)
                waiting += found.assigned.get(node.id, [])
                named = code.resolve(load.module, node)
                if named and not named.name.isupper():
                    waiting += code.nodes(named)
    return frozenset(names | {SECRET_ARNS[name] for name in names & SECRET_ARNS.keys()})


SCHEMA = re.sub(r"--.*", "", (ROOT / "init_db.sql").read_text(encoding="utf-8"))
TABLES = {*re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", SCHEMA), "schema_migrations"}
FUNCTIONS = {
    found[1]: found[2]
    for found in re.finditer(r"CREATE OR REPLACE FUNCTION (\w+)(.*?\$\$.*?\$\$)", SCHEMA, re.DOTALL)
}
TRIGGERS = re.findall(r"TRIGGER \w+ AFTER .*? ON (\w+)\s.*?EXECUTE FUNCTION (\w+)", SCHEMA, re.DOTALL)
STATEMENTS = {
    "SELECT": r"(?<!DELETE )FROM (\w+)|(?:JOIN|USING) (\w+)",
    "INSERT": r"INSERT INTO (\w+)",
    "UPDATE": r"(?<!FOR )(?<!DO )UPDATE (\w+)|LOCK TABLE (\w+)",
    "DELETE": r"DELETE FROM (\w+)",
}


def find_table_needs(code: Code, reached: Iterable[Definition]) -> set[Need]:
    """The operations on tables, sequences and functions of the database: ``{("UPDATE", "uploads"), …}``."""
    needs = set[Need]().union(*(_table_needs(code.owner(found), found) for found in reached))
    for table, trigger in TRIGGERS:
        if not _runs_as_owner(trigger) and any(verb != "SELECT" and table == name for verb, name in needs):
            needs |= _read_sql(FUNCTIONS[trigger])
    return needs


@cache
def _table_needs(code: Code, definition: Definition) -> set[Need]:
    return set[Need]().union(*map(_read_sql, _texts(code.nodes(definition))))


def _runs_as_owner(function: str) -> bool:
    return "SECURITY DEFINER" in FUNCTIONS[function]


def _read_sql(text: str) -> set[Need]:
    text = re.sub(r"\s+", " ", text)
    needs = {
        (verb, table)
        for verb, pattern in STATEMENTS.items()
        for names in re.findall(rf"\b(?:{pattern})\b", text)
        for table in ([names] if isinstance(names, str) else names)
        if table in TABLES
    }
    changed = {table for verb, table in needs if verb == "INSERT"} if "DO UPDATE" in text else set()
    if re.search(r"FOR (NO KEY )?UPDATE|FOR SHARE", text):
        changed |= {table for verb, table in needs if verb == "SELECT"}
    needs |= {("UPDATE", table) for table in changed}
    if "lease_tokens" in text:
        needs.add(("USAGE", "SEQUENCE lease_tokens"))
    for function in FUNCTIONS:
        if re.search(rf"\b{function}\(", text) and not text.startswith("("):
            as_owner = {("EXECUTE", f"FUNCTION {function}")}
            needs |= as_owner if _runs_as_owner(function) else _read_sql(FUNCTIONS[function])
    return needs


def _texts(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """The strings; of f-strings, the constant parts."""
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            parts = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
            yield " ".join(part for part in parts if isinstance(part, str))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
