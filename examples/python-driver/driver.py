#!/usr/bin/env python3
"""Reports where a driver is, line by line from standard input: latitude,longitude[,heading,speed].

    gps-reader | SERVER_URL=http://localhost:3000 TOKEN=eyJ... python3 driver.py driver-7

While there is no network the positions are kept, and then sent as one list.
"""

import json
import os
import queue
import random
import sys
import threading
from collections import deque
from datetime import datetime, timezone
from http.client import HTTPException
from time import sleep
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

SERVER = os.environ.get("SERVER_URL", "http://localhost:3000")
TOKEN = os.environ["TOKEN"]
TIMEOUT_S = 10
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30
MOST_KEPT = 1000
END = None


def position(line):
    values = zip(("lat", "lng", "heading", "speed"), map(float, line.split(",")))
    return {**dict(values), "recordedAt": datetime.now(timezone.utc).isoformat()}


def post(driver, backlog):
    request = Request(
        f"{SERVER}/api/driver/{quote(driver, safe='')}/location",
        data=json.dumps(backlog[0] if len(backlog) == 1 else backlog).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        method="POST",
    )
    urlopen(request, timeout=TIMEOUT_S).close()


def fill(backlog, positions):
    """Takes what has come, and waits where that is nothing; whether there may be more."""
    try:
        while (new := positions.get(block=not backlog)) is not END:
            backlog.append(new)
        return False
    except queue.Empty:
        return True


def is_refused(error):
    """Whether the server does not want this, now or later."""
    return isinstance(error, HTTPError) and error.code < 500 and error.code != 429


def wait_s(error, pause_s):
    asked = error.headers.get("Retry-After") if isinstance(error, HTTPError) else None
    return float(asked) if asked else pause_s * random.uniform(0.5, 1)


def send_all(driver, positions):
    backlog = deque(maxlen=MOST_KEPT)  # The oldest give way.
    pause_s = FIRST_PAUSE_S
    is_open = True
    while is_open or backlog:
        is_open = is_open and fill(backlog, positions)
        if not backlog:
            continue
        try:
            post(driver, list(backlog))
        except (OSError, HTTPException) as error:
            print(f"{len(backlog)} not sent: {error}", file=sys.stderr, flush=True)
            if not is_refused(error):
                sleep(wait_s(error, pause_s))
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
        else:
            print(f"{len(backlog)} sent", flush=True)
        backlog.clear()
        pause_s = FIRST_PAUSE_S


def main(driver):
    positions = queue.Queue()
    sender = threading.Thread(target=send_all, args=(driver, positions))
    sender.start()
    for line in sys.stdin:
        try:
            positions.put(position(line))
        except ValueError:
            print(f"no position: {line.strip()}", file=sys.stderr, flush=True)
    positions.put(END)
    sender.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
