"""The counts of a run, as text."""

from tests.faults.rounds import FAULTS, OPERATIONS, Counts


def describe(counts: Counts) -> str:
    """Rounds by operation and fault, by step, and their outcomes."""
    lines = ["", "rounds".ljust(16) + "".join(fault.rjust(14) for fault in FAULTS) + "all".rjust(7)]
    for operation in OPERATIONS:
        found = [counts.rounds[operation, fault] for fault in FAULTS]
        lines.append(
            operation.ljust(16) + "".join(str(n).rjust(14) for n in found) + str(sum(found)).rjust(7)
        )
    totals = [sum(counts.rounds[operation, fault] for operation in OPERATIONS) for fault in FAULTS]
    lines.append("all".ljust(16) + "".join(str(n).rjust(14) for n in totals) + str(sum(totals)).rjust(7))
    lines += ["", "rounds by step"]
    for operation in OPERATIONS:
        steps = sorted((step, name, n) for (op, step, name), n in counts.steps.items() if op == operation)
        text = ", ".join(f"{step} {name.rpartition('.')[2]} {n}" for step, name, n in steps)
        lines.append(f"{operation.ljust(16)}{text}")
    lines += ["", "operation".ljust(16) + "acknowledged".rjust(14) + "killed".rjust(10) + "refused".rjust(10)]
    for operation in OPERATIONS:
        one = (counts.acknowledged[operation], counts.killed[operation], counts.refused[operation])
        lines.append(operation.ljust(16) + str(one[0]).rjust(14) + "".join(str(n).rjust(10) for n in one[1:]))
    lines += [
        "",
        f"{counts.retried} operations were sent again; {counts.recovered} rounds left work for the sweep.",
        f"{counts.not_reached} rounds ended before their fault. {counts.images} times an image was compared.",
        f"{len(counts.wrong)} wrong" + (":" if counts.wrong else "."),
        *counts.wrong,
    ]
    return "\n".join(lines)
