// Who is in a room, as far as it was asked for.

export class Members extends EventTarget {
  #api;
  #people;
  #byRoom = new Map();

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
    try {
      const items = await this.#api.members(roomId);
      this.#people.learn(items);
      this.#byRoom.set(roomId, { items, error: null });
    } catch (error) {
      this.#byRoom.set(roomId, { ...this.of(roomId), error });
    }
    this.dispatchEvent(new CustomEvent("change", { detail: roomId }));
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
