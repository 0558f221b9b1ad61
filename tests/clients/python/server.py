"""One Roomcast process for a test: fresh data, an ephemeral port, and tokens that it accepts."""

import asyncio
import base64
import collections
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import tempfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[3]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BINARY = os.environ.get("ROOMCAST_BIN", str(TARGET / "debug" / "roomcast"))
START_LIMIT_S = 20
STOP_LIMIT_S = 10

SECRET = "a secret that only these tests know, long enough for HS256"
API_KEY = "service-key-for-tests-0123456789abcdef"

SETTINGS = {
    "PORT": "0",
    "JWT_SECRET": SECRET,
    "API_KEYS": API_KEY,
    "ROOMCAST_PAYMENTS__DELAY_MS": "500",
    "ROOMCAST_PRESENCE__GRACE_MS": "700",
    "ROOMCAST_LIMITS__CONNECTIONS_PER_IP": "0",
    "ROOMCAST_LIMITS__EVENTS_PER_SECOND": "0",
    "ROOMCAST_LIMITS__USER_EVENTS_PER_SECOND": "0",
    "ROOMCAST_LIMITS__REQUESTS_PER_SECOND": "0",
}


class Server:
    """A running server; `url` is where it listens."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="roomcast-")
        self.log = collections.deque(maxlen=40)
        self.process = None
        self.readers = []
        self.url = None

    async def start(self):
        database = str(pathlib.Path(self.dir) / "roomcast.db")
        self.process = await asyncio.create_subprocess_exec(
            BINARY,
            "serve",
            cwd=self.dir,
            env={"PATH": os.environ["PATH"], "ROOMCAST_STORE__PATH": database, **SETTINGS},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self.readers.append(asyncio.create_task(self._keep(self.process.stderr)))
        try:
            await asyncio.wait_for(self._address(), START_LIMIT_S)
        except BaseException:
            print("\n".join(self.log))
            await self.stop()
            raise
        self.readers.append(asyncio.create_task(self._keep(self.process.stdout)))

    async def _address(self):
        async for line in self.process.stdout:
            found = re.match(r"listening on (http://\S+?)/?\s*$", line.decode())
            if found:
                self.url = found[1]
                return
        raise RuntimeError("the server ended at start")

    async def _keep(self, stream):
        async for line in stream:
            self.log.append(line.decode(errors="replace").rstrip())

    async def stop(self):
        if self.process.returncode is None:
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), STOP_LIMIT_S)
            except asyncio.TimeoutError:
                self.process.kill()
                await self.process.wait()
        for reader in self.readers:
            reader.cancel()
        shutil.rmtree(self.dir, ignore_errors=True)


def _text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def mint(claims, secret=SECRET, ttl_s=3600):
    """A JWT with these claims, signed with HS256."""
    now = int(time.time())
    body = {"iat": now, "exp": now + ttl_s, "jti": str(uuid.uuid4()), **claims}
    parts = ({"alg": "HS256", "typ": "JWT"}, body)
    signed = ".".join(_text(json.dumps(part).encode()) for part in parts)
    signature = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_text(signature)}"
