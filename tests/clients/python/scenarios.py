"""The main scenarios of the contract, for python-socketio; each function's doc is its sentence."""

import os

from server import mint
from world import WAIT_S

AUTO_STOP_LIMIT_S = 12


async def own_id(w):
    """A connected socket is told its own id."""
    alice = await w.connect(w.user("alice"))
    assert await alice.next("socket-id") == alice.id


async def refusals(w):
    """A missing token and a wrong one are refused with their messages."""
    assert await w.refusal(None) == "Authentication required"
    expired = mint({"sub": "alice"}, ttl_s=-7200)
    foreign = mint({"sub": "alice"}, secret="x" * 40)
    for token in ("garbage", expired, foreign):
        assert await w.refusal(token) == "Invalid token"


async def joins(w):
    """user:joined and user:left come once per user, and a refused join is told twice."""
    room, alice, bob = w.id("room"), w.user("alice"), w.user("bob")
    listener = await w.member(bob, room)
    phone, laptop = await w.member(alice, room), await w.member(alice, room)
    expected = {"userId": alice.id, "username": alice.name, "roomId": room}
    assert await listener.next("user:joined") == expected
    await phone.sio.disconnect()
    assert (await laptop.ask("leave:room", room))["ok"]
    assert await listener.next("user:left") == expected
    await w.settle(listener)
    assert len(listener.heard("user:joined")) == 1
    assert len(listener.heard("user:left")) == 1
    stranger = await w.connect(w.user("carol", rooms=[]))
    assert not (await stranger.ask("join:room", room))["ok"]
    assert (await stranger.next("error"))["event"] == "join:room"


async def messages(w):
    """Messages reach every device in order, under the name they were sent by, once."""
    room, alice, bob = w.id("room"), w.user("alice"), w.user("bob")
    phone, laptop = await w.member(alice, room), await w.member(alice, room)
    listener = await w.member(bob, room)
    draft = {"roomId": room, "content": "hällo 👋", "clientId": w.id("once")}
    first = await phone.ask("message:send", draft)
    again = await phone.ask("message:send", draft)
    assert first["ok"] and again["message"]["id"] == first["message"]["id"]
    second = await phone.ask("chat:message", {"roomId": room, "content": "two"})
    for device in (phone, laptop, listener):
        heard = await device.next("message:new")
        assert heard["id"] == first["message"]["id"] and heard["seq"] == 1
        assert heard["userId"] == alice.id and heard["username"] == alice.name
        assert heard["content"] == draft["content"] and heard["clientId"] == draft["clientId"]
        assert (await device.next("chat:message"))["id"] == second["message"]["id"]
    await w.settle(phone, laptop, listener)
    for device in (phone, laptop, listener):
        assert len(device.heard("message:new")) == len(device.heard("chat:message")) == 1
    outsider = await w.connect(w.user("carol"))
    refused = await outsider.ask("message:send", {"roomId": room, "content": "hi"})
    assert refused["code"] == "not_in_room"


async def attachments(w):
    """A binary attachment comes out as it went in."""
    room = w.id("room")
    alice, bob = await w.member(w.user("alice"), room), await w.member(w.user("bob"), room)
    attachment = os.urandom(50_000)
    sent = {"roomId": room, "content": "a picture", "attachment": attachment}
    assert (await alice.ask("message:send", sent))["ok"]
    for device in (alice, bob):
        assert bytes((await device.next("message:new"))["attachment"]) == attachment
    page = await bob.ask("messages:since", {"roomId": room, "after": 0})
    assert bytes(page["messages"][0]["attachment"]) == attachment


async def changes(w):
    """Only its author edits or deletes a message; read cursors only move forward."""
    room = w.id("room")
    alice, bob = await w.member(w.user("alice"), room), await w.member(w.user("bob"), room)
    sent = [
        (await alice.ask("message:send", {"roomId": room, "content": text}))["message"]
        for text in ("one", "two")
    ]
    target = {"roomId": room, "messageId": sent[0]["id"]}
    edit = {**target, "content": "ONE"}
    assert (await bob.ask("message:edit", edit))["code"] == "not_author"
    assert (await alice.ask("message:edit", edit))["message"]["content"] == "ONE"
    await bob.next("message:edited")
    newest = {"roomId": room, "messageId": sent[1]["id"]}
    assert (await bob.ask("chat:read", newest))["unread"] == 0
    assert (await bob.ask("chat:read", target))["unread"] == 0
    assert (await alice.next("chat:read"))["messageId"] == sent[1]["id"]
    assert (await alice.ask("message:delete", target))["ok"]
    await bob.next("message:deleted")
    await w.settle(alice)
    assert len(alice.heard("chat:read")) == 1


async def typing(w):
    """Typing is shown to the others and ends by itself."""
    room = w.id("room")
    alice, bob = await w.member(w.user("alice"), room), await w.member(w.user("bob"), room)
    assert (await alice.ask("typing:start", room))["ok"]
    assert (await bob.next("typing:user"))["typing"] is True
    assert (await bob.next("typing:user", within_s=AUTO_STOP_LIMIT_S))["typing"] is False


async def presence(w):
    """A user with two devices comes online once and goes offline once."""
    alice = w.user("alice")
    bob = await w.connect(w.user("bob"))
    phone, laptop = await w.connect(alice), await w.connect(alice)
    assert (await phone.ask("presence:update", "busy"))["ok"]
    found = (await bob.ask("presence:get", [alice.id]))["presence"][alice.id]
    assert found["status"] == "busy" and found["devices"] == 2
    await phone.sio.disconnect()
    await laptop.sio.disconnect()
    of_alice = [alice.id]
    await bob.next(
        "presence:changed",
        lambda change: change["userId"] in of_alice and change["status"] == "offline",
    )
    await w.settle(bob)
    changes_ = [change for change in bob.heard("presence:changed") if change["userId"] == alice.id]
    assert [change["status"] for change in changes_] == ["online", "busy", "offline"]


async def direct(w):
    """A direct message reaches every device of both, except the one that sent it."""
    alice, bob = w.user("alice"), w.user("bob")
    phone, laptop = await w.connect(alice), await w.connect(alice)
    receiver = await w.connect(bob)
    assert (await phone.ask("send-message", {"to": bob.id, "content": "at the door"}))["ok"]
    for device in (laptop, receiver):
        heard = await device.next("message")
        assert heard["senderId"] == alice.id and heard["receiverId"] == bob.id
    await w.settle(phone)
    assert phone.heard("message") == []


async def tracking(w):
    """A late watcher gets the last position at once, then the live ones."""
    driver = w.user("driver", roles=["driver"])
    path = f"/api/driver/{driver.id}/location"
    assert (await w.http("POST", path, {"lat": 1, "lng": 2}, driver.token))[0] == 204
    alice = await w.connect(w.user("alice"))
    assert (await alice.ask("watch-delivery", driver.id))["location"]["lat"] == 1
    assert (await alice.next("location-update"))["lng"] == 2
    assert (await w.http("POST", path, {"lat": 3, "lng": 4}, driver.token))[0] == 204
    assert (await alice.next("location-update"))["lat"] == 3
    assert (await w.http("POST", path, {"lat": 91, "lng": 4}, driver.token))[0] == 400


async def products(w):
    """Stock reaches the watchers of that product only."""
    alice, bob = await w.connect(w.user("alice")), await w.connect(w.user("bob"))
    product = int(w.tag, 16)
    assert (await alice.ask("join-product-room", product))["ok"]
    assert (await bob.ask("join-product-room", f"{product}0"))["ok"]
    path = f"/api/products/{product}/inventory"
    assert (await w.http("PUT", path, {"newInventory": 5}))[0] == 204
    assert await alice.next("inventory-update") == 5
    await w.settle(bob)
    assert bob.heard("inventory-update") == []


async def payments(w):
    """The outcome of a payment comes later, to the socket that asked."""
    user = w.user("alice")
    alice = await w.connect(user)
    body = {"amount": 9.5, "socketId": alice.id}
    path = "/api/payments/make-payment-with-socket"
    status, receipt = await w.http("POST", path, body, user.token)
    assert status == 200 and receipt["message"] == "Payment received, processing request"
    assert await alice.next("payment-status") is True


async def bad_input(w):
    """What does not fit is a failure of that event, and the socket goes on."""
    room = w.id("room")
    alice = await w.member(w.user("alice"), room)
    misfits = [
        ("join:room", None),
        ("join:room", {"room": room}),
        ("join:room", "with\0nul"),
        ("join:room", "r" * 900_000),
        ("message:send", "text"),
        ("message:send", {"roomId": room, "content": 7}),
        ("presence:get", "alice"),
    ]
    for event, data in misfits:
        ack = await alice.ask(event, data)
        assert ack["ok"] is False and isinstance(ack["code"], str), (event, ack)
    assert (await alice.ask("no-such-event", (1, 2)))["code"] == "unknown_event"
    await alice.tell("no-such-event", {"a": 1})
    await alice.next("error", lambda error: error["code"] == "unknown_event", WAIT_S)
    assert (await alice.ask("message:send", {"roomId": room, "content": "still here"}))["ok"]


ALL = [
    own_id, refusals, joins, messages, attachments, changes, typing,
    presence, direct, tracking, products, payments, bad_input,
]
