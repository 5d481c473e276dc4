"""What all Python clients share."""

import os
import sys
import time

PROMPT = "interop/be kind"  # a name that proxies like to break
DATASET = "a set/of items"
PICTURE = b"not really a picture"
AWAY = float(os.environ.get("INTEROP_AWAY", 0))  # seconds of load in place of everything once

failures = []


def call(name, what):
    """Does one thing, and says which one it was when it does not work."""
    try:
        return what()
    except Exception as error:
        failures.append(name)
        print(f"{name}: {error!r}", file=sys.stderr)


def until(seconds, what):
    """Ten times a second for so long: what an application does while Langfuse comes and goes."""
    end = time.monotonic() + seconds
    n = 0
    while time.monotonic() < end:
        n += 1
        call(f"call {n}", lambda: what(n))
        time.sleep(0.1)


def finish():
    for failure in failures:
        print(failure, file=sys.stderr)
    sys.exit(1 if failures else 0)
