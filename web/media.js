// Bytes that only a token gets, as addresses that elements can show. The newest stay, the others are fetched again.

const MOST_KEPT = 200;

export class Media {
  #fetch;
  #known = new Map();
  #toUrl;
  #revoke;

  /** `fetch(path)` gives a blob. */
  constructor({ fetch, toUrl = (blob) => URL.createObjectURL(blob), revoke = (url) => URL.revokeObjectURL(url) }) {
    this.#fetch = fetch;
    this.#toUrl = toUrl;
    this.#revoke = revoke;
  }

  url(path) {
    const known = this.#known.get(path) ?? this.#fetch(path).then(this.#toUrl);
    this.#known.delete(path);
    this.#known.set(path, known);
    // What could not be had is asked for again.
    known.catch(() => this.#known.delete(path));
    this.#trim();
    return known;
  }

  #trim() {
    const [[oldest, url]] = this.#known;
    if (this.#known.size <= MOST_KEPT) return;
    this.#known.delete(oldest);
    url.then(this.#revoke, () => {});
  }
}
