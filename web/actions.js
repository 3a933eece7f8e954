// What may be done with a message, by whom: as the server decides it, so that nothing is offered in vain. Pure.

export const EMOJIS = ["👍", "❤️", "😂", "🎉"];

/** Of `react`, `reply`, `keep`, `edit` and `delete`; `room` is none while it is not known. */
export function actions({ message, isMine, room }) {
  const isGone = message.deleted || message.content === null;
  if (!message.id || isGone || !room || (room.status ?? "active") !== "active") return [];
  const isAdmin = room.role === "owner" || room.role === "admin";
  return ["react", "reply", "keep", ...(isMine ? ["edit"] : []), ...(isMine || isAdmin ? ["delete"] : [])];
}

/** The reactions to show, and whether each is mine. */
export function reactionsOf({ deleted, reactions = [] }) {
  return deleted ? [] : reactions.filter(({ count }) => count > 0);
}
