import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { DoranError } from "../errors.js";
import { Session } from "../session.js";
import { fakeStorage, settle } from "./fakes.mjs";

let storage, exchanged, timers, locks, exchange;

beforeEach((t) => {
  timers = t.mock.timers;
  timers.enable({ apis: ["setTimeout", "Date"] });
  storage = fakeStorage();
  exchanged = [];
  locks = fakeLocks();
  exchange = async (refreshToken) => {
    exchanged.push(refreshToken);
    await settle();
    return grant(exchanged.length + 1);
  };
});

afterEach(() => timers.reset());

const grant = (n, userId = "u") => ({ accessToken: `a${n}`, refreshToken: `r${n}`, expiresIn: 300, user: { id: userId } });
const newTab = (tab = new EventTarget(), channel = null) =>
  new Session({ exchange: (refreshToken) => exchange(refreshToken), storage, locks, channel, tab });

/** Two ends that hear each other. */
function fakeChannels() {
  const ends = [new EventTarget(), new EventTarget()];
  ends.forEach((end, index) => {
    end.postMessage = (data) => ends[1 - index].dispatchEvent(new MessageEvent("message", { data }));
  });
  return ends;
}

function fakeLocks() {
  let tail = Promise.resolve();
  return { request: (_name, work) => { tail = tail.then(work, work); return tail; } };
}

test("a reload buys a new access token with the stored refresh token", async () => {
  newTab().begin(grant(1));
  const reloaded = newTab();
  assert.equal(reloaded.isStored(), true);
  assert.equal(await reloaded.token(), "a2");
  assert.deepEqual(exchanged, ["r1"]);
  assert.equal(reloaded.user.id, "u");
});

test("the access token is kept nowhere but in memory", () => {
  newTab().begin(grant(1));
  assert.ok(!storage.getItem("doran.session").includes("a1"));
});

test("a good token is given without asking the server", async () => {
  const session = newTab();
  session.begin(grant(1));
  assert.equal(await session.token(), "a1");
  assert.deepEqual(exchanged, []);
});

test("many who need a new token make one refresh", async () => {
  const session = newTab();
  session.begin(grant(1));
  const all = await Promise.all([session.token("a1"), session.token("a1"), session.token("a1")]);
  assert.deepEqual(all, ["a2", "a2", "a2"]);
  assert.deepEqual(exchanged, ["r1"]);
});

test("two tabs never use the same refresh token", async () => {
  newTab().begin(grant(1));
  await Promise.all([newTab().token(), newTab().token()]);
  assert.deepEqual(exchanged, ["r1", "r2"]);
});

test("what one tab refreshed is good for the others", async () => {
  const [one, two] = fakeChannels().map((channel) => newTab(new EventTarget(), channel));
  one.begin(grant(1));
  await two.token();
  assert.deepEqual(await Promise.all([one.token("a2"), two.token("a2")]), ["a3", "a3"]);
  assert.deepEqual(exchanged, ["r1", "r2"]);
});

test("a token is renewed before it expires and the news is told", async () => {
  const session = newTab();
  session.begin(grant(1));
  const renewed = [];
  session.addEventListener("renewed", ({ detail }) => renewed.push(detail.token));
  timers.tick(239_999);
  await settle();
  assert.deepEqual(renewed, []);
  timers.tick(1);
  await settle();
  await settle();
  assert.deepEqual(renewed, ["a2"]);
});

test("a token close to its end is not given out", async () => {
  const session = newTab();
  session.begin(grant(1));
  exchange = async () => { throw new DoranError({ code: "NETWORK", retryable: true }); };
  timers.tick(271_000);
  await assert.rejects(session.token(), { code: "NETWORK" });
  assert.equal(session.user.id, "u");
});

test("a refresh that the server refuses ends the session", async () => {
  const session = newTab();
  session.begin(grant(1));
  let ended = null;
  session.addEventListener("ended", ({ detail }) => { ended = detail.code; });
  exchange = async () => { throw new DoranError({ code: "UNAUTHENTICATED", status: 401 }); };
  await assert.rejects(session.token("a1"), { status: 401 });
  assert.equal(ended, "UNAUTHENTICATED");
  assert.equal(session.isStored(), false);
});

test("a server that is away does not end the session", async () => {
  const session = newTab();
  session.begin(grant(1));
  exchange = async () => { throw new DoranError({ code: "HTTP_503", status: 503, retryable: true }); };
  await assert.rejects(session.token("a1"));
  assert.equal(session.isStored(), true);
});

test("logging out in another tab ends this one, logging in as somebody else replaces it", () => {
  const tab = new EventTarget();
  const session = newTab(tab);
  session.begin(grant(1));
  const heard = [];
  for (const type of ["ended", "replaced"]) session.addEventListener(type, () => heard.push(type));
  const write = (newValue) => tab.dispatchEvent(Object.assign(new Event("storage"), { key: "doran.session", newValue }));
  write(JSON.stringify({ refreshToken: "r9", userId: "u" }));
  assert.deepEqual(heard, []);
  write(JSON.stringify({ refreshToken: "r9", userId: "another" }));
  assert.deepEqual(heard, ["replaced"]);
  write(null);
  assert.deepEqual(heard, ["replaced", "ended"]);
});
