// Stand-ins for what the browser and the server give: a socket under the test's control, a room's log, storage.

export class FakeSocket extends EventTarget {
  static all = [];
  sent = [];
  isClosed = false;

  constructor(url, protocols) {
    super();
    Object.assign(this, { url, protocols });
    FakeSocket.all.push(this);
  }

  static get last() {
    return FakeSocket.all.at(-1);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.isClosed = true;
  }

  receive(frame) {
    this.dispatchEvent(new MessageEvent("message", { data: typeof frame === "string" ? frame : JSON.stringify(frame) }));
  }

  drop(code, reason = "") {
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }

  /** The newest frame of a type that the client sent. */
  frame(type) {
    return this.sent.findLast((frame) => frame.type === type);
  }

  async logIn(pingMs = 25_000) {
    this.receive({ type: "hello", version: 1, pingMs });
    await settle();
    this.receive({ id: this.frame("auth").id, type: "ok", user: {} });
    await settle();
  }
}

/** One room's log as the gateway sees it, and pages of it as a read model that may lag sees it. */
export class FakeRoom {
  epoch = "e1";
  events = [];
  lag = 0;
  resumeMax = 500;
  subscriptions = [];
  deliver = () => {};

  post(seq, text = `m${seq}`) {
    const prev = this.events.at(-1)?.seq ?? 0;
    const message = { id: `id-${seq}`, roomId: "r", seq, senderId: "other", content: text, createdAt: new Date(seq * 1000).toISOString() };
    const frame = { type: "message", roomId: "r", seq, prev, message };
    this.events.push(frame);
    return frame;
  }

  request = async (frame) => {
    this.subscriptions.push(frame.since ?? null);
    const answer = { type: "ok", roomId: "r", epoch: this.epoch, head: this.events.at(-1)?.seq ?? 0, readSeq: 0 };
    if (!frame.since) return { ...answer, complete: true };
    const missed = this.events.filter(({ seq }) => seq > frame.since.seq);
    if (frame.since.epoch !== this.epoch) return { ...answer, complete: false, reason: "epoch" };
    if (missed.length > this.resumeMax) return { ...answer, complete: false, reason: "tooFar" };
    setTimeout(() => missed.forEach((event) => this.deliver(event)), 0);
    return { ...answer, complete: true };
  };

  load = async ({ before = Infinity }) => {
    const seen = this.events.slice(0, this.events.length - this.lag).filter(({ seq }) => seq < before);
    return { items: seen.slice(-3).map(({ message }) => message), hasBefore: seen.length > 3, hasAfter: false };
  };
}

export function fakeStorage() {
  const values = new Map();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => values.set(key, value),
    removeItem: (key) => values.delete(key),
  };
}

/** Lets everything that waits on promises go on. */
export async function settle() {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
}
