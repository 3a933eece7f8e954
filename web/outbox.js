// What was written here and is not yet known to be in the log. One message per room is under way at a time, so what a
// person typed first arrives first; every retry carries the same clientMessageId, so nothing is ever doubled.

import { newId } from "./id.js";
import { Backoff } from "./reconnect.js";

const TRIES = 6;

export class Outbox extends EventTarget {
  /** Each `{clientMessageId, roomId, content, replyTo, createdAt, attachments, state: "queued"|"sending"|"failed", error?}` */
  #entries;
  #send;
  #storage;
  #key;
  #isOnline = false;
  #busy = new Set();

  /** `send(entry)` resolves with the ack. Events: `change` (detail: roomId), `sent` (detail: {entry, ack}). */
  constructor({ send, storage, key }) {
    super();
    this.#send = send;
    this.#storage = storage;
    this.#key = key;
    this.#entries = restored(storage.getItem(key));
  }

  forRoom(roomId) {
    return this.#entries.filter((entry) => entry.roomId === roomId);
  }

  add(roomId, content, replyTo = null, attachments = []) {
    const createdAt = new Date().toISOString();
    this.#entries.push({ clientMessageId: newId(), roomId, content, replyTo, attachments, createdAt, state: "queued" });
    this.#changed(roomId);
    this.#pump(roomId);
  }

  retry(clientMessageId) {
    const entry = this.#find(clientMessageId);
    if (entry?.state !== "failed") return;
    Object.assign(entry, { state: "queued", error: undefined, tries: 0 });
    this.#changed(entry.roomId);
    this.#pump(entry.roomId);
  }

  /** It was given up, or a message frame shows that it arrived. */
  drop(clientMessageId) {
    const entry = this.#find(clientMessageId);
    if (!entry) return;
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#changed(entry.roomId);
  }

  online() {
    this.#isOnline = true;
    for (const roomId of new Set(this.#entries.map((entry) => entry.roomId))) this.#pump(roomId);
  }

  offline() {
    this.#isOnline = false;
  }

  clear() {
    this.#entries = [];
    this.#storage.removeItem(this.#key);
  }

  async #pump(roomId) {
    if (this.#busy.has(roomId)) return;
    this.#busy.add(roomId);
    const backoff = new Backoff({ firstMs: 400, capMs: 5_000 });
    for (let entry; this.#isOnline && (entry = this.#next(roomId)); ) {
      const waitMs = await this.#deliver(entry, backoff);
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    this.#busy.delete(roomId);
  }

  /** Gives the time to wait before the room's next try. */
  async #deliver(entry, backoff) {
    this.#mark(entry, "sending");
    try {
      const ack = await this.#send(entry);
      backoff.reset();
      this.dispatchEvent(new CustomEvent("sent", { detail: { entry, ack } }));
      this.drop(entry.clientMessageId);
      return 0;
    } catch (error) {
      if (error.code === "DISCONNECTED" || error.code === "OFFLINE") {
        this.#mark(entry, "queued");
        this.#isOnline = false;
        return 0;
      }
      entry.tries = (entry.tries ?? 0) + 1;
      const isOver = !error.retryable || entry.tries >= TRIES;
      this.#mark(entry, isOver ? "failed" : "queued", error);
      return isOver ? 0 : backoff.next(error.afterMs ?? 0);
    }
  }

  #next(roomId) {
    return this.#entries.find((entry) => entry.roomId === roomId && entry.state === "queued");
  }

  #find(clientMessageId) {
    return this.#entries.find((entry) => entry.clientMessageId === clientMessageId);
  }

  #mark(entry, state, error) {
    Object.assign(entry, { state, error });
    this.#changed(entry.roomId);
  }

  #changed(roomId) {
    const kept = this.#entries.map(({ clientMessageId, roomId: room, content, replyTo, attachments, createdAt }) =>
      ({ clientMessageId, roomId: room, content, replyTo, attachments, createdAt }));
    this.#storage.setItem(this.#key, JSON.stringify(kept));
    this.dispatchEvent(new CustomEvent("change", { detail: roomId }));
  }
}

/** After a reload everything is tried again: whatever had arrived is recognised by its clientMessageId. */
function restored(text) {
  return (JSON.parse(text) ?? []).map((entry) => ({ ...entry, state: "queued" }));
}
