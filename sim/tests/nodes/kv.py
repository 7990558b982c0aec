#!/usr/bin/env python3
"""A Maelstrom node for the workload `lin-kv`.

It stores nothing: each `read`, `write` and `cas` is passed on to the service `lin-kv`, and the answer is passed back, errors
included. Requests wait side by side, so answers may come out of order. If the service does not answer in time, nobody
knows whether it did what it was asked: error 0.

    kv.py [--bug cache]

Bug `cache`: what a node once read or wrote, it answers by itself from then on. Another node's writes are not seen: reads
are stale, and the history is not linearizable.
"""

import argparse
import asyncio
import itertools
import json
import sys

SERVICE = "lin-kv"
TIMEOUT_SECONDS = 1.0
LINE_BYTES_MAX = 1 << 24


class Proxy:
    def __init__(self, bug):
        self.bug = bug
        self.id = None
        self.cache = {}  # the text of a key -> its value, as this node knows it
        self.msg_ids = itertools.count(1)
        self.unanswered = {}  # msg_id -> future of the reply
        self.tasks = set()  # the event loop itself holds tasks only weakly

    def send(self, dest, body):
        print(json.dumps({"src": self.id, "dest": dest, "body": body}), flush=True)

    def reply(self, request, body):
        """Answers a request, unless it asks for no answer."""
        if request["body"].get("msg_id") is not None:
            self.send(request["src"], {**body, "in_reply_to": request["body"]["msg_id"]})

    async def ask(self, body):
        """The answer of the service, without the numbers of the question."""
        msg_id = next(self.msg_ids)
        answer = self.unanswered[msg_id] = asyncio.get_running_loop().create_future()
        self.send(SERVICE, {**body, "msg_id": msg_id})
        try:
            told = await asyncio.wait_for(answer, TIMEOUT_SECONDS)
            return {name: value for name, value in told.items() if name not in ("msg_id", "in_reply_to")}
        except asyncio.TimeoutError:
            return {"type": "error", "code": 0, "text": f"{SERVICE} did not answer"}
        finally:
            del self.unanswered[msg_id]

    async def serve(self, request):
        body = request["body"]
        key = json.dumps(body.get("key"), sort_keys=True)
        if self.bug == "cache" and body["type"] == "read" and key in self.cache:
            return self.reply(request, {"type": "read_ok", "value": self.cache[key]})
        answer = await self.ask(body)
        match answer["type"]:
            case "read_ok":
                self.cache[key] = answer["value"]
            case "write_ok":
                self.cache[key] = body["value"]
            case "cas_ok":
                self.cache[key] = body["to"]
        self.reply(request, answer)

    def handle(self, message):
        body = message["body"]
        match body["type"]:
            case "init":
                self.id = body["node_id"]
                self.reply(message, {"type": "init_ok"})
            case "read" | "write" | "cas":
                task = asyncio.create_task(self.serve(message))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
            case _ if body.get("in_reply_to") is not None:
                answer = self.unanswered.get(body["in_reply_to"])
                if answer and not answer.done():
                    answer.set_result(body)
            case unknown:
                self.reply(message, {"type": "error", "code": 10, "text": f"no such request: {unknown}"})

    async def run(self):
        lines = asyncio.StreamReader(limit=LINE_BYTES_MAX)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            try:
                self.handle(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                print(f"passed over {line!r}: {error!r}", file=sys.stderr, flush=True)
        for task in self.tasks:
            task.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A Maelstrom node that stands before a store.")
    parser.add_argument("--bug", choices=["cache"])
    asyncio.run(Proxy(parser.parse_args().bug).run())
