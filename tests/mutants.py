"""python -m tests.mutants --count 100 --seed 1: which small changes of the layer do the tests not notice?

A mutant changes one expression or statement of a commit's layer. It is run against the tests that reach its
line in their own process, beginning with those that reach the fewest lines. The first run for a commit
records which test reaches which lines, and keeps this with a copy of the commit in the temporary folder.

Needs pytest-cov. mutmut takes no seeded sample; cosmic-ray runs all tests for each mutant.
"""

import argparse
import ast
import copy
import random
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from coverage import CoverageData

from tests import ROOT

LAYER = "layers/shared/imageapi"
SECONDS, SECONDS_PER_TEST = 120, 2  # a run that takes longer hangs
SWAPS = (
    *((ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq), (ast.In, ast.NotIn), (ast.Is, ast.IsNot)),
    *((ast.And, ast.Or), (ast.Add, ast.Sub), (ast.Mult, ast.FloorDiv), (ast.BitAnd, ast.BitOr)),
)
SWAPPED: dict[type[ast.AST], Any] = {**dict(SWAPS), **{two: one for one, two in SWAPS}}
LEFT_OUT = re.compile(r"(get_logger\(\)\.\w+|log|TypeVar|cast)\(")
Reached = dict[int, list[tuple[int, str]]]  # the tests that reach a line, and the number of lines of each


class Mutant(NamedTuple):
    """A change of one node. ``lines``: of its statement, without its body; empty outside of functions."""

    path: str
    node: Any
    kind: str
    new: ast.AST
    lines: range

    def __str__(self) -> str:
        old, new = (" ".join(ast.unparse(node).split()) for node in (self.node, self.new))
        return f"{self.path}:{self.node.lineno}: {self.kind}: {old} -> {new}"

    def apply(self, source: bytes) -> bytes:
        lines, node = source.splitlines(keepends=True), self.node
        start = len(b"".join(lines[: node.lineno - 1])) + node.col_offset
        end = len(b"".join(lines[: node.end_lineno - 1])) + node.end_col_offset
        text = f"({ast.unparse(self.new)})" if isinstance(self.new, ast.expr) else ast.unparse(self.new)
        return source[:start] + text.encode() + source[end:]


def find_mutants(path: str, node: ast.AST, lines: range = range(0)) -> Iterator[Mutant]:
    """All mutants inside a node, except for annotations, docstrings, f-strings and log messages."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if name in ("annotation", "returns") or not isinstance(child, ast.AST) or is_left_out(child):
                continue
            if isinstance(child, ast.stmt) and (lines or isinstance(node, ast.FunctionDef)):
                body = getattr(child, "body", None)
                lines = range(child.lineno, body[0].lineno if body else (child.end_lineno or 0) + 1)
            for kind, new in change(child):
                yield Mutant(path, child, kind, new, lines)
            yield from find_mutants(path, child, lines)


def is_left_out(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or is_left_out(node.value)
    is_log = isinstance(node, ast.Call) and LEFT_OUT.match(ast.unparse(node))
    return bool(is_log) or isinstance(node, ast.JoinedStr)


def change(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The kinds of changes of a node, each with the new node."""
    new: Any = copy.copy(node)
    match node:
        case ast.Compare(ops=[operator]):
            new.ops = [SWAPPED[type(operator)]()]
            yield "comparison", new
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "boolean", operand
        case ast.BoolOp(op=operator) | ast.BinOp(op=operator) if type(operator) in SWAPPED:
            new.op = SWAPPED[type(operator)]()
            yield "boolean" if isinstance(node, ast.BoolOp) else "arithmetic", new
        case ast.Constant(value=bool(value) | int(value) | float(value)):
            yield "constant", ast.Constant(not value if isinstance(value, bool) else value + 1)
        case ast.Constant(value=str(value)) if re.fullmatch(r"[\w./-]+", value):
            yield "text", ast.Constant(f"XX{value}")
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            new.value = ast.Constant(None)
            yield "return", new
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign() | ast.Delete():
            yield "removal", ast.Pass()
        case ast.Call(args=[one, two, *rest]) if not {type(one), type(two)} & {ast.Starred}:
            new.args = [two, one, *rest]
            yield "swap", new


def choose(mutants: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """Choose at random, with the same number of each kind."""
    mixed, kinds = random.Random(seed).sample(mutants, len(mutants)), sorted({one.kind for one in mutants})
    turns = zip(*([one for one in mixed if one.kind == kind] for kind in kinds), strict=False)
    return list(chain.from_iterable(turns))[:count]


def export(commit: str) -> Path:
    """The folder with the files of a commit, and with ``.coverage``: which test reaches which line."""
    name = subprocess.check_output(["git", "-C", ROOT, "rev-parse", "--short=12", commit], text=True).strip()
    folder = Path(tempfile.gettempdir(), f"mutants-{name}")
    if not (folder / ".coverage").exists():
        folder.mkdir(exist_ok=True)
        subprocess.run(f"git -C {ROOT} archive {name} | tar x -C {folder}", shell=True, check=True)
        commands = subprocess.check_output(["make", "-n", "test"], cwd=folder, text=True)
        arguments = shlex.split(commands.partition(" -m pytest ")[2].partition("\n")[0])
        run_tests(folder, [*arguments, f"--cov={LAYER}", "--cov-context=test", "--cov-report="])
    return folder


def find_tests(folder: Path) -> dict[str, Reached]:
    """The tests that reach each line, by file."""
    data = CoverageData(str(folder / ".coverage"))
    data.read()
    files = {file: data.contexts_by_lineno(file) for file in data.measured_files()}
    sizes = Counter(name for lines in files.values() for names in lines.values() for name in names)
    found: dict[str, Reached] = defaultdict(dict)
    for file, lines in files.items():
        for line, names in lines.items():
            tests = [(sizes[name], name.partition("|")[0]) for name in names if name]
            found[str(Path(file).relative_to(folder))][line] = tests
    return found


def judge(folder: Path, mutant: Mutant, reached: Reached) -> str:
    """The verdict: killed, lived, hangs, or unreached."""
    found = sorted(test for line in mutant.lines or reached for test in reached.get(line, ()))
    tests = list(dict.fromkeys(test for _, test in found))
    if not tests:
        return "unreached"
    (folder / "tests.txt").write_text("\n".join(tests))
    file = folder / mutant.path
    source = file.read_bytes()
    try:
        file.write_bytes(mutant.apply(source))
        failed = run_tests(folder, ["-x", "@tests.txt"], SECONDS + SECONDS_PER_TEST * len(tests))
    except subprocess.TimeoutExpired:
        return "hangs"
    finally:
        file.write_bytes(source)
    return f"killed by {failed[0]}" if failed else f"lived {len(tests)} tests"


def run_tests(folder: Path, arguments: list[str], seconds: float | None = None) -> list[str]:
    """The tests that fail."""
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    with (folder / "output.txt").open("w+") as output:
        code = subprocess.run(command, cwd=folder, stdout=output, stderr=output, timeout=seconds).returncode
        output.seek(0)
        failed = re.findall(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", output.read(), re.MULTILINE)
        return failed or ["the start"] * (code != 0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="this many mutants (100)")
    parser.add_argument("--seed", type=int, default=1, help="decides which (1)")
    parser.add_argument("--commit", default="HEAD", help="of this commit (HEAD)")
    arguments = parser.parse_args()
    folder = export(arguments.commit)
    tests = find_tests(folder)
    trees = {file: ast.parse(file.read_bytes()) for file in sorted((folder / LAYER).rglob("*.py"))}
    mutants = [
        one for file, tree in trees.items() for one in find_mutants(str(file.relative_to(folder)), tree)
    ]
    counts: Counter[str] = Counter()
    for mutant in choose(mutants, arguments.count, arguments.seed):
        result = judge(folder, mutant, tests[mutant.path])
        counts[result.partition(" ")[0]] += 1
        print(f"{result}: {mutant}", flush=True)
    print(", ".join(f"{number} {result}" for result, number in counts.items()))


if __name__ == "__main__":
    main()
