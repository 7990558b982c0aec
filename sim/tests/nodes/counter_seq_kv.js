#!/usr/bin/env node
// A Maelstrom node for the workload `g-counter` (and `pn-counter`), on the service `seq-kv`.
//
// The counter is one value of the store. To add, a node reads it and asks the store to exchange it for the sum, and begins anew
// if another node was faster. A sequentially consistent store may answer reads with old values for ever, but never
// with values older than what the node itself has written: so before a read the node writes something that nobody wrote before.
//
//     counter_seq_kv.js [--bug blind-write]
//
// Bug `blind-write`: the sum is written without looking whether the value is still the one that was read. Of two nodes that
// add at the same time one is forgotten: final reads are too low.
'use strict';

const readline = require('node:readline');

const SERVICE = 'seq-kv';
const KEY = 'counter';
const TIMEOUT_MS = 1000;
const TIMEOUT = 0;
const UNAVAILABLE = 11;
const NO_SUCH_KEY = 20;
const PRECONDITION_FAILED = 22;
const bug = bugFrom(process.argv.slice(2), ['blind-write']);

let nodeId = null;
let startedAt = null;
let lastMsgId = 0;
let fences = 0;
const unanswered = new Map(); // msg_id -> what to do with the reply
let turn = Promise.resolve(); // requests of one node take turns: they would only be in each other's way

class RpcError extends Error {
  constructor(code, text) {
    super(text);
    this.code = code;
  }
}

function send(dest, body) {
  process.stdout.write(JSON.stringify({ src: nodeId, dest, body }) + '\n');
}

// Answers a request, unless it asks for no answer.
function reply(request, body) {
  if (request.body.msg_id !== undefined && request.body.msg_id !== null) {
    send(request.src, { ...body, in_reply_to: request.body.msg_id });
  }
}

// Asks the store. Fails with the code of its error, or with code 0 if it does not answer in time.
function ask(body) {
  lastMsgId += 1;
  const msgId = lastMsgId;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      unanswered.delete(msgId);
      reject(new RpcError(TIMEOUT, `${SERVICE} did not answer`));
    }, TIMEOUT_MS);
    unanswered.set(msgId, (answer) => {
      clearTimeout(timer);
      unanswered.delete(msgId);
      if (answer.type === 'error') reject(new RpcError(answer.code, answer.text));
      else resolve(answer);
    });
    send(SERVICE, { ...body, msg_id: msgId });
  });
}

// The value as the store tells it, which may be an old one; 0 as long as there is none.
async function readStore() {
  try {
    return (await ask({ type: 'read', key: KEY })).value;
  } catch (error) {
    if (error.code === NO_SUCH_KEY) return 0;
    // Nothing was changed, so this can be told for certain.
    throw error.code === TIMEOUT ? new RpcError(UNAVAILABLE, error.message) : error;
  }
}

async function add(delta) {
  for (;;) {
    const value = await readStore();
    if (bug === 'blind-write') {
      return ask({ type: 'write', key: KEY, value: value + delta });
    }
    try {
      return await ask({ type: 'cas', key: KEY, from: value, to: value + delta, create_if_not_exists: true });
    } catch (error) {
      if (error.code !== PRECONDITION_FAILED) throw error;
    }
  }
}

async function read() {
  fences += 1;
  await ask({ type: 'write', key: `fence-${nodeId}`, value: `${startedAt}-${fences}` });
  return readStore();
}

// Runs when all requests before have been answered.
function inTurn(request, work) {
  turn = turn.then(work).then(
    (body) => reply(request, body),
    (error) => reply(request, { type: 'error', code: error.code ?? 13, text: error.message }),
  );
}

const handlers = {
  init(request) {
    nodeId = request.body.node_id;
    startedAt = Date.now();
    reply(request, { type: 'init_ok' });
  },
  add(request) {
    inTurn(request, async () => {
      await add(request.body.delta);
      return { type: 'add_ok' };
    });
  },
  read(request) {
    inTurn(request, async () => ({ type: 'read_ok', value: await read() }));
  },
};

function handle(line) {
  const message = JSON.parse(line);
  const { type, in_reply_to: inReplyTo } = message.body;
  if (inReplyTo !== undefined && inReplyTo !== null) {
    unanswered.get(inReplyTo)?.(message.body);
  } else if (Object.hasOwn(handlers, type)) {
    handlers[type](message);
  } else {
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
