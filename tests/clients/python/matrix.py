"""Runs every scenario with python-socketio over every transport; the output is TAP."""

import asyncio
import sys
import traceback

import scenarios
from server import Server
from world import World

TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": None}
AT_ONCE = 8
LIMIT_S = 60


async def run(server, scenario, transports, gate):
    """None, or why the scenario failed."""
    async with gate:
        world = World(server.url, transports)
        try:
            await asyncio.wait_for(scenario(world), LIMIT_S)
            return None
        except Exception:  # A failed scenario must not stop the others.
            return traceback.format_exc()
        finally:
            await world.close()


async def main():
    passed = failed = 0
    for way, transports in TRANSPORTS.items():
        server = Server()
        await server.start()
        gate = asyncio.Semaphore(AT_ONCE)
        runs = [run(server, one, transports, gate) for one in scenarios.ALL]
        try:
            results = await asyncio.gather(*runs)
        finally:
            await server.stop()
        for scenario, failure in zip(scenarios.ALL, results):
            number = passed + failed + 1
            outcome = "not ok" if failure else "ok"
            print(f"{outcome} {number} - python-socketio, {way}: {scenario.__doc__}")
            if failure:
                failed += 1
                print("".join(f"  # {line}\n" for line in failure.splitlines()), end="")
            else:
                passed += 1
    print(f"1..{passed + failed}\n# pass {passed}\n# fail {failed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
