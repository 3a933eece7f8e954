import assert from "node:assert/strict";
import { test } from "node:test";
import { upload } from "../upload.js";

/** Requests that are answered as `answers` says, in order. */
function requests(answers) {
  const sent = [];
  class Request extends EventTarget {
    upload = new EventTarget();
    open(...what) { this.line = what.join(" "); }
    setRequestHeader(name, value) { this[name] = value; }
    abort() { this.dispatchEvent(new Event("abort")); }
    send(form) {
      sent.push({ line: this.line, token: this.Authorization, file: form.get("files").name });
      this.upload.dispatchEvent(Object.assign(new Event("progress"), { loaded: 1, total: 4 }));
      const answer = answers.shift();
      if (!answer) return;
      Object.assign(this, { status: answer.status, responseText: JSON.stringify(answer.body ?? {}) });
      this.dispatchEvent(new Event("load"));
    }
  }
  return { Request, sent };
}

const file = new File(["abc"], "a.txt");
const authorise = async (stale) => (stale ? "second" : "first");

test("a file is sent once more with a new token and its progress is told", async () => {
  const item = { id: "f" };
  const { Request, sent } = requests([{ status: 401 }, { status: 201, body: { data: { items: [item] } } }]);
  const told = [];
  assert.deepEqual(await upload({ file, authorise, onProgress: (part) => told.push(part), Request }), item);
  assert.deepEqual(sent.map(({ token }) => token), ["Bearer first", "Bearer second"]);
  assert.deepEqual(sent[0], { line: "POST /api/store/files", token: "Bearer first", file: "a.txt" });
  assert.deepEqual(told, [0.25, 0.25]);
});

test("a refusal has its code, and what is broken off is no answer", async () => {
  const refused = requests([{ status: 415, body: { errorCode: "UNSUPPORTED_MEDIA_TYPE" } }]);
  await assert.rejects(upload({ file, authorise, Request: refused.Request }), { code: "UNSUPPORTED_MEDIA_TYPE", status: 415 });
  const off = new AbortController();
  const { Request } = requests([]);
  const sending = upload({ file, authorise, signal: off.signal, Request });
  await new Promise((resolve) => setTimeout(resolve));
  off.abort();
  await assert.rejects(sending, { code: "NETWORK" });
});
