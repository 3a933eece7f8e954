import assert from "node:assert/strict";
import { test } from "node:test";
import { rows } from "../rows.js";

const at = (minute, day = 1) => new Date(2026, 0, day, 12, minute).toISOString();
const message = (seq, senderId, createdAt, more = {}) => ({ id: `id-${seq}`, seq, senderId, createdAt, content: "x", ...more });
const kinds = (list) => list.map((row) => row.kind);

test("each day begins with its name", () => {
  const list = rows({ me: "me", messages: [message(1, "a", at(0)), message(2, "a", at(1)), message(3, "a", at(0, 2))] });
  assert.deepEqual(kinds(list), ["day", "message", "message", "day", "message"]);
});

test("messages of one author close together are one group", () => {
  const messages = [message(1, "a", at(0)), message(2, "a", at(1)), message(3, "b", at(2)), message(4, "b", at(30))];
  const leads = rows({ me: "me", messages }).filter((row) => row.kind === "message").map((row) => row.isLead);
  assert.deepEqual(leads, [true, false, true, true]);
});

test("the line above new messages stands before the first one of somebody else", () => {
  const messages = [message(1, "a", at(0)), message(2, "me", at(1)), message(3, "a", at(2)), message(4, "a", at(3))];
  assert.deepEqual(kinds(rows({ me: "me", messages, newAfter: 1 })), ["day", "message", "message", "new", "message", "message"]);
  assert.ok(!kinds(rows({ me: "me", messages, newAfter: 4 })).includes("new"));
  assert.ok(!kinds(rows({ me: "me", messages })).includes("new"));
});

test("a reply shows what it answers, if that is loaded", () => {
  const messages = [message(1, "a", at(0)), message(2, "b", at(1), { replyTo: "id-1" }), message(3, "b", at(2), { replyTo: "gone" })];
  const pending = [{ clientMessageId: "c1", content: "x", replyTo: "id-2", createdAt: at(5), state: "sending" }];
  const shown = rows({ me: "me", messages, pending }).filter((row) => row.kind === "message");
  assert.deepEqual(shown.map(({ replied }) => replied && replied.id), [undefined, "id-1", null, "id-2"]);
});

test("a pending message keeps its key when it is confirmed", () => {
  const entry = { clientMessageId: "c1", content: "x", createdAt: at(5), state: "sending" };
  const [pending] = rows({ me: "me", messages: [], pending: [entry] });
  const confirmed = rows({ me: "me", messages: [message(7, "me", at(5), { clientMessageId: "c1" })] }).at(-1);
  assert.equal(pending.key, confirmed.key);
});

test("a message that arrived is not shown a second time while its ack is out", () => {
  const entry = { clientMessageId: "c1", content: "x", createdAt: at(5), state: "sending" };
  const list = rows({ me: "me", messages: [message(7, "me", at(5), { clientMessageId: "c1" })], pending: [entry] });
  assert.deepEqual(kinds(list), ["day", "message"]);
});

test("somebody else's clientMessageId is not mistaken for mine", () => {
  const entry = { clientMessageId: "c1", content: "x", createdAt: at(5), state: "sending" };
  const list = rows({ me: "me", messages: [message(7, "a", at(5), { clientMessageId: "c1" })], pending: [entry] });
  assert.deepEqual(kinds(list), ["day", "message", "message"]);
});

test("keys are unique even when clocks make a day come twice", () => {
  const list = rows({ me: "me", messages: [message(1, "a", at(0, 2)), message(2, "a", at(0, 1)), message(3, "a", at(0, 2))] });
  assert.equal(new Set(list.map((row) => row.key)).size, list.length);
});

test("what the system says stands by itself", () => {
  const messages = [message(1, "a", at(0)), message(2, "a", at(1), { senderType: "system" }), message(3, "a", at(1))];
  const list = rows({ me: "me", messages });
  assert.deepEqual(kinds(list), ["day", "message", "system", "message"]);
  assert.equal(list[3].isLead, true);
});

test("what a bot is writing stands below everything, under the key of its message", () => {
  const drafts = [{ messageId: "id-8", text: "so f", createdAt: at(6) }];
  const list = rows({ me: "me", messages: [message(7, "me", at(5))], drafts, botId: "bot" });
  const draft = list.at(-1);
  assert.equal(draft.message.content, "so f");
  assert.equal(draft.message.senderId, "bot");
  assert.ok(draft.isDraft);
  const told = rows({ me: "me", messages: [message(8, "bot", at(6))] }).at(-1);
  assert.equal(draft.key, told.key);
  const both = rows({ me: "me", messages: [message(8, "bot", at(6))], drafts, botId: "bot" });
  assert.deepEqual(kinds(both), ["day", "message"]);
});
