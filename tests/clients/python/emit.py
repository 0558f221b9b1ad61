"""Publishes events with the stock socket.io-emitter: its arguments are the address of Redis, the key,
and lists of rooms, event and arguments, each as JSON."""

import json
import sys

import redis
from socket_io_emitter import Emitter


def main():
    address, key, *events = sys.argv[1:]
    emitter = Emitter({"client": redis.Redis.from_url(address), "key": key})
    for rooms, *event in map(json.loads, events):
        for room in rooms:
            emitter = emitter.To(room)
        emitter.Emit(*event)


main()
