#!/usr/bin/env python3
"""A Maelstrom node for the workloads `g-counter` and `pn-counter`.

Every node counts for itself what was added and what was subtracted, and knows the counts of the others as far as it was told.
Twice a second it tells all that it knows to a peer chosen at random. Counts only grow, so of two counts of one node the larger
is the later one: a merge takes the maximum, whatever was lost, doubled or late.

    counter.py [--bug lost]

Bug `lost`: a merge takes what it is told, even where it knows better. A node forgets additions of its own that it had
acknowledged, when a peer tells it about older times: final reads agree, but not with what was added.
"""

import argparse
import asyncio
import json
import random
import sys

GOSSIP_SECONDS = 0.5
LINE_BYTES_MAX = 1 << 24


class Counter:
    def __init__(self, bug):
        self.bug = bug
        self.id = None
        self.peers = []
        self.added = {}  # node -> sum of what was added there
        self.subtracted = {}

    def send(self, dest, body):
        print(json.dumps({"src": self.id, "dest": dest, "body": body}), flush=True)

    def reply(self, request, body):
        """Answers a request, unless it asks for no answer."""
        if request["body"].get("msg_id") is not None:
            self.send(request["src"], {**body, "in_reply_to": request["body"]["msg_id"]})

    def add(self, delta):
        counts = self.added if delta >= 0 else self.subtracted
        counts[self.id] = counts.get(self.id, 0) + abs(delta)

    def value(self):
        return sum(self.added.values()) - sum(self.subtracted.values())

    def merge(self, counts, told):
        for node, count in told.items():
            known = counts.get(node, 0)
            counts[node] = count if self.bug == "lost" else max(known, count)

    def handle(self, message):
        body = message["body"]
        match body["type"]:
            case "init":
                self.id = body["node_id"]
                self.peers = [node for node in body["node_ids"] if node != self.id]
                self.reply(message, {"type": "init_ok"})
            case "add":
                self.add(body["delta"])
                self.reply(message, {"type": "add_ok"})
            case "read":
                self.reply(message, {"type": "read_ok", "value": self.value()})
            case "replicate":
                self.merge(self.added, body.get("p_counters", {}))
                self.merge(self.subtracted, body.get("n_counters", {}))
                self.reply(message, {"type": "replicate_ok"})
            case unknown if body.get("in_reply_to") is None:
                self.reply(message, {"type": "error", "code": 10, "text": f"no such request: {unknown}"})

    async def gossip(self):
        while True:
            await asyncio.sleep(GOSSIP_SECONDS)
            if self.peers:
                told = {"type": "replicate", "p_counters": self.added, "n_counters": self.subtracted}
                self.send(random.choice(self.peers), told)

    async def run(self):
        gossip = asyncio.create_task(self.gossip())
        lines = asyncio.StreamReader(limit=LINE_BYTES_MAX)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            try:
                self.handle(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                print(f"passed over {line!r}: {error!r}", file=sys.stderr, flush=True)
        gossip.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A Maelstrom node that counts.")
    parser.add_argument("--bug", choices=["lost"])
    asyncio.run(Counter(parser.parse_args().bug).run())
