// The messages of one room that the log has confirmed: each id once, in the order of seq. Pure.

export class Timeline {
  messages = [];
  #byId = new Map();
  /** The newest that was told of a person's reaction, by message, person and emoji. */
  #reacted = new Map();

  get firstSeq() {
    return this.messages[0]?.seq ?? null;
  }

  get lastSeq() {
    return this.messages.at(-1)?.seq ?? 0;
  }

  /** Adds what is new and replaces what is known: pages, live frames and acks overlap freely. */
  merge(messages) {
    for (const message of messages) {
      const known = this.#byId.get(message.id);
      if (known) this.#replace(known, { ...known, ...message });
      else this.#insert(message);
    }
  }

  edit(id, change) {
    const known = this.#byId.get(id);
    // What was deleted stays so, whatever was on its way.
    if (known && !known.deleted) this.#replace(known, { ...known, ...change });
  }

  get(id) {
    return this.#byId.get(id) ?? null;
  }

  /** One person's reaction comes or goes; told again, or after what came later, it changes nothing. */
  react(id, { seq, emoji, userId, on, isMine }) {
    const known = this.#byId.get(id);
    if (!known || known.deleted) return;
    const reactions = known.reactions ?? [];
    const reaction = reactions.find((one) => one.emoji === emoji) ?? { emoji, count: 0, me: false };
    const key = `${id} ${userId} ${emoji}`;
    const before = this.#reacted.get(key) ?? { seq: 0, on: isMine ? reaction.me : !on };
    if (seq <= before.seq) return;
    this.#reacted.set(key, { seq, on });
    const fresh = { emoji, count: reaction.count + Number(on) - Number(before.on), me: isMine ? on : reaction.me };
    const others = reactions.map((one) => (one.emoji === emoji ? fresh : one));
    const all = reactions.includes(reaction) ? others : [...reactions, fresh];
    this.#replace(known, { ...known, reactions: all.filter(({ count }) => count > 0) });
  }

  /** Forgets all but the newest `count` messages. */
  trim(count) {
    const gone = this.messages.splice(0, Math.max(0, this.messages.length - count));
    for (const { id } of gone) this.#byId.delete(id);
  }

  #insert(message) {
    this.#byId.set(message.id, message);
    this.messages.splice(this.#indexAfter(message.seq), 0, message);
  }

  #replace(known, message) {
    this.messages[this.#indexAfter(known.seq) - 1] = message;
    this.#byId.set(message.id, message);
  }

  /** The first index whose seq is greater; a sequence is never shared by two messages. */
  #indexAfter(seq) {
    let low = 0;
    let high = this.messages.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.messages[middle].seq <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
