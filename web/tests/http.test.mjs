import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { explain } from "../errors.js";
import { Http } from "../http.js";

let calls, answers, paused, http;

beforeEach(() => {
  calls = [];
  answers = [];
  paused = [];
  http = new Http({
    authorise: async (stale) => (stale ? "fresh" : "token"),
    pause: async (ms) => { paused.push(ms); },
    fetch: async (url, options) => {
      calls.push({ url, ...options });
      const answer = answers.shift() ?? ok(null);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
});

const ok = (data, headers) => Response.json({ success: true, data }, { headers });
const no = (status, errorCode, { data = null, headers } = {}) =>
  Response.json({ success: false, message: "no", errorCode, data }, { status, headers });

test("a read gives the data of the envelope and carries the token", async () => {
  answers = [ok({ items: [1] })];
  assert.deepEqual(await http.get("/api/x", { limit: 5, cursor: undefined }), { items: [1] });
  assert.equal(calls[0].url, "/api/x?limit=5");
  assert.equal(calls[0].headers.Authorization, "Bearer token");
});

test("a command that is retried keeps its idempotency key", async () => {
  answers = [no(503, "UNAVAILABLE"), new TypeError("failed to fetch"), ok("done")];
  assert.equal(await http.command("POST", "/api/x", { body: { a: 1 } }), "done");
  const keys = calls.map(({ headers }) => headers["Idempotency-Key"]);
  assert.equal(keys.length, 3);
  assert.equal(new Set(keys).size, 1);
  assert.match(keys[0], /^[0-9a-f-]{36}$/);
});

test("retries are bounded and wait as long as the server asks, within reason", async () => {
  answers = [no(503, "UNAVAILABLE", { headers: { "Retry-After": "2" } }), no(504, "FATE_UNKNOWN", { headers: { "Retry-After": "60" } }), no(503, "UNAVAILABLE")];
  await assert.rejects(http.get("/api/x"), { code: "UNAVAILABLE", status: 503 });
  assert.equal(calls.length, 3);
  assert.deepEqual(paused, [2000, 3000]);
});

test("a refusal is not retried and keeps its code and fields", async () => {
  answers = [no(422, "VALIDATION", { data: { fields: [{ field: "email", reason: "is not an address" }] } })];
  await assert.rejects(http.command("POST", "/api/x", { body: {} }), (error) => {
    assert.equal(error.code, "VALIDATION");
    assert.equal(explain(error), "email: is not an address");
    return true;
  });
  assert.equal(calls.length, 1);
});

test("too many requests say how long to wait", async () => {
  answers = [no(429, "RATE_LIMITED", { headers: { "Retry-After": "7" } })];
  await assert.rejects(http.get("/api/x"), (error) => explain(error).includes("7 s"));
});

test("a 401 is tried once more with another token", async () => {
  answers = [no(401, "TOKEN_EXPIRED"), ok("in")];
  assert.equal(await http.get("/api/x"), "in");
  assert.deepEqual(calls.map(({ headers }) => headers.Authorization), ["Bearer token", "Bearer fresh"]);
  answers = [no(401, "UNAUTHENTICATED"), no(401, "UNAUTHENTICATED")];
  await assert.rejects(http.get("/api/x"), { status: 401 });
});

test("an anonymous command asks for no token", async () => {
  answers = [no(401, "BAD_CREDENTIALS")];
  await assert.rejects(http.command("POST", "/api/auth/login", { body: {}, anonymous: true }), { status: 401 });
  assert.equal(calls.length, 1);
  assert.equal(calls[0].headers.Authorization, undefined);
});

test("reads after a command ask for its position, the highest of each stream", async () => {
  answers = [ok(1, { "Doran-Position": "CHATROOM:7,USER:3" }), ok(1, { "Doran-Position": "CHATROOM:5" })];
  await http.command("POST", "/api/x", { body: {} });
  await http.command("POST", "/api/x", { body: {} });
  await http.get("/api/x");
  assert.equal(calls[0].headers["Doran-Min-Position"], undefined);
  assert.equal(calls[2].headers["Doran-Min-Position"], "CHATROOM:7,USER:3");
});

test("an answer that is no envelope is a fault with words", async () => {
  answers = [new Response("<html>", { status: 200 }), new Response("bad gateway", { status: 400 })];
  await assert.rejects(http.get("/api/x"), { code: "BAD_ANSWER" });
  await assert.rejects(http.get("/api/x"), { code: "HTTP_400" });
});
