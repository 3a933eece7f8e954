// Which room is open is in the URL, so that a reload, the back button and a bookmark work.

const ROOM = /^#\/rooms\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

export function roomInHash(hash) {
  return ROOM.exec(hash)?.[1] ?? null;
}

export function hashOf(roomId) {
  return roomId ? `#/rooms/${roomId}` : "#/";
}
