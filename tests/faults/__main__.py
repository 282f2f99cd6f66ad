"""python -m tests.faults --rounds 500 --seed 1: break everything everywhere, and see that nothing is lost."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "shared")]

from local.servers.postgres import PostgresServer  # noqa: E402
from local.servers.s3 import S3Server  # noqa: E402
from tests.faults.report import describe  # noqa: E402
from tests.faults.rounds import OPERATIONS, Harness  # noqa: E402
from tests.integration.stores import SCHEMA, Stores  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.faults")
    parser.add_argument("--rounds", type=int, default=500, help="how many rounds (500)")
    parser.add_argument("--seed", type=int, default=1, help="decides their order (1)")
    parser.add_argument("--only", choices=OPERATIONS, help="one operation instead of all")
    arguments = parser.parse_args()
    operations = (arguments.only,) if arguments.only else OPERATIONS
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        # The servers run as another user when root starts them.
        Path(folder).chmod(0o755)
        stores = Stores(PostgresServer(Path(folder), schema=SCHEMA), S3Server(Path(folder)))
        try:
            stores.postgres.start()
            stores.s3.start()
            return run(stores, arguments.rounds, arguments.seed, operations)
        finally:
            stores.postgres.stop()
            stores.s3.stop()


def run(stores: Stores, rounds: int, seed: int, operations: Sequence[str]) -> int:
    start = time.monotonic()
    harness = Harness(stores, seed)

    def report(number: int) -> None:
        if number % 25 == 0 or number == rounds:
            seconds = time.monotonic() - start
            print(
                f"{number} of {rounds} rounds, {seconds:.0f} s, {len(harness.counts.wrong)} wrong", flush=True
            )

    try:
        counts = harness.run(rounds, report, operations)
    finally:
        harness.close()
    print(describe(counts))
    return 1 if counts.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
