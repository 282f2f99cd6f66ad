"""The template, read by SAM CLI: its functions and the API's routes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ["SAM_CLI_TELEMETRY"] = "0"  # read when samcli is imported

from samcli.commands._utils.template import get_template_data
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.provider import Stack
from samcli.lib.providers.sam_function_provider import SamFunctionProvider

from local.errors import LocalError
from local.settings import find_database_users

LAMBDA_DEFAULT_TIMEOUT = 3
LAMBDA_DEFAULT_MEMORY_MB = 128


@dataclass(frozen=True)
class FunctionSpec:
    """One function. Timeout in seconds, memory in MB. `variables` and `events` are resolved. `users` of the
    database are the result of find_database_users().
    """

    name: str
    handler: str
    code_dir: Path
    layer_dirs: tuple[Path, ...]
    timeout: int
    memory: int
    variables: Mapping[str, Any] = field(default_factory=dict)
    events: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Template:
    functions: dict[str, FunctionSpec]
    api: Any  # samcli's Api: routes, binary_media_types, stage_name, cors


def read_template(path: Path) -> Template:
    """Read a template with its parameters' defaults. Raises LocalError if it is unreadable or lacks an API.

    Nested stacks are not read: they concern only AWS, and reading them took most of the time.
    """
    try:
        data = get_template_data(str(path))
        stacks = [Stack("", "", str(path), {}, data)]
        api = ApiProvider(stacks, cwd=str(path.parent)).api
        found = {f.name: _to_spec(f, data["Resources"]) for f in SamFunctionProvider(stacks).get_all()}
    except Exception as error:  # samcli's parsers raise their own, yaml's and built-in errors
        raise LocalError(f"Cannot read {path}: {error}") from error
    if not api.routes:
        raise LocalError(f"{path} has no function with an Api event.")
    return Template(found, api)


def _to_spec(function: Any, resources: Mapping[str, Any]) -> FunctionSpec:
    return FunctionSpec(
        name=function.name,
        handler=function.handler,
        code_dir=Path(function.codeuri),
        # Two layers may be built from one folder.
        layer_dirs=tuple(dict.fromkeys(Path(layer.codeuri) for layer in function.layers if layer.codeuri)),
        timeout=int(function.timeout or LAMBDA_DEFAULT_TIMEOUT),
        memory=int(function.memory or LAMBDA_DEFAULT_MEMORY_MB),
        variables=(function.environment or {}).get("Variables") or {},
        events=function.events or {},
        users=find_database_users(resources, function.name),
    )
