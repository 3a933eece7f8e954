// The list of my rooms with what was said last and how much is unread.

import { h, keyed, setAttribute } from "../dom.js";
import { explain } from "../errors.js";
import { hashOf } from "../route.js";
import { avatar, paintAvatar } from "./avatar.js";
import { shortTime } from "./times.js";

export class RoomListView {
  #chat;
  #list = h("ul", { class: "rooms" });
  #note = h("div", { class: "empty" });

  constructor({ chat }) {
    this.#chat = chat;
    this.element = h("nav", { class: "room-list", "aria-label": "Rooms" }, this.#list, this.#note);
  }

  update() {
    const { rooms } = this.#chat;
    const rows = rooms.list.sorted().map((room) => ({ key: room.id, room }));
    keyed(this.#list, rows, { create: item, update: (element, { room }) => this.#paint(element, room) });
    this.#note.replaceChildren(...this.#words(rooms));
    setAttribute(this.#note, "hidden", this.#note.childNodes.length === 0);
  }

  #words({ state, list }) {
    if (state.name === "loading") return [h("p", { class: "loading" }, "Loading rooms…")];
    if (state.name === "failed") {
      return [h("p", {}, explain(state.error)),
        h("button", { type: "button", on: { click: () => this.#chat.rooms.refresh() } }, "Try again")];
    }
    return list.size > 0 ? [] : [h("p", {}, "No rooms yet. Make one and invite somebody.")];
  }

  #paint(element, room) {
    const { link, sign, name, time, last, unread } = element.parts;
    setAttribute(link, "href", hashOf(room.id));
    setAttribute(link, "aria-current", room.id === this.#chat.openId && "page");
    paintAvatar(sign, room.id, room.name);
    name.textContent = room.name;
    time.textContent = room.lastMessageAt ? shortTime(room.lastMessageAt) : "";
    last.textContent = this.#lastWords(room);
    unread.textContent = room.unreadCount > 99 ? "99+" : String(room.unreadCount || "");
    setAttribute(unread, "aria-label", room.unreadCount > 0 && `${room.unreadCount} unread`);
  }

  #lastWords({ lastMessage }) {
    if (!lastMessage) return "No messages yet";
    if (lastMessage.deleted || lastMessage.content === null) return "Message deleted";
    const { senderId, content } = lastMessage;
    return `${senderId === this.#chat.me.id ? "You" : this.#chat.people.name(senderId)}: ${content}`;
  }
}

function item() {
  const parts = {
    sign: avatar(),
    name: h("span", { class: "name", dir: "auto" }),
    time: h("span", { class: "time" }),
    last: h("span", { class: "last", dir: "auto" }),
    unread: h("span", { class: "unread", role: "img" }),
  };
  parts.link = h("a", {}, parts.sign, parts.name, parts.time, parts.last, parts.unread);
  return Object.assign(h("li", {}, parts.link), { parts });
}
