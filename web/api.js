// The calls that this page makes, by what they are for.

import { Client } from "./client.js";

const LIST_SIZE = 100;
const MOST_LIST_PAGES = 5;

export class Api {
  #http;
  #client;

  constructor(http) {
    this.#http = http;
    this.#client = new Client(http);
  }

  register(person, key) {
    return this.#call("register", { body: person, key, anonymous: true });
  }

  logIn(credentials) {
    return this.#call("logIn", { body: credentials, anonymous: true });
  }

  refresh(refreshToken) {
    return this.#call("refresh", { body: { refreshToken }, anonymous: true });
  }

  requestReset(email, key) {
    return this.#call("requestReset", { body: { email }, key, anonymous: true });
  }

  executeReset(token, newPassword, key) {
    return this.#call("executeReset", { body: { token, newPassword }, key, anonymous: true });
  }

  logOut() {
    return this.#call("logOut");
  }

  user(userId) {
    return this.#call("getUser", { path: { id: userId } });
  }

  /** By name, initial consonants, or a whole e-mail address. */
  async searchUsers(q, { signal } = {}) {
    const found = await this.#call("searchUsers", { query: { q, limit: 20 }, signal });
    return found.items;
  }

  rooms() {
    return this.#all("listRooms");
  }

  room(roomId) {
    return this.#call("getRoom", { path: { id: roomId } });
  }

  createRoom(room, key) {
    return this.#call("createRoom", { body: room, key });
  }

  renameRoom(roomId, name, key) {
    return this.#call("changeRoom", { path: { id: roomId }, body: { name }, key });
  }

  leaveRoom(roomId) {
    return this.#call("leaveRoom", { path: { id: roomId } });
  }

  /** The bots that one can have a room with. */
  async bots() {
    const found = await this.#call("publicBots");
    return found.items;
  }

  members(roomId) {
    return this.#all("listMembers", { id: roomId });
  }

  addMembers(roomId, userIds, key) {
    return this.#call("addMembers", { path: { id: roomId }, body: { userIds }, key });
  }

  removeMember(roomId, userId) {
    return this.#call("removeMember", { path: { id: roomId, user: userId } });
  }

  /** The newest page, or the one before the sequence `before`: `{items, hasBefore, hasAfter, head}`. */
  messages(roomId, { before, limit }) {
    return this.#call("history", { path: { id: roomId }, query: { before, limit } });
  }

  markRead(roomId, seq) {
    return this.#call("moveReadMarker", { path: { id: roomId }, body: { seq } });
  }

  /** Newest first: `{items, nextCursor}`. */
  bookmarks(cursor) {
    return this.#call("listBookmarks", { query: { limit: 50, cursor } });
  }

  saveBookmark({ id: messageId, roomId }) {
    return this.#call("saveBookmark", { body: { messageId, roomId } });
  }

  removeBookmark(bookmarkId) {
    return this.#call("removeBookmark", { path: { id: bookmarkId } });
  }

  /** The bytes of a file or a thumbnail. */
  blob(path) {
    return this.#http.blob(path);
  }

  #call(name, given = {}) {
    return this.#client.call(name, given);
  }

  async #all(name, path = {}) {
    const all = [];
    let cursor;
    for (let page = 0; page < MOST_LIST_PAGES; page += 1) {
      const answer = await this.#call(name, { path, query: { limit: LIST_SIZE, cursor } });
      all.push(...answer.items);
      cursor = answer.nextCursor;
      if (!cursor) break;
    }
    return all;
  }
}
