// The HTTP calls this page makes, by name. Paths and bodies are contract.md §2 to §5.

const LIST_SIZE = 100;
const MOST_LIST_PAGES = 5;

export class Api {
  #http;

  constructor(http) {
    this.#http = http;
  }

  register(person, key) {
    return this.#http.command("POST", "/api/users", { body: person, key, anonymous: true });
  }

  logIn(credentials) {
    return this.#http.command("POST", "/api/auth/login", { body: credentials, anonymous: true });
  }

  refresh(refreshToken) {
    return this.#http.command("POST", "/api/auth/refresh", { body: { refreshToken }, anonymous: true });
  }

  requestReset(email, key) {
    return this.#http.command("POST", "/api/auth/password/reset/request", { body: { email }, key, anonymous: true });
  }

  executeReset(token, newPassword, key) {
    return this.#http.command("POST", "/api/auth/password/reset/execute", { body: { token, newPassword }, key, anonymous: true });
  }

  logOut() {
    return this.#http.command("POST", "/api/auth/logout", { body: {} });
  }

  user(userId) {
    return this.#http.get(`/api/users/${userId}`);
  }

  /** By name, initial consonants, or a whole e-mail address. */
  async searchUsers(q, { signal } = {}) {
    const found = await this.#http.get("/api/users/search", { q, limit: 20 }, { signal });
    return items(found);
  }

  rooms() {
    return this.#all("/api/chat/rooms");
  }

  room(roomId) {
    return this.#http.get(`/api/chat/rooms/${roomId}`);
  }

  createRoom(room, key) {
    return this.#http.command("POST", "/api/chat/rooms", { body: room, key });
  }

  renameRoom(roomId, name, key) {
    return this.#http.command("PATCH", `/api/chat/rooms/${roomId}`, { body: { name }, key });
  }

  leaveRoom(roomId) {
    return this.#http.command("POST", `/api/chat/rooms/${roomId}/leave`, { body: {} });
  }

  /** The bots that one can have a room with. */
  async bots() {
    return items(await this.#http.get("/api/chat/bots/public"));
  }

  members(roomId) {
    return this.#all(`/api/chat/rooms/${roomId}/members`);
  }

  addMembers(roomId, userIds, key) {
    return this.#http.command("POST", `/api/chat/rooms/${roomId}/members`, { body: { userIds }, key });
  }

  removeMember(roomId, userId) {
    return this.#http.command("DELETE", `/api/chat/rooms/${roomId}/members/${userId}`);
  }

  /** The newest page, or the one before the sequence `before`: `{items, hasBefore, hasAfter, head}`. */
  messages(roomId, { before, limit }) {
    return this.#http.get(`/api/chat/rooms/${roomId}/messages`, { before, limit });
  }

  markRead(roomId, seq) {
    return this.#http.command("PUT", `/api/chat/rooms/${roomId}/read`, { body: { seq } });
  }

  /** Newest first: `{items, nextCursor}`. */
  bookmarks(cursor) {
    return this.#http.get("/api/store/bookmarks", { limit: 50, cursor });
  }

  saveBookmark({ id: messageId, roomId }) {
    return this.#http.command("POST", "/api/store/bookmarks", { body: { messageId, roomId } });
  }

  removeBookmark(bookmarkId) {
    return this.#http.command("DELETE", `/api/store/bookmarks/${bookmarkId}`);
  }

  /** The bytes of a file or a thumbnail. */
  blob(path) {
    return this.#http.blob(path);
  }

  async #all(path) {
    const all = [];
    let cursor;
    for (let page = 0; page < MOST_LIST_PAGES; page += 1) {
      const answer = await this.#http.get(path, { limit: LIST_SIZE, cursor });
      all.push(...items(answer));
      cursor = answer?.nextCursor;
      if (!cursor) break;
    }
    return all;
  }
}

function items(answer) {
  return Array.isArray(answer) ? answer : (answer?.items ?? []);
}
