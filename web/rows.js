// What the timeline shows, row by row: days, the line above what is new, messages grouped by author. Pure.

const GROUP_MS = 5 * 60_000;

/** Rows of `{kind: "day"|"new"|"system"|"message", key, …}`; keys stay the same when a pending message is confirmed. */
export function rows({ messages, pending = [], drafts = [], botId = null, me, newAfter = null }) {
  const result = [];
  let previous = null;
  let isNewShown = newAfter === null;
  const byId = new Map(messages.map((message) => [message.id, message]));
  for (const message of messages) {
    const isMine = message.senderId === me;
    const startsDay = dayOf(message) !== (previous && dayOf(previous));
    if (startsDay) result.push({ kind: "day", key: `day:${message.id}`, at: message.createdAt });
    const startsNew = !isNewShown && !isMine && message.seq > newAfter;
    if (startsNew) result.push({ kind: "new", key: "new" });
    isNewShown ||= startsNew;
    const isLead = startsDay || startsNew || !follows(previous, message);
    if (message.senderType === "system") result.push({ kind: "system", key: message.id, message });
    else result.push({ kind: "message", key: keyOf(message, isMine), message, isMine, isLead, ...quote(message, byId) });
    previous = message;
  }
  const shown = new Set(result.map((row) => row.key));
  return [...result, ...pendingRows({ pending, me, previous, byId, shown }), ...draftRows({ drafts, botId, shown })];
}

/** What bots are writing, each under the key of the message that will take its place. */
function draftRows({ drafts, botId, shown }) {
  return drafts.filter(({ messageId }) => !shown.has(messageId)).map(({ messageId, text, createdAt }) => {
    const message = { senderId: botId, senderType: "bot", content: text, createdAt };
    return { kind: "message", key: messageId, message, isMine: false, isLead: true, isDraft: true };
  });
}

/** Rows still on their way out, below everything else; a page may show one before its ack is here. */
function pendingRows({ pending, me, previous, byId, shown }) {
  return pending.flatMap((entry) => {
    const message = { senderId: me, content: entry.content, attachments: entry.attachments, createdAt: entry.createdAt };
    const row = { kind: "message", key: keyOf(entry, true), message, isMine: true, isLead: !follows(previous, message), entry, ...quote(entry, byId) };
    if (shown.has(row.key)) return [];
    previous = message;
    return [row];
  });
}

/** What a message replies to; null where that is not loaded. */
function quote({ replyTo }, byId) {
  return replyTo ? { replied: byId.get(replyTo) ?? null } : {};
}

function keyOf(message, isMine) {
  return isMine && message.clientMessageId ? `mine:${message.clientMessageId}` : message.id;
}

function follows(previous, message) {
  return previous !== null
    && previous.senderType !== "system"
    && previous.senderId === message.senderId
    && Date.parse(message.createdAt) - Date.parse(previous.createdAt) < GROUP_MS;
}

function dayOf(message) {
  return new Date(message.createdAt).toDateString();
}
