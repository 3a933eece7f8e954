import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, resetInHash, roomInHash } from "../route.js";

const ROOM = "0197a1b2-0000-7000-8000-000000000001";

test("a room in the URL is found again", () => {
  assert.equal(roomInHash(hashOf(ROOM)), ROOM);
  assert.equal(roomInHash(hashOf(null)), null);
  assert.equal(roomInHash("#/rooms/nothing"), null);
});

test("a link from a mail carries its token and nothing else", () => {
  assert.equal(resetInHash("#reset=Ab_9-"), "Ab_9-");
  for (const hash of ["", "#/", "#reset=", "#reset=a b", "#reset=<b>", hashOf(ROOM)]) assert.equal(resetInHash(hash), null);
});
