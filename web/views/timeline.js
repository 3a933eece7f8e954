// The messages of the open room: keeps its place while older pages are put above, and stays at the end otherwise.

import { h, keyed, setAttribute } from "../dom.js";
import { explain } from "../errors.js";
import { rows } from "../rows.js";
import { icon } from "./icons.js";
import { createRow, updateRow } from "./message.js";

const NEAR_PX = 80;

export class TimelineView {
  #chat;
  #feed;
  #top = h("div", { class: "timeline-top" });
  #list = h("ol", { class: "messages" });
  #jump;
  #isAtEnd = true;
  #watch;
  #topWords = null;
  #loadError = null;

  #act;

  /** `onEnd()` is called when the newest message comes into view, `act(name, message, emoji)` to do something with one. */
  constructor({ chat, roomId, onEnd, act }) {
    this.#act = act;
    this.#chat = chat;
    this.roomId = roomId;
    this.#feed = chat.feed(roomId);
    this.onEnd = onEnd;
    this.scroller = h("div", { class: "timeline", tabindex: "0", role: "log", "aria-live": "off", "aria-label": "Messages",
      on: { scroll: () => this.#scrolled() } }, this.#top, this.#list);
    this.#jump = h("button", { type: "button", class: "jump", hidden: true, on: { click: () => this.toEnd() } },
      icon("down"), "Newest");
    this.element = h("div", { class: "timeline-frame" }, this.scroller, this.#jump);
    this.#watch = new ResizeObserver(() => { if (this.#isAtEnd) this.toEnd(); });
    this.#watch.observe(this.scroller);
  }

  get isAtEnd() {
    return this.#isAtEnd;
  }

  dispose() {
    this.#watch.disconnect();
  }

  toEnd() {
    this.#isAtEnd = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  update() {
    const { people, outbox, me, rooms } = this.#chat;
    const room = rooms.get(this.roomId);
    const anchor = this.#isAtEnd ? null : this.#anchor();
    if (this.#isAtEnd) this.#feed.trim();
    const { timeline, drafts, newAfter, page } = this.#feed;
    const shown = rows({ messages: timeline.messages, pending: outbox.forRoom(this.roomId), drafts: drafts.all, botId: room?.botId,
      me: me.id, newAfter });
    keyed(this.#list, shown, {
      create: (row) => createRow(row, { outbox, act: this.#act, media: this.#chat.media }),
      update: (element, row) => updateRow(element, row, { people, room }),
    });
    this.#paintTop(page, shown.length);
    setAttribute(this.scroller, "aria-busy", (page.name === "loading" || this.#feed.isLoadingBefore) && "true");
    if (this.#isAtEnd) this.toEnd();
    else if (anchor?.element.isConnected) this.scroller.scrollTop += anchor.element.offsetTop - anchor.top;
    this.#scrolled();
  }

  /** The first message in view, and where it is. */
  #anchor() {
    const { scrollTop } = this.scroller;
    const element = Array.from(this.#list.children).find((child) => child.offsetTop + child.offsetHeight > scrollTop);
    return element ? { element, top: element.offsetTop } : null;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.#isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    setAttribute(this.#jump, "hidden", this.#isAtEnd);
    if (this.#isAtEnd) this.onEnd();
    if (scrollTop < 3 * NEAR_PX && !this.#loadError) this.#loadBefore();
  }

  async #loadBefore() {
    if (this.#feed.isLoadingBefore || !this.#feed.hasBefore) return;
    this.#loadError = null;
    try {
      await this.#feed.loadBefore();
    } catch (error) {
      this.#loadError = error;
      this.update();
    }
  }

  #paintTop(page, count) {
    const { words, retry } = this.#topState(page, count);
    if (this.#topWords === words) return;
    this.#topWords = words;
    this.#top.replaceChildren(h("p", {}, words));
    if (retry) this.#top.append(h("button", { type: "button", on: { click: retry } }, "Try again"));
  }

  #topState(page, count) {
    if (page.name === "failed") return { words: explain(page.error), retry: () => this.#feed.open() };
    if (page.name !== "ready") return { words: "Loading messages…" };
    if (this.#loadError) return { words: explain(this.#loadError), retry: () => { this.#loadError = null; this.#loadBefore(); } };
    if (this.#feed.isLoadingBefore || this.#feed.hasBefore) return { words: "Loading earlier messages…" };
    return { words: count === 0 ? "No messages yet. Say hello!" : "This is where the room begins." };
  }
}
