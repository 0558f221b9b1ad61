"""What one scenario sees: its own users and rooms on a shared server, and its own connections."""

import asyncio
import itertools
import secrets

import aiohttp
import socketio

from server import API_KEY, mint

WAIT_S = 10
CONNECT_S = 10


class User:
    """A user with a token that opens every room."""

    def __init__(self, name, tag, **claims):
        self.id = f"{name}-{tag}"
        self.name = f"{name} the user"
        self.token = mint({"sub": self.id, "name": self.name, "rooms": ["*"], **claims})


class Device:
    """A python-socketio client that keeps everything it hears."""

    def __init__(self, label):
        self.label = label
        self.heard_events = []
        self.news = asyncio.Condition()
        self.sio = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.sio.on("*", self._note)
        self.sio.on("connect_error", self._refused)

    async def _note(self, event, *args):
        async with self.news:
            self.heard_events.append([event, args, False])
            self.news.notify_all()

    async def _refused(self, error=None):
        await self._note("#refused", error)

    async def next(self, event, fits=lambda *args: True, within_s=WAIT_S):
        """The first argument of the next event of this name that was not taken before."""

        def take():
            for entry in self.heard_events:
                if entry[0] == event and not entry[2] and fits(*entry[1]):
                    entry[2] = True
                    return entry
            return None

        async def wait():
            async with self.news:
                return await self.news.wait_for(take)

        try:
            entry = await asyncio.wait_for(wait(), within_s)
        except asyncio.TimeoutError:
            last = [entry[0] for entry in self.heard_events[-12:]]
            raise AssertionError(f"{self.label} did not hear {event}; the last: {last}") from None
        return entry[1][0] if entry[1] else None

    def heard(self, event):
        """The first argument of every event of this name so far."""
        return [entry[1][0] for entry in self.heard_events if entry[0] == event]

    async def ask(self, event, data=None):
        """Sends an event and gives its ack; a tuple is several arguments."""
        return await self.sio.call(event, data, timeout=WAIT_S)

    async def tell(self, event, data=None):
        """Sends an event without asking for an ack."""
        await self.sio.emit(event, data)

    @property
    def id(self):
        return self.sio.get_sid()


class World:
    """Users, rooms and connections of one scenario."""

    def __init__(self, url, transports):
        self.url = url
        self.transports = transports
        self.tag = secrets.token_hex(4)
        self.devices = []
        self.marks = itertools.count(1)
        self.session = aiohttp.ClientSession()

    def id(self, name):
        return f"{name}-{self.tag}"

    def user(self, name, **claims):
        return User(name, self.tag, **claims)

    async def connect(self, user, token=None):
        """A connected device; a refusal raises `ConnectionError` and is heard as `#refused`."""
        device = Device(getattr(user, "id", "a guest"))
        self.devices.append(device)
        token = token or getattr(user, "token", None)
        await device.sio.connect(
            self.url,
            auth={"token": token} if token else None,
            transports=self.transports,
            wait_timeout=CONNECT_S,
        )
        return device

    async def refusal(self, token):
        """The message with which this token is refused."""
        try:
            await self.connect(None, token)
        except socketio.exceptions.ConnectionError:
            error = await self.devices[-1].next("#refused")
            return error["message"] if isinstance(error, dict) else error
        raise AssertionError("the connection was not refused")

    async def member(self, user, room):
        """A connected device that has joined the room."""
        device = await self.connect(user)
        ack = await device.ask("join:room", room)
        assert ack["ok"], ack
        return device

    async def http(self, method, path, body=None, bearer=API_KEY):
        """Status and body of a request, as a backend by default."""
        headers = {"authorization": f"Bearer {bearer}"}
        async with self.session.request(method, self.url + path, json=body, headers=headers) as got:
            is_json = "json" in got.content_type
            return got.status, await (got.json(content_type=None) if is_json else got.text())

    async def settle(self, *devices):
        """Returns once each device has heard everything that was sent to it before this call."""
        for device in devices:
            mark = f"{self.tag}/{next(self.marks)}"
            body = {"event": "mark", "args": [mark], "to": {"sockets": [device.id]}}
            status, text = await self.http("POST", "/api/emit", body)
            assert status == 202, text
            await device.next("mark", lambda heard, mark=mark: heard == mark)

    async def close(self):
        await asyncio.gather(*(device.sio.disconnect() for device in self.devices))
        await self.session.close()
