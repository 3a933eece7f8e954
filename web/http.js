// HTTP as contract.md §1 has it: the envelope, refusals as errors, idempotency keys, bounded retries,
// and reads that see one's own writes. It knows no route.

import { DoranError } from "./errors.js";
import { newId } from "./id.js";

const TRIES = 3;
const TIMEOUT_MS = 15_000;
const LONGEST_PAUSE_MS = 3_000;

export class Http {
  #authorise;
  #fetch;
  #pause;
  #positions = new Map();

  /** `authorise(stale)` gives an access token, another one than `stale` when that is given. */
  constructor({ authorise, fetch = (...args) => globalThis.fetch(...args), pause = sleep }) {
    this.#authorise = authorise;
    this.#fetch = fetch;
    this.#pause = pause;
  }

  get(path, query = {}, { signal } = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    const search = new URLSearchParams(given).toString();
    return this.#repeat({ method: "GET", url: search ? `${path}?${search}` : path, signal });
  }

  /** The same `key` may be given again when an earlier answer was lost: the server then repeats it. */
  command(method, path, { body, key = newId(), anonymous = false } = {}) {
    return this.#repeat({ method, url: path, body, key, anonymous });
  }

  /** The bytes under a path. */
  blob(path) {
    return this.#repeat({ method: "GET", url: path, isBlob: true });
  }

  async #repeat(call) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#authorised(call);
      } catch (error) {
        if (call.signal?.aborted || !(error instanceof DoranError) || !error.retryable) throw error;
        if (attempt === TRIES) {
          // A log that was reset would leave positions that no read model ever reaches.
          if (error.code === "PROJECTION_LAG") this.#positions.clear();
          throw error;
        }
        const backoffMs = 300 * 2 ** attempt * (0.5 + Math.random() / 2);
        await this.#pause(Math.min(error.afterMs ?? backoffMs, LONGEST_PAUSE_MS));
      }
    }
  }

  async #authorised(call) {
    if (call.anonymous) return this.#once(call, null);
    const token = await this.#authorise();
    try {
      return await this.#once(call, token);
    } catch (error) {
      if (error.status !== 401) throw error;
      return this.#once(call, await this.#authorise(token));
    }
  }

  async #once(call, token) {
    const response = await this.#reach(call, token);
    if (call.isBlob && response.ok) return response.blob();
    const envelope = await response.json().catch(() => null);
    if (!response.ok || envelope?.success === false) throw refusal(response, envelope);
    if (envelope === null) throw new DoranError({ code: "BAD_ANSWER", status: response.status });
    this.#remember(response.headers.get("Doran-Position"));
    return envelope.data;
  }

  async #reach({ method, url, body, key, signal }, token) {
    const headers = { Accept: "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    if (key) headers["Idempotency-Key"] = key;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method === "GET" && this.#positions.size > 0) headers["Doran-Min-Position"] = this.#minPosition();
    const deadline = AbortSignal.timeout(TIMEOUT_MS);
    try {
      return await this.#fetch(url, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: "no-store",
        credentials: "omit",
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      });
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new DoranError({ code: deadline.aborted ? "TIMEOUT" : "NETWORK", retryable: true });
    }
  }

  #remember(positions) {
    for (const position of (positions ?? "").split(",")) {
      const [stream, sequence] = position.trim().split(":");
      const known = this.#positions.get(stream) ?? 0;
      if (Number(sequence) > known) this.#positions.set(stream, Number(sequence));
    }
  }

  #minPosition() {
    return Array.from(this.#positions, ([stream, sequence]) => `${stream}:${sequence}`).join(",");
  }
}

function refusal(response, envelope) {
  const retryAfterS = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new DoranError({
    code: envelope?.errorCode ?? `HTTP_${response.status}`,
    message: envelope?.message,
    status: response.status,
    retryable: [502, 503, 504].includes(response.status),
    afterMs: Number.isNaN(retryAfterS) ? null : retryAfterS * 1000,
    fields: envelope?.data?.fields ?? [],
  });
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
