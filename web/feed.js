// One room, live: subscribed with a cursor, its timeline gapless from the loaded pages up to now.
//
// Pages come from a read model and events from the log, so a page may end before the subscription began. The feed then
// subscribes once more, since the end of the page: the server fills the gap or says that it cannot.

import { Cursor } from "./cursor.js";
import { Drafts } from "./drafts.js";
import { Timeline } from "./timeline.js";
import { Backoff } from "./reconnect.js";

const TRIES = 6;
const MOST_KEPT = 600;
const GONE = new Set(["NOT_MEMBER", "FORBIDDEN", "NOT_FOUND"]);

export class Feed extends EventTarget {
  /** `{name: "closed"|"loading"|"ready"|"failed", error?}` */
  page = { name: "closed" };
  timeline = new Timeline();
  drafts = new Drafts({ changed: () => this.#changed() });
  hasBefore = false;
  isLoadingBefore = false;
  isLive = false;
  readSeq = null;
  /** Where the line above new messages was drawn when the room was opened. */
  newAfter = null;
  #roomId;
  #request;
  #load;
  #cursor = null;
  /** Events after this sequence have gone into the timeline. */
  #keptFrom = null;
  /** The newest page is as the room was after this sequence. */
  #pageEnd = 0;
  /** Changes of messages that came while the page with those messages was loading. */
  #held = [];
  #me;
  #following = null;
  #resets = new Backoff({ firstMs: 100, capMs: 30_000 });

  /** `request(frame)` asks the socket, `load({before})` gives a page. Events: `change`, `gone` (detail: code). */
  constructor({ roomId, request, load, me = null }) {
    super();
    this.#roomId = roomId;
    this.#request = request;
    this.#load = load;
    this.#me = me;
  }

  /** Subscribes from where the room is known; called again for every new connection and after a hole. */
  follow() {
    this.#following ??= this.#follow()
      .finally(() => { this.#following = null; })
      .then(() => this.#closeGap());
    return this.#following;
  }

  /** What is known may have a hole that nobody can name: begin anew with the next subscription. */
  forget() {
    if (!this.#cursor) return;
    this.#cursor = null;
    if (this.page.name !== "closed") this.#reload();
  }

  /** Starts to keep messages and loads the newest page; called again it tries a failed page again. */
  async open() {
    if (this.page.name === "loading" || this.page.name === "ready") return;
    if (this.page.name === "closed") this.#keptFrom = this.#cursor?.seq ?? null;
    await this.#loadNewest();
  }

  /** Scrolls back by one page. Rejects when it cannot be had, and can then be tried again. */
  async loadBefore() {
    if (this.isLoadingBefore || !this.hasBefore || this.page.name !== "ready") return;
    const { timeline } = this;
    this.isLoadingBefore = true;
    this.#changed();
    try {
      const page = await this.#load({ before: timeline.firstSeq });
      timeline.merge(page.items);
      if (timeline === this.timeline) this.hasBefore = page.hasBefore;
    } finally {
      this.isLoadingBefore = false;
      this.#changed();
    }
  }

  /** Lets go of old messages, which can be loaded again, when nobody looks at them and they have become many. */
  trim() {
    if (this.timeline.messages.length < MOST_KEPT || this.page.name !== "ready" || this.isLoadingBefore) return;
    this.timeline.trim(MOST_KEPT / 2);
    this.hasBefore = true;
  }

  /** Takes an event frame of this room, in whatever order frames come. */
  take(frame) {
    const isBehindHole = this.#cursor?.take(frame.seq, frame.prev) === "hole";
    if (isBehindHole) this.follow();
    if (this.page.name === "closed") return;
    // A change that lies behind a hole comes again, in its order.
    if (isBehindHole && frame.type !== "message") return;
    if (this.page.name === "loading" && frame.type !== "message") this.#held.push(frame);
    else this.#apply(frame);
    this.#changed();
  }

  /** Takes a piece of what a bot is writing: a hint, which may be lost or come after the message. */
  hint(delta) {
    if (this.page.name === "closed" || this.timeline.get(delta.messageId)) return;
    this.drafts.take(delta);
    this.#changed();
  }

  caughtUp(seq) {
    this.#cursor?.reach(seq);
  }

  /** Takes what an ack says is in the log. */
  confirm(message) {
    if (this.page.name === "closed") return;
    this.timeline.merge([message]);
    this.#changed();
  }

  async #follow() {
    const backoff = new Backoff();
    this.isLive = false;
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      try {
        await this.#subscribe();
        this.isLive = true;
        return;
      } catch (error) {
        if (GONE.has(error.code)) this.dispatchEvent(new CustomEvent("gone", { detail: error.code }));
        const isForNextConnection = error.code === "DISCONNECTED" || error.code === "OFFLINE";
        if (isForNextConnection || !error.retryable) return;
        await sleep(backoff.next(error.afterMs ?? 0));
      }
    }
  }

  async #subscribe() {
    const since = this.#cursor?.since;
    const answer = await this.#ask(since);
    if (since && answer.complete !== false) {
      this.#resets.reset();
      return;
    }
    const fresh = since ? await this.#ask() : answer;
    this.#cursor = new Cursor(fresh.epoch, fresh.head);
    this.#keptFrom = this.#cursor.seq;
    // What was loaded before ends at a gap, or belongs to another log.
    if (since && this.page.name !== "closed") this.#reload();
  }

  async #ask(since) {
    const answer = await this.#request({ type: "subscribe", roomId: this.#roomId, ...(since && { since }) });
    this.readSeq = answer.readSeq ?? this.readSeq;
    return answer;
  }

  async #reload() {
    const timeline = new Timeline();
    this.timeline = timeline;
    this.#held = [];
    this.#enter({ name: "loading" });
    // A read model that is far behind gives the same page again: do not ask it in a tight loop.
    await sleep(this.#resets.next());
    if (timeline === this.timeline) await this.#loadNewest();
  }

  async #loadNewest() {
    const { timeline } = this;
    this.#enter({ name: "loading" });
    try {
      const page = await this.#load({});
      if (timeline !== this.timeline) return;
      timeline.merge(page.items);
      this.hasBefore = page.hasBefore;
      this.#pageEnd = page.head ?? page.items.at(-1)?.seq ?? 0;
      this.#held.splice(0).forEach((frame) => this.#apply(frame));
      this.#enter({ name: "ready" });
      this.#closeGap();
    } catch (error) {
      if (timeline === this.timeline) this.#enter({ name: "failed", error });
    }
  }

  #closeGap() {
    if (this.#following || this.page.name !== "ready" || !this.#cursor) return;
    if (this.#keptFrom <= this.#pageEnd) return;
    this.#keptFrom = this.#pageEnd;
    this.#cursor.rewind(this.#pageEnd);
    this.follow();
  }

  #apply({ type, seq, message, messageId = message?.id, content, editedAt, emoji, userId, on }) {
    if (type === "message") {
      this.timeline.merge([{ ...message, seq }]);
      this.drafts.drop(messageId);
    }
    // The page was loaded after that and shows it.
    else if (seq <= this.#pageEnd) return;
    if (type === "messageEdited") this.timeline.edit(messageId, withoutSeq(message) ?? { content, editedAt });
    if (type === "messageDeleted") this.timeline.edit(messageId, { deleted: true, content: "", attachments: [], reactions: [], pinned: false });
    if (type === "reaction") this.timeline.react(messageId, { seq, emoji, userId, on, isMine: userId === this.#me });
    if (type === "pinned") this.timeline.edit(messageId, { pinned: on });
  }

  #enter(page) {
    this.page = page;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** An edit has a place of its own in the log, the message keeps its first one. */
function withoutSeq(message) {
  if (!message) return null;
  const { seq: _, ...rest } = message;
  return rest;
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
