import assert from "node:assert/strict";
import { test } from "node:test";
import { Attachments, MOST_FILES } from "../attachments.js";
import { DoranError } from "../errors.js";
import { Media } from "../media.js";
import { settle } from "./fakes.mjs";

const stored = (name) => ({ id: `id-${name}`, name, mediaType: "image/png", size: 3, width: 1, height: 1, thumbnailUrl: "/t", url: "/f" });
const states = ({ entries }) => entries.map(({ name, state }) => `${name} ${state}`);

test("a message waits for its files and takes along those that are there", async () => {
  const ends = new Map();
  const attachments = new Attachments({ upload: ({ file, onProgress }) => new Promise((resolve, reject) => {
    onProgress(0.5);
    ends.set(file.name, { resolve: () => resolve(stored(file.name)), reject });
  }) });
  attachments.add([{ name: "a" }, { name: "b" }]);
  assert.deepEqual(states(attachments), ["a sending", "b sending"]);
  assert.equal(attachments.entries[0].progress, 0.5);
  ends.get("a").resolve();
  ends.get("b").reject(new DoranError({ code: "UNSUPPORTED_MEDIA_TYPE" }));
  await settle();
  assert.deepEqual(states(attachments), ["a ready", "b failed"]);
  assert.equal(attachments.isBusy, true);
  attachments.remove(attachments.entries[1].key);
  assert.equal(attachments.isBusy, false);
  const { id, url, ...rest } = stored("a");
  assert.deepEqual(attachments.take(), [{ fileId: id, ...rest }]);
  assert.deepEqual(attachments.entries, []);
});

test("what is removed is broken off, and no more is taken than a message has", () => {
  const signals = [];
  const attachments = new Attachments({ upload: ({ signal }) => { signals.push(signal); return new Promise(() => {}); } });
  attachments.add(Array.from({ length: 12 }, (_, index) => ({ name: String(index) })));
  assert.equal(attachments.entries.length, MOST_FILES);
  attachments.remove(attachments.entries[3].key);
  assert.deepEqual(signals.map(({ aborted }) => aborted).indexOf(true), 3);
});

test("bytes are fetched once, again after a failure, and let go when there are many", async () => {
  const fetched = [];
  const revoked = [];
  let isDown = true;
  const media = new Media({
    fetch: async (path) => { fetched.push(path); if (isDown) throw new Error("down"); return path; },
    toUrl: (blob) => `blob:${blob}`,
    revoke: (url) => revoked.push(url),
  });
  await assert.rejects(media.url("/a"));
  isDown = false;
  assert.equal(await media.url("/a"), "blob:/a");
  assert.equal(await media.url("/a"), "blob:/a");
  assert.deepEqual(fetched, ["/a", "/a"]);
  for (let index = 0; index < 200; index += 1) await media.url(`/${index}`);
  assert.deepEqual(revoked, ["blob:/a"]);
});
