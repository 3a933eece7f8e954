import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { DoranError } from "../errors.js";
import { Pages } from "../pages.js";

const away = new DoranError({ code: "UNAVAILABLE", status: 503, retryable: true });
const PAGE = { items: [], hasBefore: false };

let fromApi, fromSocket, asked, socket, pages;
beforeEach(() => {
  asked = [];
  fromApi = async () => PAGE;
  fromSocket = async () => PAGE;
  socket = { state: { name: "ready" }, request: (frame) => { asked.push(frame); return fromSocket(); } };
  pages = new Pages({ api: { messages: () => fromApi() }, socket });
});

test("a page comes over HTTP as long as it can", async () => {
  assert.equal(await pages.load("r"), PAGE);
  assert.deepEqual(asked, []);
});

test("while the read model is away the socket is asked", async () => {
  fromApi = async () => { throw away; };
  assert.equal(await pages.load("r", { before: 7 }), PAGE);
  assert.deepEqual(asked, [{ type: "history", roomId: "r", before: 7, limit: 50 }]);
});

test("a refusal is a refusal, whoever might be asked else", async () => {
  fromApi = async () => { throw new DoranError({ code: "NOT_MEMBER", status: 403 }); };
  await assert.rejects(pages.load("r"), { code: "NOT_MEMBER" });
  assert.deepEqual(asked, []);
});

test("a server that does not know the frame is asked once", async () => {
  fromApi = async () => { throw away; };
  fromSocket = async () => { throw new DoranError({ code: "BAD_REQUEST" }); };
  await assert.rejects(pages.load("r"), { code: "UNAVAILABLE" });
  await assert.rejects(pages.load("r"), { code: "UNAVAILABLE" });
  assert.equal(asked.length, 1);
});

test("without a connection the first error stands", async () => {
  fromApi = async () => { throw away; };
  socket.state = { name: "waiting" };
  await assert.rejects(pages.load("r"), { code: "UNAVAILABLE" });
  assert.deepEqual(asked, []);
});
