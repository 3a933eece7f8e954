// The open room: its head, messages, composer and members.

import { Attachments } from "../attachments.js";
import { h, coalesced, setAttribute } from "../dom.js";
import { explain } from "../errors.js";
import { hashOf } from "../route.js";
import { Composer } from "./composer.js";
import { confirmDialog } from "./dialog.js";
import { icon } from "./icons.js";
import { MembersPanel } from "./members.js";
import { show } from "./notices.js";
import { TimelineView } from "./timeline.js";

export class RoomView {
  #chat;
  #api;
  #roomId;
  #off = new AbortController();
  #title = h("h2", { dir: "auto" });
  #count = h("span");
  #membersButton;
  #panel;
  #timeline;
  #composer;
  #attachments;

  constructor({ chat, api, roomId }) {
    this.#chat = chat;
    this.#api = api;
    this.#roomId = roomId;
    this.#timeline = new TimelineView({ chat, roomId, onEnd: () => this.#seen(),
      act: (...what) => this.#act(...what) });
    this.#attachments = new Attachments({ upload: chat.upload });
    this.#composer = new Composer({ draftKey: `doran.draft.${chat.me.id}.${roomId}`, attachments: this.#attachments,
      send: (text, about) => this.#send(text, about) });
    this.#panel = new MembersPanel({ chat, api, roomId, close: () => this.#showMembers(false) });
    this.#membersButton = h("button", { type: "button", class: "quiet", "aria-expanded": "false", "aria-controls": "members-panel",
      on: { click: () => this.#showMembers(this.#panel.element.hidden) } },
    icon("people"), h("span", { class: "visually-hidden" }, "Members"), this.#count);
    const head = h("header", { class: "room-head" },
      h("a", { class: "back", href: hashOf(null), "aria-label": "Back to the rooms" }, icon("back")), this.#title, this.#membersButton);
    this.element = h("div", { class: "room" },
      h("section", { class: "room-main", "aria-label": "Room" }, head, this.#timeline.element, this.#composer.element),
      this.#panel.element);
    this.#listen();
    this.update();
    chat.open(roomId);
  }

  focus() {
    this.#composer.focus();
  }

  dispose() {
    this.#off.abort();
    this.#timeline.dispose();
    this.#chat.isAttended = false;
  }

  #listen() {
    const { signal } = this.#off;
    const update = coalesced(() => { if (!signal.aborted) this.update(); });
    const mine = ({ detail }) => { if (detail === this.#roomId) update(); };
    this.#chat.addEventListener("room", mine, { signal });
    this.#chat.members.addEventListener("change", mine, { signal });
    this.#chat.people.addEventListener("change", update, { signal });
    this.#chat.rooms.addEventListener("change", update, { signal });
    for (const type of ["focus", "blur"]) window.addEventListener(type, () => this.#seen(), { signal });
    document.addEventListener("visibilitychange", () => this.#seen(), { signal });
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) this.#showMembers(false);
    }, { signal });
  }

  update() {
    const room = this.#chat.rooms.get(this.#roomId);
    this.#title.textContent = room?.name ?? "";
    this.#count.textContent = room ? String(room.memberCount ?? "") : "";
    this.#composer.close(closedWords(room));
    this.#timeline.update();
    this.#panel.update();
  }

  #send(text, about) {
    if (about?.name === "edit") {
      this.#chat.change(about.message, { type: "edit", content: text });
      return;
    }
    this.#timeline.toEnd();
    const files = this.#attachments.take();
    // A message says something; one of nothing but files says their names.
    const content = text.trim() === "" ? files.map(({ name }) => name).join(", ") : text;
    this.#chat.outbox.add(this.#roomId, content, about?.message.id, files);
  }

  #act(name, message, emoji) {
    if (name === "react" || name === "unreact") this.#chat.change(message, { type: name, emoji });
    else if (name === "keep") this.#keep(message);
    else if (name === "edit") this.#composer.begin(name, message, "Editing your message");
    else if (name === "reply") this.#composer.begin(name, message, `Reply to ${this.#chat.people.name(message.senderId)}: ${message.content}`);
    else if (name === "delete") {
      const action = () => this.#chat.change(message, { type: "delete" });
      confirmDialog({ title: "Delete message", text: "What it says is gone for everybody.", submit: "Delete", action });
    }
  }

  async #keep(message) {
    try {
      await this.#api.saveBookmark(message);
      show("Kept among your bookmarks.");
    } catch (error) {
      show(explain(error));
    }
  }

  #seen() {
    this.#chat.appear(document.visibilityState === "visible" ? "online" : "away");
    this.#chat.isAttended = document.visibilityState === "visible" && document.hasFocus() && this.#timeline.isAtEnd;
    if (this.#chat.isAttended) this.#chat.markRead(this.#roomId);
  }

  #showMembers(isShown) {
    const { element } = this.#panel;
    if (element.hidden === !isShown) return;
    setAttribute(element, "hidden", !isShown);
    this.#membersButton.setAttribute("aria-expanded", String(isShown));
    if (isShown) element.querySelector("button").focus();
    else this.#membersButton.focus();
  }
}

function closedWords(room) {
  if (!room || room.status === undefined || room.status === "active") return null;
  return room.status === "archived" ? "This room is archived." : "This room is closed for writing.";
}
