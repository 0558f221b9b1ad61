#!/usr/bin/env python3
"""Answers clients' events that Roomcast forwards, and hears its webhooks.

    SECRET=whsec_... PORT=8080 python3 backend.py
"""

import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode(os.environ["SECRET"].removeprefix("whsec_"))
TOLERANCE_S = 300
ENVELOPE = "application/vnd.roomcast.reply+json"


def is_signed(headers, body):
    """As Standard Webhooks lay down."""
    stamp = headers.get("webhook-timestamp", "0")
    signed = f"{headers.get('webhook-id')}.{stamp}.".encode() + body
    made = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    given = headers.get("webhook-signature", "").split(" ")
    fits = any(hmac.compare_digest(f"v1,{made}", one) for one in given)
    return fits and abs(time.time() - int(stamp)) < TOLERANCE_S


def order_place(event):
    order = {"id": event["id"], "of": event["userId"], "items": event["args"][0]}
    return {"ack": {"ok": True, "order": order},
            "emit": [{"event": "order:new", "args": [order], "to": {"rooms": ["room:kitchen"]}}]}


ANSWERS = {"order:place": order_place}


class Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not is_signed(self.headers, body):
            return self.answer(401, {"error": "Not signed"})
        event = json.loads(body)
        if "type" in event:
            print(event["type"], json.dumps(event["data"]), flush=True)
            return self.answer(200, {})
        if event["event"] not in ANSWERS:
            return self.answer(404, {"error": "No such event"})
        return self.answer(200, ANSWERS[event["event"]](event), ENVELOPE)

    def answer(self, status, body, media_type="application/json"):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 8080))), Backend)
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()
