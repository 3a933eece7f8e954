// A refusal or fault of the server, whether it came over HTTP or the socket, and the words for it.

export class DoranError extends Error {
  constructor({ code, message, status = 0, retryable = false, afterMs = null, fields = [] }) {
    super(message ?? code);
    this.name = "DoranError";
    this.code = code;
    this.status = status;
    this.retryable = retryable;
    this.afterMs = afterMs;
    this.fields = fields;
  }
}

const TEXT = {
  NETWORK: "The server cannot be reached. Check your connection and try again.",
  TIMEOUT: "The server took too long to answer. Try again.",
  OFFLINE: "You are not connected. It will be sent when the connection is back.",
  DISCONNECTED: "The connection was lost. It will be sent when it is back.",
  BAD_ANSWER: "The server gave an answer that this page does not understand. Reload the page.",
  BAD_REQUEST: "The server did not understand this. Reload the page and try again.",
  UNAUTHENTICATED: "You are not logged in any more. Log in again.",
  RESET_TOKEN: "This link was used already or has expired. Ask for another one.",
  INVALID_CREDENTIALS: "E-mail or password is not right.",
  TOKEN_EXPIRED: "Your log-in has expired. Log in again.",
  FORBIDDEN: "You are not allowed to do this.",
  NOT_MEMBER: "You are not a member of this room.",
  NOT_FOUND: "This is not there any more.",
  EMAIL_TAKEN: "This e-mail address already has an account. Log in instead.",
  IDEMPOTENCY_MISMATCH: "This was already sent with other words. Try again.",
  OWNER_CANNOT_LEAVE: "You own this room, so you cannot leave it.",
  ROOM_FULL: "This room has no place for more people.",
  ACCOUNT_INACTIVE: "This account is suspended or deleted.",
  PRECONDITION_FAILED: "Somebody else changed this in the meantime. Look again and try again.",
  ROOM_INACTIVE: "This room is closed for writing.",
  CONFLICT: "Somebody else changed this at the same moment. Try again.",
  TOO_LARGE: "This is too large.",
  QUOTA_EXCEEDED: "Your files take all the room they may have. Remove some first.",
  UNSUPPORTED_MEDIA_TYPE: "Files of this kind are not taken, or this one is not what its name says.",
  UNAVAILABLE: "The server is busy right now. Try again in a moment.",
  PROJECTION_LAG: "The server is still catching up. Try again in a moment.",
  LOG_FULL: "The server has no room left for anything new. Reading goes on; try again later.",
  FATE_UNKNOWN: "It is not certain that this arrived. Try again: it will not be doubled.",
  UNSUPPORTED: "The server does not offer this.",
  INTERNAL: "Something went wrong on the server. Try again.",
};

/** One sentence a person can act on. */
export function explain(error) {
  if (!(error instanceof DoranError)) return "Something went wrong on this page. Reload it and try again.";
  if (error.status === 429 || error.code === "RATE_LIMITED") return tooMany(error.afterMs);
  if (error.fields.length > 0) return error.fields.map(({ field, reason }) => `${field}: ${reason}`).join(". ");
  if (TEXT[error.code]) return TEXT[error.code];
  if (error.status >= 500) return TEXT.INTERNAL;
  return error.message || TEXT.INTERNAL;
}

function tooMany(afterMs) {
  if (!afterMs) return "That was too often. Wait a moment and try again.";
  const seconds = Math.ceil(afterMs / 1000);
  const wait = seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
  return `That was too often. Try again in ${wait}.`;
}
