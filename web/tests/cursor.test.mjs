import assert from "node:assert/strict";
import { test } from "node:test";
import { Cursor } from "../cursor.js";

test("events in order move the cursor over the holes of the stream's numbering", () => {
  const cursor = new Cursor("e", 10);
  assert.equal(cursor.take(14, 10), "next");
  assert.equal(cursor.take(15, 14), "next");
  assert.deepEqual(cursor.since, { epoch: "e", seq: 15 });
});

test("an event whose predecessor is unknown shows a hole and does not move the cursor", () => {
  const cursor = new Cursor("e", 10);
  assert.equal(cursor.take(20, 15), "hole");
  assert.equal(cursor.seq, 10);
});

test("an event that was taken already is known", () => {
  const cursor = new Cursor("e", 10);
  assert.equal(cursor.take(10, 8), "known");
  assert.equal(cursor.take(9, 8), "known");
  assert.equal(cursor.seq, 10);
});

test("a room without events has no predecessor and no head", () => {
  for (const none of [0, null, undefined]) {
    const cursor = new Cursor("e", none);
    assert.equal(cursor.seq, 0);
    assert.equal(cursor.take(7, none), "next");
  }
});
