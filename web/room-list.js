// My rooms as the list shows them: the read model's answer, kept fresh by what is heard live. Pure.

const LIVE = ["name", "description", "visibility", "ownerId", "settings", "memberCount", "status", "updatedAt"];

/** Two people alone need not name their room. */
const NAMELESS = "Just the two of you";

export class RoomList {
  #rooms = new Map();

  get size() {
    return this.#rooms.size;
  }

  get unread() {
    return this.sorted().reduce((sum, room) => sum + room.unreadCount, 0);
  }

  get(roomId) {
    return this.#rooms.get(roomId) ?? null;
  }

  sorted() {
    return Array.from(this.#rooms.values()).sort((a, b) => newest(b).localeCompare(newest(a)));
  }

  replaceAll(rooms) {
    const known = this.#rooms;
    this.#rooms = new Map(rooms.map((room) => [room.id, merged(known.get(room.id), room)]));
  }

  put(room) {
    this.#rooms.set(room.id, merged(this.#rooms.get(room.id), room));
  }

  remove(roomId) {
    return this.#rooms.delete(roomId);
  }

  /** What a `room` frame may change: it goes to everybody, so my role and my counts are not in it. */
  change(roomId, room) {
    const known = this.#rooms.get(roomId);
    if (!known) return;
    for (const field of LIVE) if (room[field] != null) known[field] = room[field];
  }

  /** Whether it is news: pages and replays bring what the list already counts. */
  hear(message, { isMine, isSeen }) {
    const room = this.#rooms.get(message.roomId);
    if (!room || message.createdAt <= (room.lastMessageAt ?? "")) return false;
    room.lastMessage = message;
    room.lastMessageAt = message.createdAt;
    if (isMine || isSeen) room.unreadCount = 0;
    else room.unreadCount += 1;
    return true;
  }

  count(roomId, unreadCount) {
    const room = this.#rooms.get(roomId);
    if (room) room.unreadCount = unreadCount;
  }
}

/** The read model may lag behind the socket: what was heard later stays. */
function merged(known, room) {
  const fresh = { ...room, name: room.name || NAMELESS, unreadCount: room.unreadCount ?? 0 };
  if (!known || (known.lastMessageAt ?? "") <= (room.lastMessageAt ?? "")) return fresh;
  const { lastMessage, lastMessageAt, unreadCount } = known;
  return { ...fresh, lastMessage, lastMessageAt, unreadCount };
}

function newest(room) {
  return room.lastMessageAt ?? room.createdAt ?? "";
}
