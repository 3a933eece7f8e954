import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { DoranError } from "../errors.js";
import { Outbox } from "../outbox.js";
import { fakeStorage, settle } from "./fakes.mjs";

let storage, tries, answers, outbox;

/** `answers` says how each send ends, in order: an error, or nothing for an ack. */
function newOutbox() {
  return new Outbox({ storage, key: "k", send: async ({ clientMessageId, content }) => {
    tries.push({ clientMessageId, content });
    const answer = answers.shift();
    if (answer) throw answer;
    return { messageId: `id-${content}`, seq: tries.length };
  } });
}

const refusal = (code, more = {}) => new DoranError({ code, ...more });
const contents = () => tries.map(({ content }) => content);

beforeEach(() => {
  storage = fakeStorage();
  tries = [];
  answers = [];
  outbox = newOutbox();
});

test("what is written while offline waits and goes out in order when online", async () => {
  outbox.add("r", "one");
  outbox.add("r", "two");
  await settle();
  assert.deepEqual(contents(), []);
  outbox.online();
  await settle();
  assert.deepEqual(contents(), ["one", "two"]);
  assert.deepEqual(outbox.forRoom("r"), []);
});

test("one message per room is under way at a time, and rooms do not wait for each other", async () => {
  const open = [];
  outbox = new Outbox({ storage, key: "k", send: (entry) => new Promise((resolve) => open.push({ entry, resolve })) });
  outbox.online();
  outbox.add("r", "one");
  outbox.add("r", "two");
  outbox.add("s", "elsewhere");
  await settle();
  assert.deepEqual(open.map(({ entry }) => entry.content), ["one", "elsewhere"]);
  assert.deepEqual(outbox.forRoom("r").map(({ state }) => state), ["sending", "queued"]);
  open[0].resolve({});
  await settle();
  assert.deepEqual(open.map(({ entry }) => entry.content), ["one", "elsewhere", "two"]);
});

test("a retryable refusal is retried with the same clientMessageId and keeps the order", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  answers = [refusal("RATE_LIMITED", { retryable: true, afterMs: 700 })];
  outbox.online();
  outbox.add("r", "one");
  outbox.add("r", "two");
  await settle();
  t.mock.timers.tick(699);
  await settle();
  assert.deepEqual(contents(), ["one"]);
  t.mock.timers.tick(1);
  await settle();
  assert.deepEqual(contents(), ["one", "one", "two"]);
  assert.equal(tries[0].clientMessageId, tries[1].clientMessageId);
  assert.notEqual(tries[1].clientMessageId, tries[2].clientMessageId);
});

test("a final refusal fails the message, lets the next one pass and can be retried by hand", async () => {
  answers = [refusal("ROOM_INACTIVE")];
  outbox.online();
  outbox.add("r", "one");
  outbox.add("r", "two");
  await settle();
  const [failed] = outbox.forRoom("r");
  assert.equal(failed.state, "failed");
  assert.equal(failed.error.code, "ROOM_INACTIVE");
  outbox.retry(failed.clientMessageId);
  await settle();
  assert.deepEqual(contents(), ["one", "two", "one"]);
  assert.equal(tries[0].clientMessageId, tries[2].clientMessageId);
  assert.deepEqual(outbox.forRoom("r"), []);
});

test("a message that the server keeps refusing for now fails in the end", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  answers = Array.from({ length: 20 }, () => refusal("UNAVAILABLE", { retryable: true }));
  outbox.online();
  outbox.add("r", "one");
  for (let round = 0; round < 20; round += 1) {
    await settle();
    t.mock.timers.tick(5_000);
  }
  assert.equal(outbox.forRoom("r")[0].state, "failed");
  assert.equal(tries.length, 6);
});

test("a lost connection puts the message back to wait for the next one", async () => {
  answers = [refusal("DISCONNECTED", { retryable: true })];
  outbox.online();
  outbox.add("r", "one");
  await settle();
  assert.equal(outbox.forRoom("r")[0].state, "queued");
  assert.equal(tries.length, 1);
  outbox.online();
  await settle();
  assert.equal(tries.length, 2);
  assert.equal(tries[0].clientMessageId, tries[1].clientMessageId);
});

test("a message frame before the ack drops the entry, and the late ack does no harm", async () => {
  let acknowledge;
  outbox = new Outbox({ storage, key: "k", send: () => new Promise((resolve) => { acknowledge = resolve; }) });
  outbox.online();
  outbox.add("r", "one");
  await settle();
  outbox.drop(outbox.forRoom("r")[0].clientMessageId);
  assert.deepEqual(outbox.forRoom("r"), []);
  acknowledge({ messageId: "x", seq: 1, duplicate: false });
  await settle();
  assert.deepEqual(outbox.forRoom("r"), []);
});

test("a reload tries again with the same clientMessageId", async () => {
  outbox.add("r", "one");
  const [{ clientMessageId }] = outbox.forRoom("r");
  outbox = newOutbox();
  outbox.online();
  await settle();
  assert.deepEqual(tries, [{ clientMessageId, content: "one" }]);
  assert.deepEqual(newOutbox().forRoom("r"), []);
});
