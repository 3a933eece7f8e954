import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { DoranError } from "../errors.js";
import { Feed } from "../feed.js";
import { FakeRoom } from "./fakes.mjs";

let room, feed;
const newFeed = () => {
  const made = new Feed({ roomId: "r", request: (frame) => room.request(frame), load: (where) => room.load(where) });
  room.deliver = (frame) => made.take(frame);
  return made;
};
const seqs = () => feed.timeline.messages.map(({ seq }) => seq);
const rest = (ms = 20) => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(() => {
  room = new FakeRoom();
  [2, 5, 6, 9, 12].forEach((seq) => room.post(seq));
  feed = newFeed();
});

test("opening shows the newest page and then what comes live", async () => {
  await Promise.all([feed.open(), feed.follow()]);
  assert.deepEqual(seqs(), [6, 9, 12]);
  feed.take(room.post(13));
  assert.deepEqual(seqs(), [6, 9, 12, 13]);
  assert.deepEqual(room.subscriptions, [null]);
});

test("scrolling back goes to the beginning and no further", async () => {
  await Promise.all([feed.open(), feed.follow()]);
  assert.equal(feed.hasBefore, true);
  await feed.loadBefore();
  assert.deepEqual(seqs(), [2, 5, 6, 9, 12]);
  assert.equal(feed.hasBefore, false);
});

test("a new connection resumes from the last event and a replay doubles nothing", async () => {
  await Promise.all([feed.open(), feed.follow()]);
  room.post(15);
  room.post(17);
  await feed.follow();
  await rest();
  assert.deepEqual(room.subscriptions, [null, { epoch: "e1", seq: 12 }]);
  assert.deepEqual(seqs(), [6, 9, 12, 15, 17]);
});

test("a page that lags behind the subscription is completed from the log", async () => {
  room.lag = 2;
  await Promise.all([feed.open(), feed.follow()]);
  await rest();
  assert.deepEqual(room.subscriptions, [null, { epoch: "e1", seq: 6 }]);
  assert.deepEqual(seqs(), [2, 5, 6, 9, 12]);
});

test("a message that comes while the page lags stands in its place", async () => {
  room.lag = 2;
  await feed.follow();
  const opened = feed.open();
  feed.take(room.post(14));
  room.lag = 3;
  await opened;
  await rest();
  assert.deepEqual(seqs(), [2, 5, 6, 9, 12, 14]);
});

test("a room that was followed before it is opened misses nothing in between", async () => {
  await feed.follow();
  feed.take(room.post(14));
  room.lag = 1;
  await feed.open();
  await rest();
  assert.deepEqual(seqs().slice(-2), [12, 14]);
});

test("a hole in what comes live is filled by asking again", async () => {
  await Promise.all([feed.open(), feed.follow()]);
  room.post(13);
  feed.take(room.post(20));
  await rest();
  assert.deepEqual(room.subscriptions, [null, { epoch: "e1", seq: 12 }]);
  assert.deepEqual(seqs(), [6, 9, 12, 13, 20]);
});

test("another epoch replaces the timeline by a fresh page", async () => {
  await Promise.all([feed.open(), feed.follow()]);
  room.epoch = "e2";
  room.events = [];
  room.post(1, "after the restore");
  await feed.follow();
  await rest(300);
  assert.deepEqual(room.subscriptions, [null, { epoch: "e1", seq: 12 }, null]);
  assert.deepEqual(feed.timeline.messages.map(({ content }) => content), ["after the restore"]);
});

test("too long away replaces the timeline and following goes on", async () => {
  await Promise.all([feed.open(), feed.follow()]);
  room.resumeMax = 2;
  [20, 21, 22, 23].forEach((seq) => room.post(seq));
  await feed.follow();
  await rest(300);
  assert.deepEqual(seqs(), [21, 22, 23]);
  feed.take(room.post(30));
  assert.deepEqual(seqs(), [21, 22, 23, 30]);
});

test("a page that cannot be had is a failure that can be tried again, and live messages are kept", async () => {
  const { load } = room;
  room.load = async () => { throw new DoranError({ code: "UNAVAILABLE", status: 503, retryable: true }); };
  await feed.follow();
  await feed.open();
  assert.equal(feed.page.name, "failed");
  feed.take(room.post(14));
  assert.deepEqual(seqs(), [14]);
  room.load = load;
  await feed.open();
  assert.equal(feed.page.name, "ready");
  assert.deepEqual(seqs(), [9, 12, 14]);
});

test("a refused subscription says that the room is gone", async () => {
  room.request = async () => { throw new DoranError({ code: "NOT_MEMBER" }); };
  let gone = null;
  feed.addEventListener("gone", ({ detail }) => { gone = detail; });
  await feed.follow();
  assert.equal(gone, "NOT_MEMBER");
  assert.equal(feed.isLive, false);
});

test("a subscription that fails for now is tried again", async () => {
  const { request } = room;
  let failures = 2;
  room.request = async (frame) => {
    if (failures-- > 0) throw new DoranError({ code: "UNAVAILABLE", retryable: true, afterMs: 1 });
    return request(frame);
  };
  await feed.follow();
  assert.equal(feed.isLive, true);
});

test("edits and deletions change the message and move the cursor", async () => {
  await Promise.all([feed.open(), feed.follow()]);
  feed.take({ type: "messageEdited", roomId: "r", seq: 13, prev: 12, message: { id: "id-9", seq: 13, content: "better", editedAt: "now" } });
  feed.take({ type: "messageDeleted", roomId: "r", seq: 14, prev: 13, messageId: "id-6" });
  assert.deepEqual(seqs(), [6, 9, 12]);
  assert.equal(feed.timeline.messages[1].content, "better");
  assert.equal(feed.timeline.messages[0].deleted, true);
  await feed.follow();
  assert.deepEqual(room.subscriptions.at(-1), { epoch: "e1", seq: 14 });
});

test("reactions and pins change the message, and what the page shows already does not change it again", async () => {
  const { load } = room;
  room.load = async (where) => ({ ...await load(where), head: 14 });
  const reaction = (seq, prev, userId) => ({ type: "reaction", roomId: "r", seq, prev, messageId: "id-9", emoji: "👍", userId, on: true });
  await feed.follow();
  const opening = feed.open();
  feed.take(reaction(14, 12, "a"));
  feed.take(reaction(15, 14, "b"));
  await opening;
  feed.take({ type: "pinned", roomId: "r", seq: 16, prev: 15, messageId: "id-9", on: true });
  const { reactions, pinned } = feed.timeline.get("id-9");
  assert.deepEqual([reactions, pinned], [[{ emoji: "👍", count: 1, me: false }], true]);
});

test("a change behind a hole waits until it comes again in its order", async () => {
  await Promise.all([feed.open(), feed.follow()]);
  feed.take({ type: "messageEdited", roomId: "r", seq: 20, prev: 19, messageId: "id-9", content: "too early" });
  assert.equal(feed.timeline.get("id-9").content, "m9");
});

test("what may have a hole that nobody can name is loaded anew", async () => {
  await Promise.all([feed.open(), feed.follow()]);
  room.post(30, "unheard");
  feed.forget();
  await rest(150);
  assert.deepEqual(seqs(), [9, 12, 30]);
});

test("a feed that has become long lets old messages go, and scrolling back brings them again", async () => {
  await Promise.all([feed.open(), feed.follow()]);
  for (let seq = 20; seq < 700; seq += 1) feed.take(room.post(seq));
  feed.trim();
  assert.equal(feed.timeline.messages.length, 300);
  assert.equal(feed.hasBefore, true);
  await feed.loadBefore();
  assert.deepEqual(seqs().slice(0, 4), [397, 398, 399, 400]);
});
