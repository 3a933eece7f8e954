// The frame of the page once somebody is logged in: rooms on one side, the open room on the other.

import { h, coalesced } from "../dom.js";
import { hashOf, roomInHash } from "../route.js";
import { bookmarksDialog } from "./bookmarks.js";
import { connection } from "./connection.js";
import { icon } from "./icons.js";
import { announce, say, show } from "./notices.js";
import { newRoomDialog } from "./room-dialogs.js";
import { RoomListView } from "./room-list.js";
import { RoomView } from "./room.js";

export class Shell {
  #chat;
  #api;
  #off = new AbortController();
  #stage = h("main", { class: "stage" });
  #rooms;
  #room = null;

  constructor({ chat, api, logOut }) {
    this.#chat = chat;
    this.#api = api;
    this.#rooms = new RoomListView({ chat });
    const { line, bar } = connection({ socket: chat.socket, signal: this.#off.signal });
    const make = h("button", { type: "button", class: "primary", on: { click: () => newRoomDialog({ chat, api }) } }, icon("plus"), "New room");
    const leave = h("button", { type: "button", class: "quiet round", "aria-label": "Log out", title: "Log out", on: { click: logOut } }, icon("exit"));
    const kept = h("button", { type: "button", class: "quiet round", "aria-label": "Bookmarks", title: "Bookmarks",
      on: { click: () => bookmarksDialog({ chat, api }) } }, icon("mark"));
    const side = h("div", { class: "side" },
      h("header", {}, h("h1", { class: "wordmark" }, "DoranDoran"), make),
      this.#rooms.element,
      h("footer", {}, h("div", {}, h("p", { class: "name", dir: "auto" }, chat.people.name(chat.me.id)), line), kept, leave));
    this.element = h("div", { class: "app" }, bar, h("div", { class: "shell" }, side, this.#stage));
    this.#listen();
    this.#route();
    this.#update();
  }

  dispose() {
    this.#off.abort();
    this.#room?.dispose();
    document.title = "DoranDoran";
  }

  #listen() {
    const { signal } = this.#off;
    const update = coalesced(() => { if (!signal.aborted) this.#update(); });
    window.addEventListener("hashchange", () => this.#route(), { signal });
    this.#chat.rooms.addEventListener("change", update, { signal });
    this.#chat.people.addEventListener("change", update, { signal });
    this.#chat.rooms.addEventListener("gone", ({ detail }) => this.#gone(detail), { signal });
    this.#chat.addEventListener("message", ({ detail }) => this.#heard(detail), { signal });
    this.#chat.addEventListener("notice", ({ detail: { type, message } }) => {
      const tell = type === "notice" ? announce : show;
      if (message) tell(message);
    }, { signal });
  }

  #update() {
    const { unread } = this.#chat.rooms.list;
    document.title = unread > 0 ? `(${unread}) DoranDoran` : "DoranDoran";
    this.#rooms.update();
    // A link to a room can only be followed once it is known which rooms are mine.
    if (!this.#room) this.#route();
  }

  #route() {
    const roomId = roomInHash(location.hash);
    if (this.#room && this.#room.id === roomId) return;
    this.#room?.dispose();
    this.#room = null;
    this.element.dataset.pane = roomId ? "room" : "rooms";
    const { rooms } = this.#chat;
    // Without the list a room can still be talked in.
    if (roomId && (rooms.get(roomId) || rooms.state.name === "failed")) this.#show(roomId);
    else this.#empty(roomId);
  }

  #show(roomId) {
    this.#room = Object.assign(new RoomView({ chat: this.#chat, api: this.#api, roomId }), { id: roomId });
    this.#stage.replaceChildren(this.#room.element);
    this.#room.focus();
  }

  #empty(roomId) {
    if (this.#chat.openId) this.#chat.open(null);
    const isLoading = this.#chat.rooms.state.name === "loading";
    const text = !roomId ? "Choose a room, or make a new one."
      : isLoading ? "Loading…" : "This room is not among yours. Ask somebody in it to invite you.";
    const back = roomId && !isLoading && h("p", {}, h("a", { href: hashOf(null) }, "Back to the rooms"));
    this.#stage.replaceChildren(h("div", { class: "empty" }, h("p", {}, text), back));
  }

  #gone(room) {
    if (roomInHash(location.hash) !== room.id) return;
    show(`You are not in ${room.name} any more.`);
    location.hash = hashOf(null);
  }

  async #heard(message) {
    const { people, rooms, openId } = this.#chat;
    const where = message.roomId === openId ? "" : ` in ${rooms.get(message.roomId)?.name}`;
    say(`${await people.find(message.senderId)}${where}: ${(message.content ?? "").slice(0, 200)}`);
  }
}
