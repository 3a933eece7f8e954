// When to come back after a socket closed, and when not to. Pure: contract.md §7, close codes.

const WHY = {
  4001: "The server is restarting.",
  4002: "The connection went quiet.",
  4003: "The log-in had to be renewed.",
  4004: "The connection was too slow.",
  4005: "The connection has to start afresh.",
  4007: "Logging in took too long.",
  4500: "The server and this page do not understand each other. Reload the page.",
  4501: "The server does not accept this log-in. Log in again.",
  4502: "You were logged out on this device.",
  4503: "This account is suspended or deleted.",
  4505: "Something sent from here was too large. Reload the page.",
  4507: "The server does not serve this page's address.",
};

/** `{again, afterMs, why}`: 4500 to 4999 mean stop, everything else means come back, not before `afterMs`. */
export function verdict(code, reason) {
  const again = !(code >= 4500 && code <= 4999);
  return { again, afterMs: afterMs(reason), why: WHY[code] ?? (again ? "" : "The server ended the connection.") };
}

function afterMs(reason) {
  try {
    const value = JSON.parse(reason)?.afterMs;
    return Number.isFinite(value) && value > 0 ? value : 0;
  } catch {
    return 0;
  }
}

/** Exponential, with jitter over the upper half so that a herd spreads, and never before the server's `afterMs`. */
export class Backoff {
  #failures = 0;
  #firstMs;
  #capMs;
  #random;

  constructor({ firstMs = 500, capMs = 15_000, random = Math.random } = {}) {
    this.#firstMs = firstMs;
    this.#capMs = capMs;
    this.#random = random;
  }

  next(afterMs = 0) {
    const ceiling = Math.min(this.#capMs, this.#firstMs * 2 ** Math.min(this.#failures, 20));
    this.#failures += 1;
    return Math.max(afterMs, Math.round(ceiling * (0.5 + this.#random() / 2)));
  }

  reset() {
    this.#failures = 0;
  }
}
