// Who is logged in, in every tab of this browser.
//
// The access token lives in memory only. The refresh token lives in localStorage: a reload and a second tab must find
// it, and a copy per tab (sessionStorage) would make two tabs rotate the same token, which the server takes for theft.
// One refresh runs at a time across tabs (Web Locks), and its access token is handed to the other tabs.

import { DoranError } from "./errors.js";

const KEY = "doran.session";
const SPARE_MS = 30_000;
const RENEW_BEFORE_MS = 60_000;
const RENEW_AGAIN_MS = 10_000;

export class Session extends EventTarget {
  user = null;
  #access = null;
  #refreshing = null;
  #timer = null;
  #exchange;
  #storage;
  #locks;
  #channel;

  /** `exchange(refreshToken)` answers as log-in does. Events: `renewed`, `ended` (detail: code), `replaced`. */
  constructor({ exchange, storage = localStorage, locks = navigator.locks, channel = openChannel(), tab = globalThis }) {
    super();
    this.#exchange = exchange;
    this.#storage = storage;
    // Web Locks need a secure origin; without them one tab still refreshes once at a time.
    this.#locks = locks ?? { request: async (_name, work) => work() };
    this.#channel = channel;
    channel?.addEventListener("message", ({ data }) => this.#takeOver(data));
    tab.addEventListener?.("storage", (event) => this.#otherTabWrote(event));
  }

  isStored() {
    return this.#stored() !== null;
  }

  /** Takes the answer of a log-in. */
  begin(answer) {
    this.#keep(answer);
  }

  /** A token with some life left, and not `stale` when that is given. Rejects when there is none to be had. */
  async token(stale) {
    const isGood = () => this.#access && this.#access.token !== stale && Date.now() < this.#access.goodUntil;
    if (isGood()) return this.#access.token;
    this.#refreshing ??= this.#locks
      .request("doran.refresh", () => (isGood() ? undefined : this.#refresh()))
      .finally(() => { this.#refreshing = null; });
    await this.#refreshing;
    if (!this.#access) throw new DoranError({ code: "UNAUTHENTICATED", status: 401 });
    return this.#access.token;
  }

  /** Forgets everything here; other tabs notice through storage. */
  end(code = null) {
    const wasOpen = this.user !== null || this.isStored();
    this.#storage.removeItem(KEY);
    if (wasOpen) this.#close(code);
  }

  async #refresh() {
    // Read inside the lock: another tab may have rotated the token while this one waited.
    const stored = this.#stored();
    if (!stored) {
      this.#close("UNAUTHENTICATED");
      throw new DoranError({ code: "UNAUTHENTICATED", status: 401 });
    }
    try {
      this.#keep(await this.#exchange(stored.refreshToken));
    } catch (error) {
      if (error.status === 401 || error.status === 403) this.end(error.code);
      throw error;
    }
  }

  #keep(answer) {
    const { accessToken, refreshToken, expiresIn, user } = answer;
    this.#storage.setItem(KEY, JSON.stringify({ refreshToken, userId: user.id }));
    const lifeMs = expiresIn * 1000;
    const expiresAt = Date.now() + lifeMs;
    const grant = { token: accessToken, expiresAt, goodUntil: expiresAt - Math.min(SPARE_MS, lifeMs / 3), user };
    this.#channel?.postMessage(grant);
    this.#use(grant);
  }

  #use(grant) {
    this.user = grant.user;
    this.#access = grant;
    const lifeMs = grant.expiresAt - Date.now();
    this.#renewIn(lifeMs - Math.min(RENEW_BEFORE_MS, lifeMs / 2));
    this.dispatchEvent(new CustomEvent("renewed", { detail: { token: grant.token } }));
  }

  #renewIn(ms) {
    clearTimeout(this.#timer);
    const stale = this.#access.token;
    this.#timer = setTimeout(() => {
      this.token(stale).catch(() => {
        // A server that is away for a moment is asked again; an ended session has no user any more.
        if (this.user) this.#renewIn(RENEW_AGAIN_MS);
      });
    }, ms);
    this.#timer.unref?.();
  }

  #takeOver(grant) {
    if (this.user && grant?.user?.id === this.user.id) this.#use(grant);
  }

  #otherTabWrote({ key, newValue }) {
    if (key !== KEY || !this.user) return;
    const userId = parse(newValue)?.userId;
    if (!userId) this.#close(null);
    else if (userId !== this.user.id) this.dispatchEvent(new Event("replaced"));
  }

  #close(code) {
    clearTimeout(this.#timer);
    this.user = null;
    this.#access = null;
    this.dispatchEvent(new CustomEvent("ended", { detail: { code } }));
  }

  #stored() {
    return parse(this.#storage.getItem(KEY));
  }
}

function parse(text) {
  try {
    const value = JSON.parse(text);
    return value?.refreshToken ? value : null;
  } catch {
    return null;
  }
}

function openChannel() {
  return globalThis.BroadcastChannel ? new BroadcastChannel("doran.session") : null;
}
