// What the page shows, kept in step with the socket: my rooms, their feeds, what is on its way out. No DOM.

import { explain } from "./errors.js";
import { Feed } from "./feed.js";
import { Media } from "./media.js";
import { Members } from "./members.js";
import { MyRooms } from "./my-rooms.js";
import { Outbox } from "./outbox.js";
import { Pages } from "./pages.js";
import { People } from "./people.js";

const FOLLOWED = 50;
const RESYNC = 4005;
const EVENTS = new Set(["message", "messageEdited", "messageDeleted", "reaction", "pinned"]);
const GONE = new Set(["left", "removed", "banned"]);

export class Chat extends EventTarget {
  openId = null;
  /** Whether somebody is looking at the open room right now. */
  isAttended = false;
  /** `[{id, name, picture}]`, as far as they are known. */
  bots = [];
  #appearance = "online";
  #api;
  #pages;
  #feeds = new Map();
  #read = new Map();
  #off = new AbortController();

  /** Events: `room` (detail: roomId), `message` (detail: one of somebody else), `notice` (detail: the frame). */
  constructor({ api, socket, user, storage = sessionStorage, upload = null }) {
    super();
    this.#api = api;
    this.upload = upload;
    this.media = new Media({ fetch: (path) => api.blob(path) });
    this.socket = socket;
    this.me = user;
    this.#pages = new Pages({ api, socket });
    this.rooms = new MyRooms({ api });
    this.people = new People({ lookUp: (userId) => api.user(userId) });
    this.people.learn([user]);
    this.members = new Members({ api, people: this.people });
    this.outbox = new Outbox({ send: (entry) => this.#send(entry), storage, key: `doran.outbox.${user.id}` });
  }

  start() {
    const { signal } = this.#off;
    const on = (target, type, handle) => target.addEventListener(type, ({ detail }) => handle(detail), { signal });
    on(this.socket, "ready", () => this.#connected());
    on(this.socket, "state", (state) => this.#stateChanged(state));
    on(this.socket, "frame", (frame) => this.#receive(frame));
    on(this.rooms, "listed", () => this.#followRooms());
    on(this.rooms, "gone", ({ id }) => this.#feeds.delete(id));
    on(this.outbox, "change", (roomId) => this.#emit("room", roomId));
    on(this.outbox, "sent", (sent) => this.#sent(sent));
    this.socket.start();
    this.rooms.refresh();
    // Without them bots go without their names, and none is offered for a new room.
    this.#api.bots().then((bots) => { this.bots = bots; this.people.learn(bots); }, () => {});
  }

  /** How this socket makes me look: `online` or `away`. */
  appear(state) {
    if (this.#appearance === state) return;
    this.#appearance = state;
    this.#sayAppearance();
  }

  stop() {
    this.#off.abort();
    this.rooms.stop();
    this.socket.stop();
  }

  async open(roomId) {
    this.openId = roomId;
    this.rooms.changed();
    if (!roomId) return;
    this.members.load(roomId);
    const feed = this.feed(roomId);
    feed.newAfter = null;
    const read = this.#read.get(roomId) ?? 0;
    await Promise.all([feed.open(), this.#follow(feed)]);
    feed.newAfter = newAfter(feed, read, this.me.id);
    this.#emit("room", roomId);
  }

  feed(roomId) {
    if (!this.#feeds.has(roomId)) this.#feeds.set(roomId, this.#newFeed(roomId));
    return this.#feeds.get(roomId);
  }

  /** Everything up to the newest message has been seen. */
  markRead(roomId) {
    const feed = this.feed(roomId);
    const seq = feed.timeline.lastSeq;
    if (seq <= Math.max(this.#read.get(roomId) ?? 0, feed.readSeq ?? 0)) return;
    this.#read.set(roomId, seq);
    this.rooms.list.count(roomId, 0);
    this.rooms.changed();
    // Only a hint for other devices; the next mark says the same and more.
    this.#api.markRead(roomId, seq).catch(() => {});
  }

  /** `change` is a frame without its message: `{type: "edit", content}`, `{type: "react", emoji}`. What comes of it is told live. */
  async change({ roomId, id: messageId }, change) {
    try {
      await this.socket.request({ ...change, roomId, messageId });
    } catch (error) {
      this.#emit("notice", { message: explain(error) });
    }
  }

  #newFeed(roomId) {
    const feed = new Feed({
      roomId,
      request: (frame) => this.socket.request(frame),
      load: (where) => this.#pages.load(roomId, where),
      me: this.me.id,
    });
    feed.addEventListener("change", () => this.#emit("room", roomId));
    feed.addEventListener("gone", () => this.rooms.drop(roomId));
    return feed;
  }

  #stateChanged({ name, code }) {
    if (name !== "ready") this.outbox.offline();
    // The server has missed something and cannot say what.
    if (name === "waiting" && code === RESYNC) for (const feed of this.#feeds.values()) feed.forget();
  }

  #connected() {
    for (const feed of this.#feeds.values()) feed.isLive = false;
    this.#followRooms();
    this.outbox.online();
    this.rooms.refresh();
    if (this.#appearance !== "online") this.#sayAppearance();
    if (this.openId) this.members.load(this.openId);
  }

  /** Only a hint for others; the next socket says it again. */
  #sayAppearance() {
    if (this.socket.state.name !== "ready") return;
    this.socket.request({ type: "presence", state: this.#appearance }).catch(() => {});
  }

  /** Rooms beyond the first few are told of by `unread` frames and by the list. */
  #followRooms() {
    const ids = this.rooms.list.sorted().slice(0, FOLLOWED).map((room) => room.id);
    for (const id of new Set(this.openId ? [this.openId, ...ids] : ids)) this.#follow(this.feed(id));
  }

  async #follow(feed) {
    if (this.socket.state.name === "ready" && !feed.isLive) await feed.follow();
  }

  #send({ roomId, clientMessageId, content, replyTo = null, attachments = [] }) {
    const fileIds = attachments.map(({ fileId }) => fileId);
    return this.socket.request({ type: "send", roomId, clientMessageId, content, replyTo, fileIds });
  }

  #sent({ entry: { roomId, clientMessageId, content, replyTo, attachments }, ack }) {
    const { messageId: id, seq, createdAt } = ack;
    const message = { id, roomId, seq, senderId: this.me.id, senderType: "user", content, clientMessageId, replyTo, attachments, createdAt };
    this.feed(roomId).confirm(message);
    this.#hear(message);
  }

  #receive(frame) {
    const { type, roomId } = frame;
    if (EVENTS.has(type)) this.#event(frame);
    else if (type === "caughtUp") this.#feeds.get(roomId)?.caughtUp(frame.seq);
    else if (type === "botDelta") this.#feeds.get(roomId)?.hint(frame);
    else if (type === "presence") this.members.seen(frame);
    else if (type === "unread") this.#unread(frame);
    else if (type === "room") this.#roomChanged(frame);
    else if (type === "member") this.#memberChanged(frame);
    else if (type === "notice" || type === "error") this.#emit("notice", frame);
  }

  #event(frame) {
    this.#feeds.get(frame.roomId)?.take(frame);
    const { type, message } = frame;
    if (type !== "message") return;
    if (message.senderId === this.me.id) this.outbox.drop(message.clientMessageId);
    this.#hear(message);
  }

  #hear(message) {
    const isMine = message.senderId === this.me.id;
    const isSeen = this.isAttended && message.roomId === this.openId;
    if (!this.rooms.list.hear(message, { isMine, isSeen })) return;
    this.rooms.changed();
    if (!isMine) this.#emit("message", message);
  }

  #unread({ roomId, unreadCount }) {
    if (this.isAttended && roomId === this.openId) return;
    this.rooms.list.count(roomId, unreadCount);
    this.rooms.changed();
  }

  #roomChanged({ roomId, change, room }) {
    if (change === "deleted") this.rooms.drop(roomId);
    else if (room && this.rooms.get(roomId)) this.rooms.list.change(roomId, room);
    else this.rooms.find(roomId);
    this.rooms.changed();
  }

  #memberChanged({ roomId, change, member }) {
    const isMe = member?.userId === this.me.id;
    if (isMe && GONE.has(change)) {
      this.rooms.drop(roomId);
      return;
    }
    this.rooms.find(roomId);
    if (roomId === this.openId) this.members.load(roomId);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Where the line above unread messages goes; none when everything was read before the room was opened. */
function newAfter({ readSeq, timeline }, read, me) {
  if (readSeq === null) return null;
  const seq = Math.max(readSeq, read);
  return timeline.messages.some((message) => message.seq > seq && message.senderId !== me) ? seq : null;
}
