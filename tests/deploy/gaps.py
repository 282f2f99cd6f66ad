"""What the emulator lacks, each by its name and with the reason. A pytest plugin: ``-p tests.deploy.gaps``.

A test that is named here still runs, and must fail: when it passes, the emulator has learnt it, and it has to
leave this list.
"""

import pytest

TESTS: dict[str, str] = {}
"""Of tests/e2e, by the beginning of their ids."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the list; a name that no test has is an error."""
    for name, reason in TESTS.items():
        found = [item for item in items if item.nodeid.startswith(name)]
        if not found:
            raise pytest.UsageError(f"tests/deploy/gaps.py names {name}, and there is no such test.")
        for item in found:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
