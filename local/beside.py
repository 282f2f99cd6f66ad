"""The commands that look at a service which runs already, and so need nothing of SAM CLI."""

import argparse
import contextlib

from local.errors import LocalError
from local.running import read_running
from local.settings import ROOT, load_settings


def run_beside(arguments: argparse.Namespace) -> None:
    """Raises LocalError with what its reader should do."""
    settings = load_settings(ROOT, data_dir=arguments.data_dir, template=arguments.template)
    facts = None
    with contextlib.suppress(LocalError):
        facts = read_running(settings.data_dir)
    if arguments.command == "monitor":
        from local.monitor.snapshot import run_monitor

        run_monitor(arguments, settings, facts)
    else:
        from local.demo.upload import run_demo

        run_demo(arguments, settings, facts)
