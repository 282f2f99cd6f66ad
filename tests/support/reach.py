"""The definitions that a function's code can reach, followed by name from its handler on.

A definition is a function, class or constant at the top of a module, and reaches those that it names,
whichever branch or method runs. So it may find more than runs, but never less.
"""

import ast
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests import ROOT

LAYER = ROOT / "layers/shared"


class Definition(NamedTuple):
    """``name`` is empty for the statements of a module that define nothing."""

    module: str
    name: str


class _Module:
    """The definitions of a file, and the names of its imports."""

    def __init__(self, path: Path) -> None:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        self.definitions: dict[str, list[ast.stmt]] = {"": []}
        for statement in tree.body:
            for name in _defined_names(statement):
                self.definitions.setdefault(name, []).append(statement)
        self.imports: dict[str, tuple[str, str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self.imports |= {alias.asname or alias.name: (alias.name, "") for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                self.imports |= {a.asname or a.name: (node.module, a.name) for a in node.names}


def _defined_names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    return [""]


@cache
def _parse(path: Path) -> _Module:
    return _Module(path)


class Code:
    """The layer, and the files of one function: its folder may have several."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def handler(self) -> list[Definition]:
        """All definitions in the function's folder."""
        return [
            Definition(path.stem, name)
            for path in self._folder.glob("*.py")
            for name in _parse(path).definitions
        ]

    def reach(self, without: Collection[Definition] = ()) -> set[Definition]:
        """The definitions that the handler reaches, except through ``without``."""
        waiting, found = self.handler, set[Definition]()
        while waiting:
            definition = waiting.pop()
            if definition not in found and definition not in without:
                found.add(definition)
                waiting += _named_in(self.owner(definition), definition)
        return found

    def owner(self, definition: Definition) -> "Code":
        """The layer's code is the same for all functions, so its definitions can be cached."""
        return SHARED if definition.module.startswith(PACKAGE) else self

    def nodes(self, definition: Definition) -> Iterator[ast.AST]:
        path = self._find(definition.module)
        assert path
        for statement in _parse(path).definitions[definition.name]:
            yield from ast.walk(statement)

    def resolve(self, module: str, node: ast.AST) -> Definition | None:
        """The definition that ``name`` or ``module.name`` stands for in a module."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            imported = ".".join(filter(None, self._import(module, node.value.id)))
            return self._define(imported, node.attr)
        return self._define(module, node.id) if isinstance(node, ast.Name) else None

    def _define(self, module: str, name: str) -> Definition | None:
        path = self._find(module)
        if path and name in _parse(path).definitions:
            return Definition(module, name)
        source, original = self._import(module, name)
        return self._define(source, original) if original else None

    def _import(self, module: str, name: str) -> tuple[str, str]:
        path = self._find(module)
        return _parse(path).imports.get(name, ("", "")) if path else ("", "")

    def _find(self, module: str) -> Path | None:
        """The file of a module of the layer, or of the function's folder."""
        path = LAYER / module.replace(".", "/")
        files = (path.with_suffix(".py"), path / "__init__.py", self._folder / f"{module}.py")
        return next((file for file in files if module and _exists(file)), None)


@cache
def _exists(path: Path) -> bool:
    return path.is_file()


PACKAGE = "imageapi"
SHARED = Code(LAYER / PACKAGE)


@cache
def _named_in(code: Code, definition: Definition) -> list[Definition]:
    return [found for node in code.nodes(definition) if (found := code.resolve(definition.module, node))]
