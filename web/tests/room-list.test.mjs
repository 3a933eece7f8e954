import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { RoomList } from "../room-list.js";

const room = (id, lastMessageAt, more = {}) => ({ id, name: id, createdAt: "2026-01-01T00:00:00.000Z", lastMessageAt, unreadCount: 0, ...more });
const message = (roomId, createdAt) => ({ roomId, createdAt, content: "hi", senderId: "a" });
const T = (second) => `2026-01-01T10:00:${String(second).padStart(2, "0")}.000Z`;
const unseen = { isMine: false, isSeen: false };

let list;
beforeEach(() => {
  list = new RoomList();
  list.replaceAll([room("a", T(1)), room("b", T(2)), room("c", null)]);
});

test("the room that spoke last is first", () => {
  assert.deepEqual(list.sorted().map(({ id }) => id), ["b", "a", "c"]);
  list.hear(message("c", T(3)), unseen);
  assert.deepEqual(list.sorted().map(({ id }) => id), ["c", "b", "a"]);
});

test("a room that nobody named is called something", () => {
  list.put(room("d", T(4), { name: "" }));
  assert.equal(list.get("d").name, "Just the two of you");
  assert.equal(list.get("a").name, "a");
});

test("what is heard counts as unread unless it is mine or somebody is looking", () => {
  list.hear(message("a", T(3)), unseen);
  list.hear(message("a", T(4)), unseen);
  assert.equal(list.get("a").unreadCount, 2);
  assert.equal(list.unread, 2);
  list.hear(message("a", T(5)), { isMine: false, isSeen: true });
  assert.equal(list.get("a").unreadCount, 0);
  list.hear(message("b", T(5)), { isMine: true, isSeen: false });
  assert.equal(list.get("b").unreadCount, 0);
});

test("a replayed message is not counted twice", () => {
  assert.equal(list.hear(message("a", T(3)), unseen), true);
  assert.equal(list.hear(message("a", T(3)), unseen), false);
  assert.equal(list.hear(message("a", T(1)), unseen), false);
  assert.equal(list.get("a").unreadCount, 1);
});

test("a read model that lags does not take back what was heard", () => {
  list.hear(message("a", T(9)), unseen);
  list.replaceAll([room("a", T(1), { name: "renamed" })]);
  assert.equal(list.get("a").lastMessageAt, T(9));
  assert.equal(list.get("a").unreadCount, 1);
  assert.equal(list.get("a").name, "renamed");
  assert.equal(list.get("b"), null);
});

test("a room frame changes what all may see and neither my role nor my counts", () => {
  list.replaceAll([room("a", T(1), { role: "owner", unreadCount: 4 })]);
  list.change("a", { name: "new", memberCount: 3, role: null, unreadCount: 0 });
  const { name, memberCount, role, unreadCount } = list.get("a");
  assert.deepEqual({ name, memberCount, role, unreadCount }, { name: "new", memberCount: 3, role: "owner", unreadCount: 4 });
});
