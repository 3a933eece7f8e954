// Which room is open is in the URL, so that a reload, the back button and a bookmark work; a link
// from a mail opens the page where a new password is set.

const ROOM = /^#\/rooms\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The token of a link that came by mail, or null. */
export function resetInHash(hash) {
  return /^#reset=([A-Za-z0-9_-]{1,200})$/.exec(hash)?.[1] ?? null;
}

export function roomInHash(hash) {
  return ROOM.exec(hash)?.[1] ?? null;
}

export function hashOf(roomId) {
  return roomId ? `#/rooms/${roomId}` : "#/";
}
