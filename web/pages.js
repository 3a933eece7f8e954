// Pages of a room's history: over HTTP, and from the socket while the read model is away.

const PAGE_SIZE = 50;
const AWAY = new Set([502, 503, 504]);

export class Pages {
  #api;
  #socket;
  #isOffered = true;

  constructor({ api, socket }) {
    this.#api = api;
    this.#socket = socket;
  }

  /** `{items (ascending), hasBefore}`: the newest page, or the one before the sequence `before`. */
  async load(roomId, { before } = {}) {
    const where = { before, limit: PAGE_SIZE };
    try {
      return await this.#api.messages(roomId, where);
    } catch (error) {
      if (!AWAY.has(error.status) || !this.#isOffered || this.#socket.state.name !== "ready") throw error;
      return this.#ask({ type: "history", roomId, ...where }, error);
    }
  }

  async #ask(frame, error) {
    try {
      return await this.#socket.request(frame);
    } catch (refusal) {
      // Frames that a server does not know are counted against the connection.
      this.#isOffered = refusal.code !== "BAD_REQUEST" && refusal.code !== "UNSUPPORTED";
      throw error;
    }
  }
}
