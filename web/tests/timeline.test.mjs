import assert from "node:assert/strict";
import { test } from "node:test";
import { Timeline } from "../timeline.js";

const message = (seq, more = {}) => ({ id: `id-${seq}`, seq, content: `m${seq}`, ...more });
const seqs = (timeline) => timeline.messages.map(({ seq }) => seq);

test("messages are in the order of seq however they come", () => {
  const timeline = new Timeline();
  timeline.merge([message(5), message(1)]);
  timeline.merge([message(3)]);
  timeline.merge([message(9), message(2), message(7)]);
  assert.deepEqual(seqs(timeline), [1, 2, 3, 5, 7, 9]);
  assert.equal(timeline.firstSeq, 1);
  assert.equal(timeline.lastSeq, 9);
});

test("overlapping pages, replays and live frames show each message once", () => {
  const timeline = new Timeline();
  timeline.merge([message(1), message(2), message(3)]);
  timeline.merge([message(2), message(3), message(4)]);
  timeline.merge([message(4)]);
  assert.deepEqual(seqs(timeline), [1, 2, 3, 4]);
});

test("every order of the same messages gives the same timeline", () => {
  const all = [message(4), message(8), message(15), message(16)];
  for (const order of permutations([...all, all[1]])) {
    const timeline = new Timeline();
    for (const each of order) timeline.merge([each]);
    assert.deepEqual(seqs(timeline), [4, 8, 15, 16]);
  }
});

test("a fuller copy of a known message replaces it in place", () => {
  const timeline = new Timeline();
  timeline.merge([message(1), { id: "id-2", seq: 2, content: "from the ack" }, message(3)]);
  timeline.merge([message(2, { contentType: "text", content: "from the frame" })]);
  assert.equal(timeline.messages[1].content, "from the frame");
  assert.equal(timeline.messages[1].contentType, "text");
  assert.equal(timeline.messages.length, 3);
});

test("an edit changes what is known and adds nothing", () => {
  const timeline = new Timeline();
  timeline.merge([message(1), message(2)]);
  timeline.edit("id-1", { content: "better" });
  timeline.edit("id-99", { content: "never seen" });
  assert.deepEqual(timeline.messages.map(({ content }) => content), ["better", "m2"]);
});

test("each person's reaction counts once, however often and in whatever order it is told", () => {
  const timeline = new Timeline();
  timeline.merge([message(1, { reactions: [{ emoji: "👍", count: 2, me: true }] })]);
  const react = (seq, userId, on) => timeline.react("id-1", { seq, emoji: "👍", userId, on, isMine: userId === "me" });
  const shown = () => timeline.messages[0].reactions;
  react(5, "a", true);
  react(5, "a", true);
  assert.deepEqual(shown(), [{ emoji: "👍", count: 3, me: true }]);
  react(6, "me", true);
  assert.deepEqual(shown(), [{ emoji: "👍", count: 3, me: true }]);
  react(8, "me", false);
  react(6, "me", true);
  assert.deepEqual(shown(), [{ emoji: "👍", count: 2, me: false }]);
  react(9, "a", false);
  react(10, "b", false);
  assert.deepEqual(shown(), []);
  timeline.react("id-1", { seq: 11, emoji: "🎉", userId: "a", on: true, isMine: false });
  assert.deepEqual(shown(), [{ emoji: "🎉", count: 1, me: false }]);
});

test("what was deleted stays so", () => {
  const timeline = new Timeline();
  timeline.merge([message(1)]);
  timeline.edit("id-1", { deleted: true, content: "" });
  timeline.edit("id-1", { content: "late" });
  timeline.react("id-1", { seq: 9, emoji: "👍", userId: "a", on: true, isMine: false });
  assert.deepEqual([timeline.get("id-1").content, timeline.get("id-1").reactions], ["", undefined]);
});

test("a trimmed timeline keeps the newest and takes the others again", () => {
  const timeline = new Timeline();
  timeline.merge([1, 2, 3, 4].map((seq) => message(seq)));
  timeline.trim(2);
  assert.deepEqual(seqs(timeline), [3, 4]);
  timeline.trim(5);
  timeline.merge([message(2), message(3)]);
  assert.deepEqual(seqs(timeline), [2, 3, 4]);
});

test("an empty timeline begins and ends nowhere", () => {
  const timeline = new Timeline();
  assert.equal(timeline.firstSeq, null);
  assert.equal(timeline.lastSeq, 0);
});

function permutations(items) {
  if (items.length < 2) return [items];
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}
