import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Doran } from "../doran.js";
import { DoranError } from "../errors.js";
import { Backoff } from "../reconnect.js";
import { FakeSocket, settle } from "./fakes.mjs";

let doran, tokens, timers;

beforeEach((t) => {
  timers = t.mock.timers;
  timers.enable({ apis: ["setTimeout", "Date"] });
  FakeSocket.all = [];
  tokens = [];
  doran = new Doran({
    url: "ws://server/ws",
    WebSocket: FakeSocket,
    backoff: new Backoff({ firstMs: 1000, random: () => 1 }),
    token: async (stale) => { tokens.push(stale); return `token-${tokens.length}`; },
  });
});

afterEach(() => doran.stop());

async function connect() {
  doran.start();
  await FakeSocket.last.logIn();
}

async function pass(ms) {
  timers.tick(ms);
  await settle();
}

test("it offers doran.v1, waits for hello and puts the token in a frame, not in the URL", async () => {
  doran.start();
  assert.equal(FakeSocket.last.url, "ws://server/ws");
  assert.deepEqual(FakeSocket.last.protocols, ["doran.v1"]);
  assert.deepEqual(FakeSocket.last.sent, []);
  await FakeSocket.last.logIn();
  assert.equal(FakeSocket.last.frame("auth").token, "token-1");
  assert.equal(doran.state.name, "ready");
});

test("answers find their requests by id, whatever the order", async () => {
  await connect();
  const first = doran.request({ type: "subscribe", roomId: "a" });
  const second = doran.request({ type: "subscribe", roomId: "b" });
  const [a, b] = FakeSocket.last.sent.slice(-2);
  assert.notEqual(a.id, b.id);
  FakeSocket.last.receive({ id: b.id, type: "ok", roomId: "b" });
  FakeSocket.last.receive({ id: a.id, type: "ok", roomId: "a" });
  assert.equal((await first).roomId, "a");
  assert.equal((await second).roomId, "b");
});

test("an error frame rejects its request with code, retryable and afterMs", async () => {
  await connect();
  const request = doran.request({ type: "send" });
  FakeSocket.last.receive({ id: FakeSocket.last.frame("send").id, type: "error", code: "RATE_LIMITED", message: "slow down", retryable: true, afterMs: 500 });
  await assert.rejects(request, (error) => error instanceof DoranError && error.code === "RATE_LIMITED" && error.retryable && error.afterMs === 500);
});

test("frames without a request are handed on, and garbage is not", async () => {
  await connect();
  const frames = [];
  doran.addEventListener("frame", ({ detail }) => frames.push(detail));
  FakeSocket.last.receive({ type: "message", roomId: "a", seq: 1 });
  FakeSocket.last.receive("not json");
  FakeSocket.last.receive("null");
  FakeSocket.last.receive({ type: "somethingNew", x: 1 });
  assert.deepEqual(frames.map(({ type }) => type), ["message", "somethingNew"]);
});

test("a request without an answer ends in TIMEOUT and is retryable", async () => {
  await connect();
  const request = doran.request({ type: "send" });
  timers.tick(10_000);
  await assert.rejects(request, { code: "TIMEOUT", retryable: true });
});

test("a lost connection rejects what is under way and comes back after the backoff", async () => {
  await connect();
  const request = doran.request({ type: "send" });
  FakeSocket.last.drop(1006);
  await assert.rejects(request, { code: "DISCONNECTED", retryable: true });
  assert.equal(doran.state.name, "waiting");
  await assert.rejects(doran.request({ type: "send" }), { code: "OFFLINE" });
  await pass(999);
  assert.equal(FakeSocket.all.length, 1);
  await pass(1);
  assert.equal(FakeSocket.all.length, 2);
  await FakeSocket.last.logIn();
  assert.equal(doran.state.name, "ready");
});

test("ready is said for every connection", async () => {
  let count = 0;
  doran.addEventListener("ready", () => { count += 1; });
  await connect();
  FakeSocket.last.drop(4001, '{"afterMs":100}');
  await pass(1000);
  await FakeSocket.last.logIn();
  assert.equal(count, 2);
});

test("the backoff grows while connections fail at once and is reset by a stable one", async () => {
  await connect();
  FakeSocket.last.drop(1006);
  await pass(1000);
  await FakeSocket.last.logIn();
  FakeSocket.last.drop(1006);
  assert.equal(doran.state.retryAt - Date.now(), 2000);
  await pass(2000);
  await FakeSocket.last.logIn();
  await pass(10_000);
  FakeSocket.last.drop(1006);
  assert.equal(doran.state.retryAt - Date.now(), 1000);
});

test("it does not come back before the server's afterMs", async () => {
  await connect();
  FakeSocket.last.drop(4001, '{"afterMs":4000}');
  await pass(3999);
  assert.equal(FakeSocket.all.length, 1);
  await pass(1);
  assert.equal(FakeSocket.all.length, 2);
});

test("a stop code ends it and says why", async () => {
  await connect();
  FakeSocket.last.drop(4502, "{}");
  assert.equal(doran.state.name, "stopped");
  assert.equal(doran.state.code, 4502);
  assert.match(doran.state.why, /logged out/);
  await pass(60_000);
  assert.equal(FakeSocket.all.length, 1);
});

test("an expired token is replaced before the next connection", async () => {
  await connect();
  FakeSocket.last.drop(4003);
  await pass(1000);
  await FakeSocket.last.logIn();
  assert.deepEqual(tokens, [undefined, "token-1"]);
});

test("a refused token stops it, and starting again asks for another one", async () => {
  doran.start();
  FakeSocket.last.receive({ type: "hello", pingMs: 25_000 });
  await settle();
  FakeSocket.last.receive({ id: FakeSocket.last.frame("auth").id, type: "error", code: "UNAUTHENTICATED", message: "no" });
  await settle();
  assert.equal(doran.state.name, "stopped");
  assert.equal(doran.state.code, 4501);
  doran.start();
  await FakeSocket.last.logIn();
  assert.deepEqual(tokens, [undefined, "token-1"]);
});

test("it pings as often as hello asks, and a pong keeps it alive", async () => {
  await connect();
  for (let beat = 1; beat <= 3; beat += 1) {
    await pass(25_000);
    const pings = FakeSocket.last.sent.filter(({ type }) => type === "ping");
    assert.equal(pings.length, beat);
    FakeSocket.last.receive({ id: pings.at(-1).id, type: "pong" });
  }
  await pass(8_000);
  assert.equal(doran.state.name, "ready");
});

test("a ping without any frame in answer gives the connection up", async () => {
  await connect();
  await pass(25_000);
  await pass(8_000);
  assert.equal(doran.state.name, "waiting");
  assert.equal(FakeSocket.last.isClosed, true);
});

test("waking dials at once instead of waiting", async () => {
  await connect();
  FakeSocket.last.drop(4001, '{"afterMs":9000}');
  doran.wake();
  assert.equal(FakeSocket.all.length, 2);
});

test("waking finds out quickly that a socket is dead", async () => {
  await connect();
  doran.wake(3000);
  await pass(3000);
  assert.equal(doran.state.name, "waiting");
});

test("a server that never says hello is given up", async () => {
  doran.start();
  await pass(10_000);
  assert.equal(doran.state.name, "waiting");
});

test("events of a socket that was given up change nothing", async () => {
  await connect();
  const old = FakeSocket.last;
  old.drop(1006);
  await pass(1000);
  await FakeSocket.last.logIn();
  old.drop(4502);
  old.receive({ type: "message" });
  assert.equal(doran.state.name, "ready");
});

test("a newer token is told to the server once", async () => {
  await connect();
  doran.reauth("token-9");
  doran.reauth("token-9");
  assert.deepEqual(FakeSocket.last.sent.filter(({ type }) => type === "reauth").map(({ token }) => token), ["token-9"]);
});

test("stopping closes the socket and stays stopped", async () => {
  await connect();
  doran.stop();
  assert.equal(FakeSocket.last.isClosed, true);
  await pass(60_000);
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(doran.state.name, "idle");
});

test("no token to be had for now is a reason to try again later", async () => {
  doran = new Doran({ url: "ws://server/ws", WebSocket: FakeSocket, backoff: new Backoff({ random: () => 1 }),
    token: async () => { throw new DoranError({ code: "NETWORK", retryable: true }); } });
  doran.start();
  FakeSocket.last.receive({ type: "hello", pingMs: 25_000 });
  await settle();
  assert.equal(doran.state.name, "waiting");
});
