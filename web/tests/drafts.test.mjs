import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Drafts } from "../drafts.js";

const piece = (n, text, messageId = "m") => ({ messageId, n, text });
const texts = (drafts) => drafts.all.map(({ text }) => text);

test("pieces are joined in their order, whatever order they come in", () => {
  const drafts = new Drafts();
  drafts.take(piece(0, "one "));
  drafts.take(piece(2, "three"));
  assert.deepEqual(texts(drafts), ["one "]);
  drafts.take(piece(1, "two "));
  drafts.take(piece(1, "two "));
  assert.deepEqual(texts(drafts), ["one two three"]);
});

test("who comes in the middle sees nothing until the message is there", () => {
  const drafts = new Drafts();
  drafts.take(piece(3, "end"));
  assert.deepEqual(drafts.all, []);
});

test("several are written at once, and each is gone with its message", () => {
  const drafts = new Drafts();
  drafts.take(piece(0, "a", "first"));
  drafts.take(piece(0, "b", "second"));
  drafts.drop("first");
  assert.deepEqual(texts(drafts), ["b"]);
});

test("a bot that says nothing more has given up", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let changes = 0;
  const drafts = new Drafts({ changed: () => { changes += 1; } });
  drafts.take(piece(0, "a"));
  mock.timers.tick(20_000);
  drafts.take(piece(1, "b"));
  mock.timers.tick(20_000);
  assert.deepEqual(texts(drafts), ["ab"]);
  mock.timers.tick(10_000);
  assert.deepEqual(drafts.all, []);
  assert.equal(changes, 1);
  mock.timers.reset();
});
