// The panel beside a room: who is in it, and what my role lets me do.

import { h, keyed, setAttribute } from "../dom.js";
import { explain } from "../errors.js";
import { nameOf } from "../people.js";
import { avatar, paintAvatar } from "./avatar.js";
import { icon } from "./icons.js";
import { inviteDialog, leaveDialog, removeDialog, renameDialog } from "./room-dialogs.js";

const PRESENCE = { online: "online", away: "away", offline: "offline" };
const KEEPERS = new Set(["owner", "admin"]);

export class MembersPanel {
  #chat;
  #roomId;
  #list = h("ul", { class: "members" });
  #note = h("p", { class: "empty" });
  #keeping;
  #leaving;

  constructor({ chat, api, roomId, close }) {
    this.#chat = chat;
    this.#roomId = roomId;
    const open = (dialog) => () => dialog({ chat, api, room: chat.rooms.get(roomId) });
    const button = (text, dialog, kind = "") => h("button", { type: "button", class: kind, on: { click: open(dialog) } }, text);
    this.#keeping = h("div", { class: "buttons" }, button("Invite people", inviteDialog, "primary"), button("Rename", renameDialog));
    this.#leaving = h("footer", {}, button("Leave room", leaveDialog, "danger"));
    this.element = h("aside", { class: "panel", id: "members-panel", hidden: true, "aria-label": "Members" },
      h("header", {}, h("h2", {}, "Members"),
        h("button", { type: "button", class: "quiet round", "aria-label": "Close members", on: { click: close } }, icon("close"))),
      this.#keeping, this.#list, this.#note,
      this.#leaving);
  }

  update() {
    const room = this.#chat.rooms.get(this.#roomId);
    const { items, error } = this.#chat.members.of(this.#roomId);
    const isKeeper = KEEPERS.has(room?.role);
    setAttribute(this.#keeping, "hidden", !isKeeper);
    setAttribute(this.#leaving, "hidden", room?.role === "owner");
    const rows = (items ?? []).map((member) => ({ key: member.userId, member }));
    keyed(this.#list, rows, { create: item, update: (element, { member }) => this.#paint(element, member, room, isKeeper) });
    this.#note.textContent = this.#words(items, error, room);
    setAttribute(this.#note, "hidden", this.#note.textContent === "");
  }

  #words(items, error, room) {
    if (error) return explain(error);
    if (!items) return "Loading members…";
    const more = (room?.memberCount ?? 0) - items.length;
    return more > 0 && items.length >= 100 ? `and ${more} more` : "";
  }

  #paint(element, member, room, isKeeper) {
    const { sign, name, here, role, remove } = element.parts;
    const isMe = member.userId === this.#chat.me.id;
    const text = nameOf(member) || this.#chat.people.name(member.userId);
    paintAvatar(sign, member.userId, text);
    name.textContent = isMe ? `${text} (you)` : text;
    const presence = isMe ? "online" : member.presence;
    setAttribute(element, "data-presence", presence);
    here.textContent = PRESENCE[presence] ?? "";
    role.textContent = member.role === "member" ? "" : member.role;
    setAttribute(remove, "hidden", !isKeeper || isMe || member.role === "owner");
    setAttribute(remove, "aria-label", `Remove ${text}`);
    remove.onclick = () => removeDialog({ chat: this.#chat, room, member: { ...member, name: text } });
  }
}

function item() {
  const parts = {
    sign: avatar(),
    name: h("span", { class: "name", dir: "auto" }),
    here: h("span", { class: "visually-hidden" }),
    role: h("span", { class: "role" }),
    remove: h("button", { type: "button", class: "quiet small" }, "Remove"),
  };
  return Object.assign(h("li", {}, parts.sign, parts.name, parts.here, parts.role, parts.remove), { parts });
}
