"""CloudFront's function on a link of a variant, compared with one bare HMAC in the same process."""

import time

from benchmarks.figures import Figure, take_turns
from tests.support.edge_function import EdgeFunction, render_code

NAME = "edge"
ROUNDS, WARM_UP = 2_000, 2_000
KEYS = ("new-key-of-the-benchmarks-0123456789", "old-key-of-the-benchmarks-0123456789")
ACCEPT = ("Accept", "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8")
GOAL = 4.0


def run() -> list[Figure]:
    from imageapi.delivery import links

    term = links.Validity(expires=links.expires_at(time.time(), 3600))
    link = links.sign_link("0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e", "w320", term, keys=KEYS)
    print(f"edge: {ROUNDS} rounds with {len(KEYS)} keys, in Node.js", flush=True)
    with EdgeFunction(render_code(KEYS)) as function:
        calls = {
            "valid": lambda: function.on_request(link, [ACCEPT]).microseconds,
            "altered": lambda: function.on_request(f"{link[:-1]}_", [ACCEPT]).microseconds,
            "hmac": function.time_one_hmac,
        }
        take_turns(calls, WARM_UP)
        medians = take_turns(calls, ROUNDS)
    return [
        Figure(f"edge: {name} link", medians[name], medians["hmac"], "one HMAC", unit="µs", goal=GOAL)
        for name in ("valid", "altered")
    ]
