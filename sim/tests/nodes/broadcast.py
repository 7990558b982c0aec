#!/usr/bin/env python3
"""A Maelstrom node for the workload `broadcast`.

A message that is new is kept and passed on to every neighbour, each time with a request that is repeated until the neighbour
acknowledges it. Neighbours are those of the `topology`; before there is one, all other nodes.

    broadcast.py [--bug no-retry]

Bug `no-retry`: a message is passed on once. What is lost on the way, or sent into a partition, never arrives at some nodes:
final reads lack elements.
"""

import argparse
import asyncio
import itertools
import json
import sys

RETRY_SECONDS = 1.0
LINE_BYTES_MAX = 1 << 24


class Broadcast:
    def __init__(self, bug):
        self.bug = bug
        self.id = None
        self.neighbours = []
        self.messages = {}  # the text of a message -> the message; in order of arrival
        self.msg_ids = itertools.count(1)
        self.unanswered = {}  # msg_id -> future of the reply
        self.tasks = set()  # the event loop itself holds tasks only weakly

    def send(self, dest, body):
        print(json.dumps({"src": self.id, "dest": dest, "body": body}), flush=True)

    def reply(self, request, body):
        """Answers a request, unless it asks for no answer."""
        if request["body"].get("msg_id") is not None:
            self.send(request["src"], {**body, "in_reply_to": request["body"]["msg_id"]})

    async def pass_on(self, neighbour, message):
        while True:
            msg_id = next(self.msg_ids)
            answer = self.unanswered[msg_id] = asyncio.get_running_loop().create_future()
            self.send(neighbour, {"type": "broadcast", "message": message, "msg_id": msg_id})
            try:
                return await asyncio.wait_for(answer, RETRY_SECONDS)
            except asyncio.TimeoutError:
                if self.bug == "no-retry":
                    return None
            finally:
                del self.unanswered[msg_id]

    def learn(self, message, teller):
        text = json.dumps(message, sort_keys=True)
        if text in self.messages:
            return
        self.messages[text] = message
        for neighbour in self.neighbours:
            if neighbour != teller:
                task = asyncio.create_task(self.pass_on(neighbour, message))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)

    def handle(self, message):
        body = message["body"]
        match body["type"]:
            case "init":
                self.id = body["node_id"]
                self.neighbours = [node for node in body["node_ids"] if node != self.id]
                self.reply(message, {"type": "init_ok"})
            case "topology":
                self.neighbours = body["topology"].get(self.id, self.neighbours)
                self.reply(message, {"type": "topology_ok"})
            case "broadcast":
                self.learn(body["message"], message["src"])
                self.reply(message, {"type": "broadcast_ok"})
            case "broadcast_ok":
                answer = self.unanswered.get(body.get("in_reply_to"))
                if answer and not answer.done():
                    answer.set_result(body)
            case "read":
                self.reply(message, {"type": "read_ok", "messages": list(self.messages.values())})
            case unknown if body.get("in_reply_to") is None:
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
    parser = argparse.ArgumentParser(description="A Maelstrom node that spreads messages.")
    parser.add_argument("--bug", choices=["no-retry"])
    asyncio.run(Broadcast(parser.parse_args().bug).run())
