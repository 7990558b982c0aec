#!/usr/bin/env node
// A Maelstrom node for the workload `unique-ids`.
//
// An id says who gave it, when this node was started, and how many it had given before. No two nodes have one name, and a
// node that was killed is started again at another time: nothing has to be agreed upon.
//
//     unique_ids.js [--bug clock]
//
// Bug `clock`: an id is the time in milliseconds. Two requests within one millisecond, at one node or at two, get the same.
'use strict';

const readline = require('node:readline');

const bug = bugFrom(process.argv.slice(2), ['clock']);

let nodeId = null;
let startedAt = null;
let given = 0;

function send(dest, body) {
  process.stdout.write(JSON.stringify({ src: nodeId, dest, body }) + '\n');
}

// Answers a request, unless it asks for no answer.
function reply(request, body) {
  if (request.body.msg_id !== undefined && request.body.msg_id !== null) {
    send(request.src, { ...body, in_reply_to: request.body.msg_id });
  }
}

function newId() {
  if (bug === 'clock') return Date.now();
  given += 1;
  return `${nodeId}-${startedAt}-${given}`;
}

const handlers = {
  init(request) {
    nodeId = request.body.node_id;
    startedAt = Date.now();
    reply(request, { type: 'init_ok' });
  },
  generate(request) {
    reply(request, { type: 'generate_ok', id: newId() });
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
