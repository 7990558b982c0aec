#!/usr/bin/env node
// A Maelstrom node for the workload `g-set`.
//
// Twice a second every node sends its whole set to all others, and whoever gets one takes the union. Nothing is ever removed, so it
// does not matter how often a set arrives, or how late.
//
//     g_set.js [--bug forgets]
//
// Bug `forgets`: a set that arrives replaces the set that was there. Elements that only this node had are gone for good:
// acknowledged additions are lost, and reads of one client go backwards.
'use strict';

const readline = require('node:readline');

const GOSSIP_MS = 500;
const bug = bugFrom(process.argv.slice(2), ['forgets']);

let nodeId = null;
let peers = [];
let elements = new Map(); // the text of an element -> the element

function send(dest, body) {
  process.stdout.write(JSON.stringify({ src: nodeId, dest, body }) + '\n');
}

// Answers a request, unless it asks for no answer.
function reply(request, body) {
  if (request.body.msg_id !== undefined && request.body.msg_id !== null) {
    send(request.src, { ...body, in_reply_to: request.body.msg_id });
  }
}

function add(element) {
  elements.set(JSON.stringify(element), element);
}

function gossip() {
  for (const peer of peers) {
    send(peer, { type: 'replicate', value: [...elements.values()] });
  }
}

const handlers = {
  init(request) {
    nodeId = request.body.node_id;
    peers = request.body.node_ids.filter((id) => id !== nodeId);
    setInterval(gossip, GOSSIP_MS);
    reply(request, { type: 'init_ok' });
  },
  add(request) {
    add(request.body.element);
    reply(request, { type: 'add_ok' });
  },
  read(request) {
    reply(request, { type: 'read_ok', value: [...elements.values()] });
  },
  replicate(request) {
    if (bug === 'forgets') elements = new Map();
    request.body.value.forEach(add);
  },
};

function handle(line) {
  const message = JSON.parse(line);
  const { type, in_reply_to: inReplyTo } = message.body;
  if (Object.hasOwn(handlers, type)) {
    handlers[type](message);
  } else if (inReplyTo === undefined || inReplyTo === null) {
    reply(message, { type: 'error', code: 10, text: `no such request: ${type}` });
  }
}

function bugFrom(args, known) {
  if (args.length === 0) return null;
  if (args.length === 2 && args[0] === '--bug' && known.includes(args[1])) return args[1];
  console.error(`usage: [--bug ${known.join('|')}]`);
  process.exit(2);
}

const lines = readline.createInterface({ input: process.stdin, crlfDelay: Infinity });
lines.on('line', (line) => {
  try {
    handle(line);
  } catch (error) {
    console.error(`passed over ${line}: ${error}`);
  }
});
lines.on('close', () => process.exit(0));
