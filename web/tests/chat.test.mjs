import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Chat } from "../chat.js";
import { Doran } from "../doran.js";
import { FakeSocket, fakeStorage, settle } from "./fakes.mjs";

const ROOM = { id: "r", name: "Room", role: "owner", createdAt: "2026-01-01T00:00:00.000Z", lastMessageAt: null, unreadCount: 0 };
const AT = "2026-01-01T10:00:00.000Z";

let chat, storage, read, rooms, members;
const socket = () => FakeSocket.last;
const shown = () => chat.feed("r").timeline.messages.map(({ seq, content }) => `${seq} ${content}`);

beforeEach(async () => {
  FakeSocket.all = [];
  storage = fakeStorage();
  read = [];
  rooms = [ROOM];
  members = [];
  await start();
});

afterEach(() => chat.stop());

async function start() {
  const api = {
    rooms: async () => rooms,
    room: async (id) => ({ ...ROOM, id }),
    members: async () => members,
    bots: async () => [{ id: "echo", name: "Echo" }],
    messages: async () => ({ items: [], hasBefore: false, hasAfter: false, head: 0 }),
    markRead: async (_roomId, seq) => { read.push(seq); },
    user: async (id) => ({ id, name: id }),
  };
  const doran = new Doran({ url: "ws://server/ws", WebSocket: FakeSocket, token: async () => "t" });
  chat = new Chat({ api, socket: doran, user: { id: "me", name: "Me" }, storage });
  chat.start();
  await socket().logIn();
  answerSubscription();
  await settle();
  chat.open("r");
  await settle();
}

function answerSubscription() {
  const { id, roomId } = socket().frame("subscribe");
  socket().receive({ id, type: "ok", roomId, epoch: "e", head: 0, complete: true, role: "owner", readSeq: 0 });
}

function message(seq, more) {
  const body = { id: `id-${seq}`, roomId: "r", seq, senderId: "me", content: "hi", createdAt: AT, ...more };
  return { type: "message", roomId: "r", seq, prev: 0, message: body };
}

const ackOf = (frame, seq) => ({ id: frame.id, type: "ack", messageId: `id-${seq}`, seq, createdAt: AT, duplicate: false, durability: "fsync" });

test("a message is shown once when the ack comes before the frame", async () => {
  chat.outbox.add("r", "hi");
  await settle();
  const sent = socket().frame("send");
  socket().receive(ackOf(sent, 4));
  await settle();
  assert.deepEqual(shown(), ["4 hi"]);
  assert.deepEqual(chat.outbox.forRoom("r"), []);
  socket().receive(message(4, { clientMessageId: sent.clientMessageId }));
  assert.deepEqual(shown(), ["4 hi"]);
});

test("a message is shown once when the frame comes before the ack", async () => {
  chat.outbox.add("r", "hi");
  await settle();
  const sent = socket().frame("send");
  socket().receive(message(4, { clientMessageId: sent.clientMessageId }));
  assert.deepEqual(shown(), ["4 hi"]);
  assert.deepEqual(chat.outbox.forRoom("r"), []);
  socket().receive(ackOf(sent, 4));
  await settle();
  assert.deepEqual(shown(), ["4 hi"]);
});

test("what was under way when the connection broke is sent again with the same id", async () => {
  chat.outbox.add("r", "hi");
  await settle();
  const first = socket().frame("send");
  socket().drop(4001, "{}");
  chat.socket.wake();
  await socket().logIn();
  await settle();
  assert.equal(FakeSocket.all.length, 2);
  assert.equal(socket().frame("send").clientMessageId, first.clientMessageId);
});

test("a new connection subscribes since the last event", async () => {
  socket().receive(message(4, { senderId: "other" }));
  socket().drop(1006);
  chat.socket.wake();
  await socket().logIn();
  await settle();
  assert.deepEqual(socket().frame("subscribe").since, { epoch: "e", seq: 4 });
});

test("somebody else's message counts as unread until the room is looked at", async () => {
  socket().receive(message(4, { senderId: "other" }));
  assert.equal(chat.rooms.get("r").unreadCount, 1);
  chat.markRead("r");
  assert.equal(chat.rooms.get("r").unreadCount, 0);
  assert.deepEqual(read, [4]);
  chat.markRead("r");
  assert.deepEqual(read, [4]);
  chat.isAttended = true;
  socket().receive({ ...message(5, { senderId: "other", createdAt: "2026-01-01T10:00:01.000Z" }), prev: 4 });
  assert.equal(chat.rooms.get("r").unreadCount, 0);
});

test("a change of a message is asked of the server, and a refusal is told", async () => {
  let told = null;
  chat.addEventListener("notice", ({ detail }) => { told = detail.message; });
  chat.change({ id: "id-4", roomId: "r" }, { type: "react", emoji: "👍" });
  const { id, ...frame } = socket().frame("react");
  assert.deepEqual(frame, { type: "react", emoji: "👍", roomId: "r", messageId: "id-4" });
  socket().receive({ id, type: "error", code: "FORBIDDEN", message: "no", retryable: false });
  await settle();
  assert.equal(told, "You are not allowed to do this.");
});

test("a reply says what it answers", async () => {
  chat.outbox.add("r", "hi", "id-4");
  await settle();
  assert.equal(socket().frame("send").replyTo, "id-4");
});

test("being put into a room makes it appear and be followed", async () => {
  socket().receive({ type: "member", roomId: "new", change: "joined", member: { userId: "me", role: "member" } });
  await settle();
  assert.ok(chat.rooms.get("new"));
  assert.equal(socket().frame("subscribe").roomId, "new");
});

test("being removed from a room takes it away", async () => {
  let gone = null;
  chat.rooms.addEventListener("gone", ({ detail }) => { gone = detail.name; });
  socket().receive({ type: "member", roomId: "r", change: "removed", member: { userId: "me" } });
  assert.equal(gone, "Room");
  assert.equal(chat.rooms.get("r"), null);
});

test("members are shown as they come, rest and leave", async () => {
  members = [{ userId: "kim", name: "Kim", role: "member", presence: "offline" }];
  await chat.members.load("r");
  let changes = 0;
  chat.members.addEventListener("change", () => { changes += 1; });
  for (const state of ["online", "online", "away"]) socket().receive({ type: "presence", userId: "kim", state, lastSeenAt: AT });
  socket().receive({ type: "presence", userId: "stranger", state: "online", lastSeenAt: AT });
  assert.equal(chat.members.of("r").items[0].presence, "away");
  assert.equal(changes, 2);
});

test("what is told while the members are loading is newer than they are", async () => {
  members = [{ userId: "kim", name: "Kim", role: "member", presence: "offline" }];
  const loading = chat.members.load("r");
  socket().receive({ type: "presence", userId: "kim", state: "online", lastSeenAt: AT });
  await loading;
  assert.equal(chat.members.of("r").items[0].presence, "online");
});

test("who looks away is away", async () => {
  chat.appear("online");
  assert.equal(socket().frame("presence"), undefined);
  chat.appear("away");
  assert.equal(socket().frame("presence").state, "away");
});

test("what operators say is passed on as it is", async () => {
  let said;
  chat.addEventListener("notice", ({ detail }) => { said = detail.message; }, { once: true });
  socket().receive({ type: "notice", message: "<b>22시</b> 점검", at: "2026-03-01T09:00:00.000Z" });
  assert.equal(said, "<b>22시</b> 점검");
});

test("bots have their names without being asked for one by one", async () => {
  assert.deepEqual(chat.bots.map(({ id }) => id), ["echo"]);
  assert.equal(chat.people.name("echo"), "Echo");
});

test("what a bot writes is shown while it is written, and once when it is sent", async () => {
  const written = () => chat.feed("r").drafts.all.map(({ text }) => text);
  socket().receive({ type: "botDelta", roomId: "r", messageId: "id-4", n: 0, text: "hel" });
  socket().receive({ type: "botDelta", roomId: "r", messageId: "id-4", n: 1, text: "lo" });
  assert.deepEqual(written(), ["hello"]);
  socket().receive(message(4, { senderId: "echo", senderType: "bot", content: "hello" }));
  assert.deepEqual(written(), []);
  assert.deepEqual(shown(), ["4 hello"]);
  // A piece that comes late begins nothing.
  socket().receive({ type: "botDelta", roomId: "r", messageId: "id-4", n: 0, text: "hel" });
  assert.deepEqual(written(), []);
});
