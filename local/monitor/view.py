"""Snapshots as tables on the terminal."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

GOOD = {"up", "healthy", "running", "ready"}
NEUTRAL = {"unknown", "no healthcheck", "-", "starting"}
SIZES = ("B", "kB", "MB", "GB", "TB")
METER_WIDTH = 6


def show_once(shot: Mapping[str, Any]) -> None:
    Console().print(draw(shot))


def show_live(take: Callable[[], dict[str, Any]], seconds: float) -> None:
    """Redraw until Ctrl-C (KeyboardInterrupt)."""
    console = Console()
    console.print("Looking around…")
    with Live(draw(take()), console=console, screen=console.is_terminal, auto_refresh=False) as live:
        while True:
            live.refresh()
            time.sleep(seconds)
            live.update(draw(take()))


def draw(shot: Mapping[str, Any]) -> RenderableType:
    """The whole screen, for a terminal of any width."""
    api = shot["api"]
    places = {"run": "make run", "docker": "docker compose"}
    title = f"{places[shot['mode']]} · {api['base_url']} · {shot['at'][11:19]} · Ctrl-C ends"
    return Panel(
        Group(
            draw_machine(shot["machine"]),
            "",
            draw_parts(shot["parts"]),
            "",
            draw_api(api),
            "",
            draw_database(shot["database"]),
            draw_bucket(shot["bucket"]),
        ),
        title=title,
        border_style="blue",
    )


def draw_machine(machine: Mapping[str, Any]) -> RenderableType:
    memory, disk = machine["memory"], machine["disk"]
    grid = Table.grid(padding=(0, 3))
    grid.add_row(
        meter("CPU", machine["cpu_percent"] / 100, ""),
        meter("memory", memory["used"] / memory["total"], f"of {size(memory['total'])}"),
        meter("disk", disk["used"] / disk["total"], f"of {size(disk['total'])}"),
    )
    return grid


def meter(name: str, share: float, text: str) -> Text:
    """A bar, red when nearly full."""
    full = round(min(1.0, max(0.0, share)) * METER_WIDTH)
    style = "red" if share > 0.9 else "yellow" if share > 0.75 else "green"
    return Text.assemble(
        f"{name} ", ("━" * full, style), ("━" * (METER_WIDTH - full), "bright_black"), f" {share:.0%} {text}"
    )


def draw_parts(parts: list[dict[str, Any]]) -> RenderableType:
    table = make_table("name", "id", "state", ">CPU", ">memory", "health")
    for part in parts:
        table.add_row(
            part["name"],
            part["id"],
            judged(part["state"]),
            f"{part['cpu_percent']:.1f}%",
            size(part["memory"]),
            judged(part["health"]),
        )
    return table


def judged(text: str) -> Text:
    """Green when it is fine, red when it is not, grey when neither is known."""
    fine = text in GOOD or text.endswith(("worker", "workers"))
    return Text(text, style="green" if fine else "bright_black" if text in NEUTRAL else "red")


def draw_api(api: Mapping[str, Any]) -> RenderableType:
    stats = api["stats"]
    if stats is None:
        # A gateway other than the one in local/: sam local start-api counts nothing.
        return Text("The API answers." if api["health"] else "The API does not answer.", style="yellow")
    table = make_table("function", ">requests/min", ">4xx", ">5xx", ">p50 ms", ">p95 ms")
    rows = list(stats["functions"].items())
    for name, one in [*rows, ("all", stats["all"])]:
        counts = one["Requests"]
        table.add_row(
            name,
            f"{one['requests_per_minute']:.0f}",
            str(counts.get("4xx", 0)),
            Text(str(one["errors"]), style="red" if one["errors"] else ""),
            *("-" if value is None else f"{value:.1f}" for value in one["Latency"].values()),
            style="bold" if name == "all" else "",
        )
    return table


def draw_database(found: Mapping[str, Any]) -> Text:
    if "error" in found:
        return Text(f"database  {found['error']}", style="red")
    rows = found["rows"] or {}
    states = ", ".join(f"{count:,} {state}" for state, count in sorted(rows.items(), key=lambda s: -s[1]))
    return Text(
        f"images    {states}; originals {size(found['original_bytes'])}; {found['Renders']:,} renditions\n"
        f"          {found['Uploads']:,} uploads in the last minute ({size(found['UploadedBytes'])}), "
        f"{found['SweepFindings']:,} left for a sweep\n"
        f"database  {size(found['database_bytes'])}, {found['connections']} connections"
    )


def draw_bucket(found: Mapping[str, Any]) -> Text:
    if "error" in found:
        return Text(f"bucket    {found['error']}", style="red")
    more = "" if found["complete"] else "more than "
    return Text(f"bucket    {more}{found['objects']:,} objects, {size(found['bytes'])}")


def make_table(*names: str) -> Table:
    """A table with these columns; those that begin with > hold numbers."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bright_black", pad_edge=False)
    for name in names:
        table.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left")
    return table


def size(count: float) -> str:
    """A number of bytes for people: 4.1 MB."""
    for unit in SIZES:
        if count < 1000 or unit == SIZES[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError("unreachable")
