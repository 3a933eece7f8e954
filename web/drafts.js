// What bots are writing right now: pieces that are joined until the message with the whole is there. No DOM.

/** A bot that has said nothing more for so long has given up. */
const GIVEN_UP_AFTER_MS = 30_000;

export class Drafts {
  #byId = new Map();
  #changed;
  #now;

  /** `changed()` is called when a draft is gone without its message. */
  constructor({ changed = () => {}, now = () => new Date() } = {}) {
    this.#changed = changed;
    this.#now = now;
  }

  /** `[{messageId, text, createdAt}]`, in the order in which they were begun. */
  get all() {
    return [...this.#byId.values()].map(({ messageId, pieces, createdAt }) => ({ messageId, text: joined(pieces), createdAt }))
      .filter(({ text }) => text !== "");
  }

  /** Takes a piece, in whatever order pieces come; what follows a lost one is not shown. */
  take({ messageId, n, text }) {
    const draft = this.#byId.get(messageId) ?? { messageId, pieces: [], createdAt: this.#now().toISOString() };
    draft.pieces[n] = text;
    clearTimeout(draft.timer);
    draft.timer = setTimeout(() => { this.drop(messageId); this.#changed(); }, GIVEN_UP_AFTER_MS);
    draft.timer.unref?.();
    this.#byId.set(messageId, draft);
  }

  /** The message is there, or will not come. */
  drop(messageId) {
    clearTimeout(this.#byId.get(messageId)?.timer);
    this.#byId.delete(messageId);
  }
}

function joined(pieces) {
  const lost = pieces.findIndex((piece) => piece === undefined);
  return (lost < 0 ? pieces : pieces.slice(0, lost)).join("");
}
