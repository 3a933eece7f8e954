// Names of people, learned from whatever mentions them and looked up one by one otherwise.

export class People extends EventTarget {
  #byId = new Map();
  #asked = new Map();
  #lookUp;

  /** `lookUp(userId)` gives a user. Event: `change`. */
  constructor({ lookUp }) {
    super();
    this.#lookUp = lookUp;
  }

  learn(people) {
    for (const person of people) {
      const id = person.userId ?? person.id;
      const name = nameOf(person);
      if (id && name) this.#byId.set(id, name);
    }
    this.dispatchEvent(new Event("change"));
  }

  /** The name, or a placeholder while it is being looked up. */
  name(userId) {
    if (!this.#byId.has(userId)) this.find(userId);
    return this.#byId.get(userId) ?? "…";
  }

  /** The name once it is known. */
  async find(userId) {
    if (!this.#byId.has(userId)) {
      if (!this.#asked.has(userId)) this.#asked.set(userId, this.#ask(userId));
      await this.#asked.get(userId);
    }
    return this.#byId.get(userId) ?? "Somebody";
  }

  async #ask(userId) {
    try {
      this.learn([{ userId, name: nameOf(await this.#lookUp(userId)) || "Somebody" }]);
    } catch (error) {
      if (error.status === 404 || error.status === 410) this.learn([{ userId, name: "Deleted user" }]);
    } finally {
      this.#asked.delete(userId); // without an answer it is asked again when the name is next needed
    }
  }
}

export function nameOf({ name, firstName, lastName }) {
  return name || [firstName, lastName].filter(Boolean).join(" ");
}
