import assert from "node:assert/strict";
import { test } from "node:test";
import { actions, reactionsOf } from "../actions.js";

const room = (role, status = "active") => ({ role, status });
const message = { id: "m", content: "x" };

test("one edits and deletes what one said, and admins delete what others said", () => {
  assert.deepEqual(actions({ message, isMine: true, room: room("member") }), ["react", "reply", "keep", "edit", "delete"]);
  assert.deepEqual(actions({ message, isMine: false, room: room("member") }), ["react", "reply", "keep"]);
  assert.deepEqual(actions({ message, isMine: false, room: room("admin") }), ["react", "reply", "keep", "delete"]);
  assert.deepEqual(actions({ message, isMine: false, room: room("owner") }), ["react", "reply", "keep", "delete"]);
});

test("nothing is done with what is gone, not sent yet, or in a room that is closed", () => {
  for (const [what, where] of [
    [{ ...message, deleted: true }, room("owner")],
    [{ ...message, content: null }, room("owner")],
    [{ content: "x" }, room("owner")],
    [message, room("owner", "archived")],
    [message, null],
  ]) assert.deepEqual(actions({ message: what, isMine: true, room: where }), []);
});

test("reactions are shown while the message is there", () => {
  const reactions = [{ emoji: "👍", count: 2, me: true }];
  assert.deepEqual(reactionsOf({ reactions }), reactions);
  assert.deepEqual(reactionsOf({ reactions, deleted: true }), []);
  assert.deepEqual(reactionsOf({}), []);
});
