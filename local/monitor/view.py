"""Snapshots as tables on the terminal."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.filesize import decimal as size
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

GOOD = {"up", "healthy", "running"}
NEUTRAL = {"unknown", "no healthcheck", "-", "starting"}
PLACES = {"run": "make run", "docker": "docker compose"}
NEARLY_FULL = 0.9


def show_once(shot: Mapping[str, Any]) -> None:
    Console().print(draw(shot))


def show_live(shots: Iterable[Mapping[str, Any]], seconds: float) -> None:
    """Redraw until Ctrl-C (KeyboardInterrupt)."""
    console = Console()
    with Live("Looking around…", console=console, screen=console.is_terminal, auto_refresh=False) as live:
        for shot in shots:
            live.update(draw(shot), refresh=True)
            time.sleep(seconds)


def draw(shot: Mapping[str, Any]) -> RenderableType:
    """The whole screen, for a terminal of any width."""
    api = shot["api"]
    title = f"{PLACES[shot['mode']]} · {api['base_url']} · {shot['at'][11:19]} · Ctrl-C ends"
    parts = [
        draw_machine(shot["machine"]),
        draw_parts(shot["parts"]),
        draw_api(api),
        draw_database(shot["database"]),
    ]
    return Panel(Group(*(line for part in parts for line in (part, ""))), title=title, border_style="blue")


def draw_machine(machine: Mapping[str, Any]) -> Text:
    """CPU, memory and disk, red when nearly full."""
    text = Text(f"CPU {machine['cpu_percent']:.0f}%")
    for name in ("memory", "disk"):
        share = machine[name]["used"] / machine[name]["total"]
        text.append(
            f"   {name} {share:.0%} of {size(machine[name]['total'])}", "red" if share > NEARLY_FULL else ""
        )
    return text


def draw_parts(parts: Iterable[Mapping[str, Any]]) -> Table:
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
    """Green for healthy, red for unhealthy, gray for unknown."""
    fine = text in GOOD or text.endswith(("worker", "workers"))
    return Text(text, style="green" if fine else "bright_black" if text in NEUTRAL else "red")


def draw_api(api: Mapping[str, Any]) -> RenderableType:
    if not api["stats"]:
        # sam local start-api does not provide statistics.
        return Text("The API answers." if api["health"] else "The API does not answer.", style="yellow")
    table = make_table("function", ">requests/min", ">4xx", ">5xx", ">p50 ms", ">p95 ms")
    for name, one in [*api["stats"]["functions"].items(), ("all", api["stats"]["all"])]:
        table.add_row(
            name,
            f"{one['requests_per_minute']:.0f}",
            str(one["Requests"].get("4xx", 0)),
            Text(str(one["errors"]), style="red" if one["errors"] else ""),
            *("-" if value is None else f"{value:.1f}" for value in one["Latency"].values()),
            style="bold" if name == "all" else "",
        )
    return table


def draw_database(found: Mapping[str, Any]) -> Text:
    if "error" in found:
        return Text(f"database  {found['error']}", style="red")
    return Text(
        f"images    {found['images']:,}; {found['uploads']:,} uploads on their way; "
        f"{found['SweepFindings']:,} left for a sweep\n"
        f"stored    originals {size(found['original_bytes'])}; {found['Renders']:,} variants; "
        f"database {size(found['database_bytes'])}"
    )


def make_table(*names: str) -> Table:
    """A table with these columns; a leading > marks numbers, aligned right."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bright_black", pad_edge=False)
    for name in names:
        table.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left")
    return table
