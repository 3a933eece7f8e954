// My rooms: asked for at the start, on every connection and now and then, and changed by my own commands.
// Live frames only make it look sooner, so a lost frame costs freshness and nothing else.

import { RoomList } from "./room-list.js";

const REFRESH_MS = 30_000;
const AGAIN_MS = 5_000;
const FIND_TRIES = 5;

export class MyRooms extends EventTarget {
  /** `{name: "loading"|"ready"|"failed", error?}` */
  state = { name: "loading" };
  list = new RoomList();
  #api;
  #timer = null;
  #isStopped = false;

  /** Events: `change`, `listed` (there may be rooms that were not known before), `gone` (detail: the room). */
  constructor({ api }) {
    super();
    this.#api = api;
  }

  get(roomId) {
    return this.list.get(roomId);
  }

  async refresh() {
    clearTimeout(this.#timer);
    try {
      this.list.replaceAll(await this.#api.rooms());
      this.state = { name: "ready" };
    } catch (error) {
      if (this.state.name !== "ready") this.state = { name: "failed", error };
    }
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.refresh(), this.state.name === "ready" ? REFRESH_MS : AGAIN_MS);
    this.#listed();
  }

  stop() {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async create(room, key) {
    const created = await this.#api.createRoom(room, key);
    this.list.put(created);
    this.#listed();
    return created;
  }

  async rename(roomId, name, key) {
    this.list.change(roomId, await this.#api.renameRoom(roomId, name, key));
    this.changed();
  }

  async leave(roomId) {
    await this.#api.leaveRoom(roomId);
    this.drop(roomId);
  }

  drop(roomId) {
    const room = this.list.get(roomId);
    if (!this.list.remove(roomId)) return;
    this.changed();
    this.dispatchEvent(new CustomEvent("gone", { detail: room }));
  }

  /** Looks for a room that a frame told of: the frame can be here before the read model knows of it. */
  async find(roomId) {
    for (let attempt = 0; attempt < FIND_TRIES; attempt += 1) {
      try {
        this.list.put(await this.#api.room(roomId));
        this.#listed();
        return;
      } catch (error) {
        if (error.status !== 404 && error.status !== 403) return; // the next refresh brings it
        await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt));
      }
    }
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  #listed() {
    this.dispatchEvent(new Event("listed"));
    this.changed();
  }
}

/** A room with a bot is of another kind; an empty field means none. */
export function roomOf({ name, botId }, memberIds) {
  return botId ? { name, kind: "bot", botId, memberIds } : { name, memberIds };
}
