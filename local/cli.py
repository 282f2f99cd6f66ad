"""What `python -m local` does with its arguments."""

import argparse
import contextlib
import tempfile
from pathlib import Path

from local.errors import LocalError
from local.facts import say, short
from local.gateway.logs import LogSink
from local.run import Runner
from local.running import read_running
from local.settings import ROOT, Settings, load_settings


def run_command(arguments: argparse.Namespace) -> None:
    """Raises LocalError with what its reader should do."""
    with contextlib.ExitStack() as stack:
        data_dir = arguments.data_dir
        if arguments.command == "invoke":
            settings = load_settings(ROOT, data_dir=data_dir, template=arguments.template)
            event = arguments.event.read_text() if arguments.event else "{}"
            print(invoke_once(settings, arguments.function, event))
            return
        if arguments.ephemeral:
            data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="image-api-")))
            data_dir.chmod(0o711)  # started by root, the servers run as another user
        settings = load_settings(
            ROOT,
            data_dir=data_dir,
            template=arguments.template,
            port=arguments.port,
            db_port=arguments.db_port,
            s3_port=arguments.s3_port,
        )
        Runner(settings, arguments.ready_file).run()
        if not arguments.ephemeral:
            command = "the same command" if arguments.data_dir else "make run"
            say(f"The data is in {short(settings.data_dir)}; {command} goes on from there.")


def invoke_once(settings: Settings, function: str, event: str) -> str:
    """One function with one event, against the stores of a run that is under way: its answer as JSON."""
    from local.assembly import make_pools  # which `run` imports while the stores start
    from local.gateway.worker import InvokeError

    facts = read_running(settings.data_dir)
    logs = LogSink(None)
    database_port, s3_url = facts["database"]["port"], facts["s3"]["endpoint_url"]
    _, pools = make_pools(settings, database_port, s3_url, logs, only=function)
    if function not in pools:
        raise LocalError(f"{settings.template} has no function {function}.")
    try:
        return pools[function].invoke(event)
    except InvokeError as error:
        raise LocalError(f"{function} {error}.") from error
    finally:
        pools[function].close()
