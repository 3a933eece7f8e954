// The native protocol doran.v1 over one WebSocket that heals itself: hello, auth, heartbeat, requests with answers,
// reconnecting. It knows frames but neither rooms nor the page; what is subscribed is its user's business on `ready`.

import { DoranError } from "./errors.js";
import { Backoff, verdict } from "./reconnect.js";

const DIAL_MS = 10_000;
const ANSWER_MS = 10_000;
const PONG_MS = 8_000;
const STABLE_MS = 10_000;
const LOST = 1006;

export class Doran extends EventTarget {
  /** `{name: "idle"|"connecting"|"ready"|"waiting"|"stopped", code?, why?, retryAt?}` */
  state = { name: "idle" };
  #url;
  #token;
  #WebSocket;
  #backoff;
  #socket = null;
  #hello = null;
  #usedToken;
  #staleToken;
  #lastId = 0;
  #pending = new Map();
  #heard = 0;
  #timers = {};

  /** `token(stale)` gives an access token. Events: `state`, `ready`, `frame` (detail: the frame). */
  constructor({ url, token, WebSocket = globalThis.WebSocket, backoff = new Backoff() }) {
    super();
    this.#url = url;
    this.#token = token;
    this.#WebSocket = WebSocket;
    this.#backoff = backoff;
  }

  start() {
    if (this.state.name === "idle" || this.state.name === "stopped") this.#dial();
  }

  stop() {
    this.#release();
    this.#enter({ name: "idle" });
  }

  /** The network may have changed: try now instead of later, or find out whether the socket still lives. */
  wake(pongMs = PONG_MS) {
    if (this.state.name === "waiting") this.#dial();
    if (this.state.name === "ready") this.#probe(pongMs);
  }

  /** Sends a frame and waits for the one that repeats its id. */
  request(frame, answerMs = ANSWER_MS) {
    if (this.state.name !== "ready") {
      return Promise.reject(new DoranError({ code: "OFFLINE", retryable: true }));
    }
    return this.#ask(frame, answerMs);
  }

  /** Tells the server about a newer access token, so that it need not close the socket when the old one ends. */
  async reauth(token) {
    if (this.state.name !== "ready" || token === this.#usedToken) return;
    this.#usedToken = token;
    try {
      await this.request({ type: "reauth", token });
    } catch (error) {
      if (error.code !== "DISCONNECTED") this.#lost(LOST, "");
    }
  }

  #dial() {
    this.#release();
    this.#enter({ name: "connecting" });
    const socket = new this.#WebSocket(this.#url, ["doran.v1"]);
    this.#socket = socket;
    const current = (handle) => (event) => { if (this.#socket === socket) handle(event); };
    socket.addEventListener("message", current((event) => this.#receive(event.data)));
    socket.addEventListener("close", current((event) => this.#lost(event.code, event.reason)));
    this.#after("dial", DIAL_MS, () => this.#lost(LOST, ""));
  }

  #receive(data) {
    this.#heard += 1;
    const frame = parse(data);
    if (!frame) return;
    const waiting = this.#pending.get(frame.id);
    if (waiting) this.#answer(frame, waiting);
    else if (frame.type === "hello") this.#greet(frame);
    else if (frame.type !== "pong") this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  #answer(frame, { resolve, reject, timer }) {
    clearTimeout(timer);
    this.#pending.delete(frame.id);
    if (frame.type === "error") reject(new DoranError(frame));
    else resolve(frame);
  }

  async #greet(hello) {
    const socket = this.#socket;
    this.#hello = hello;
    try {
      this.#usedToken = await this.#token(this.#staleToken);
      if (this.#socket !== socket) return;
      await this.#ask({ type: "auth", token: this.#usedToken }, DIAL_MS);
    } catch (error) {
      if (this.#socket === socket) this.#authFailed(error);
      return;
    }
    clearTimeout(this.#timers.dial);
    this.#staleToken = undefined;
    // A server that lets us in and drops us at once must not be hammered.
    this.#after("stable", STABLE_MS, () => this.#backoff.reset());
    this.#beat();
    this.#enter({ name: "ready" });
    this.dispatchEvent(new Event("ready"));
  }

  #authFailed(error) {
    if (error.code === "TOKEN_EXPIRED") this.#lost(4003, "");
    else if (error.code === "UNAUTHENTICATED" || error.status === 401) this.#lost(4501, "");
    else this.#lost(LOST, JSON.stringify({ afterMs: error.afterMs }));
  }

  #lost(code, reason) {
    this.#release();
    const { again, afterMs, why } = verdict(code, reason);
    if (code === 4003 || code === 4501) this.#staleToken = this.#usedToken;
    if (!again) {
      this.#enter({ name: "stopped", code, why });
      return;
    }
    const waitMs = this.#backoff.next(afterMs);
    this.#enter({ name: "waiting", code, why, retryAt: Date.now() + waitMs });
    this.#after("retry", waitMs, () => this.#dial());
  }

  #ask(frame, answerMs) {
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new DoranError({ code: "TIMEOUT", retryable: true }));
      }, answerMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#socket.send(JSON.stringify({ id, ...frame }));
    });
  }

  #beat() {
    this.#after("beat", this.#hello.pingMs ?? 25_000, () => {
      this.#probe(PONG_MS);
      this.#beat();
    });
  }

  /** Any frame is a sign of life, so a busy socket is never given up for one slow pong. */
  #probe(pongMs) {
    const heard = this.#heard;
    this.#lastId += 1;
    this.#socket.send(JSON.stringify({ id: this.#lastId, type: "ping" }));
    this.#after("pong", pongMs, () => { if (this.#heard === heard) this.#lost(LOST, ""); });
  }

  /** Lets go of the socket at once: closing a dead one would take the browser minutes to report. */
  #release() {
    Object.values(this.#timers).forEach(clearTimeout);
    this.#timers = {};
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    const pending = Array.from(this.#pending.values());
    this.#pending.clear();
    for (const { reject, timer } of pending) {
      clearTimeout(timer);
      reject(new DoranError({ code: "DISCONNECTED", retryable: true }));
    }
  }

  #enter(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #after(name, ms, work) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(work, ms);
  }
}

function parse(data) {
  try {
    const frame = JSON.parse(data);
    return typeof frame?.type === "string" ? frame : null;
  } catch {
    return null;
  }
}
