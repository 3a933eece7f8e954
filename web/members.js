// Who is in a room, as far as it was asked for.

export class Members extends EventTarget {
  #api;
  #people;
  #byRoom = new Map();
  /** What was last told of somebody's presence, and as the how manieth thing. */
  #told = new Map();
  #tellings = 0;

  /** Event: `change` (detail: roomId). */
  constructor({ api, people }) {
    super();
    this.#api = api;
    this.#people = people;
  }

  /** `{items: null while loading, error}` */
  of(roomId) {
    return this.#byRoom.get(roomId) ?? { items: null, error: null };
  }

  async load(roomId) {
    const asked = this.#tellings;
    try {
      const items = (await this.#api.members(roomId)).map((member) => this.#since(asked, member));
      this.#people.learn(items);
      this.#byRoom.set(roomId, { items, error: null });
    } catch (error) {
      this.#byRoom.set(roomId, { ...this.of(roomId), error });
    }
    this.dispatchEvent(new CustomEvent("change", { detail: roomId }));
  }

  /** Somebody came, rests or left. */
  seen({ userId, state }) {
    this.#tellings += 1;
    this.#told.set(userId, { state, number: this.#tellings });
    for (const [roomId, { items, error }] of this.#byRoom) {
      if (!items?.some((member) => member.userId === userId && member.presence !== state)) continue;
      const changed = items.map((member) => (member.userId === userId ? { ...member, presence: state } : member));
      this.#byRoom.set(roomId, { items: changed, error });
      this.dispatchEvent(new CustomEvent("change", { detail: roomId }));
    }
  }

  /** What was told while a list was on its way is newer than the list. */
  #since(asked, member) {
    const told = this.#told.get(member.userId);
    return told?.number > asked ? { ...member, presence: told.state } : member;
  }

  async add(roomId, userIds, key) {
    await this.#api.addMembers(roomId, userIds, key);
    await this.load(roomId);
  }

  async remove(roomId, userId) {
    await this.#api.removeMember(roomId, userId);
    await this.load(roomId);
  }
}
