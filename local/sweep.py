"""`make sweep`: report or clean up interrupted work."""

import argparse
import json
from typing import Any

from local.invocation import local_function
from local.run_info import say
from local.settings import Settings

COUNTS = {
    "finished": "interrupted upload(s) whose file had arrived: now images",
    "undone": "interrupted upload(s) undone, or interrupted deletion(s) finished",
    "refused": "upload(s) whose file is not a valid image: refused",
    "purged": "image(s) past their time in the trash: deleted permanently",
    "variants_removed": "unfinished variant(s): removed",
    "variants_lost": "variant(s) without a file: rendered again on demand",
    "orphan_objects": "file(s) without a row: removed",
    "orphans_kept": "file(s) without a row that no crash explains: kept",
    "missing_objects": "image(s) whose file is missing: run make verify",
    "failed": "row(s) that could not be settled: the next sweep tries again",
}
"""The counts of a sweep's report, and their meanings."""


def run_sweep(arguments: argparse.Namespace, settings: Settings) -> None:
    """Run a sweep beside the run of this data folder, and print its report."""
    with local_function(settings, "SweepFunction") as invoke:
        report = json.loads(invoke(json.dumps({"dry_run": not arguments.apply})))
    for line in describe(report):
        say(line)


def describe(report: dict[str, Any]) -> list[str]:
    """The lines of a sweep's report."""
    if report["is_another_bucket"]:
        return [
            "The bucket contains none of the newest images: it is not this database's. Nothing was changed."
        ]
    found = [f"{report[name]:>6,} {meaning}" for name, meaning in COUNTS.items() if report[name]]
    if not found:
        return ["Nothing to clean up. Uploads of the last minute are not counted: they may still be running."]
    if report["dry_run"]:
        return ["A sweep would find:", *found, "Nothing was changed. To clean up, run make sweep APPLY=1."]
    return [*found, "Done."]
