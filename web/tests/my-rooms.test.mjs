import assert from "node:assert/strict";
import { test } from "node:test";
import { roomOf } from "../my-rooms.js";

test("a room with a bot is of the kind bot, and one without is not", () => {
  assert.deepEqual(roomOf({ name: "n", botId: "b" }, ["a"]), { name: "n", kind: "bot", botId: "b", memberIds: ["a"] });
  for (const form of [{ name: "n" }, { name: "n", botId: "" }]) {
    assert.deepEqual(roomOf(form, []), { name: "n", memberIds: [] });
  }
});
