// Made from docs/api/openapi.json by web/tests/client.test.mjs: UPDATE_SCHEMAS=1 node --test web/tests/client.test.mjs

export type About = {
  name: string;
  routes: Array<string>;
  version: string;
};

export type Added = Member | null | {
  items: Array<Member>;
  /** Give it as `cursor` for the next page; none at the end. */
  nextCursor: string | null;
};

export type Archive = {
  archivedAt: string;
  events: number;
  /** The object's name in the bucket of archives. */
  name: string;
  roomId: string;
  /** The sequence of the last event in it. */
  through: number;
};

export type Attachment = {
  fileId: string;
  height: number | null;
  mediaType: string;
  name: string;
  size: number;
  thumbnailUrl: string | null;
  width: number | null;
};

export type AuditEntry = {
  /** None: somebody without a token, who made their account. */
  actor: string | null;
  details: unknown;
  /** Where it lies in `USER`. */
  sequence: number;
  subject: string;
  time: string;
  type: string;
};

export type Bookmark = {
  createdAt: string;
  id: string;
  message: KeptMessage;
  note: string | null;
};

export type Bot = {
  /** It answers inside the service, and can be neither changed nor removed. */
  builtIn: boolean;
  /** None of the built-in bot. */
  createdAt: string | null;
  id: string;
  name: string;
  picture: string | null;
  /** Signs deliveries. Only in the answer that makes it. */
  secret?: string | null;
  /** What the bot shows as its bearer token. Only in the answer that makes it. */
  token?: string | null;
  updatedAt: string | null;
  webhookUrl: string | null;
};

export type BotFigure = {
  botId: string;
  messages: number;
};

export type ClientMessageId = string;

export type ContentType = "text" | "code" | "system";

export type Deleted = {
  deleted: boolean;
  id: string;
};

export type Emoji = string;

export type Ended = {
  sessionIds: Array<string>;
};

export type File = {
  createdAt: string;
  height: number | null;
  id: string;
  mediaType: string;
  name: string;
  size: number;
  thumbnailUrl: string | null;
  url: string;
  width: number | null;
};

export type Highlight = {
  end: number;
  start: number;
};

export type HistoryPage = {
  hasAfter: boolean;
  hasBefore: boolean;
  /** The room's newest `seq`; 0 if it has none. */
  head: number;
  items: Array<Message>;
};

export type Invite = {
  code: string;
  expiresAt: string;
  /** Where a `POST` accepts it. */
  link: string;
  maxUses: number | null;
  roomId: string;
};

export type Job = {
  description: string;
  lastRun: Run | null;
  name: string;
  /** None while it is paused. */
  nextRunAt: string | null;
  paused: boolean;
  /** Cron with six fields: second, minute, hour, day of month, month, day of week. */
  schedule: string;
  /** An IANA name, such as `Asia/Seoul`. */
  timeZone: string;
};

export type KeptMessage = {
  attachments: Array<Attachment>;
  content: string | null;
  contentType: ContentType | null;
  createdAt: string | null;
  deleted: boolean;
  editedAt: string | null;
  /** The reader is not in the room any more: what follows is not shown. */
  hidden: boolean;
  id: string;
  roomId: string;
  senderId: string;
  senderType: SenderType | null;
  seq: number;
};

export type Member = {
  joinedAt: string;
  name: string;
  picture: string | null;
  presence: PresenceState;
  role: RoomRole;
  userId: string;
};

export type Message = {
  attachments: Array<Attachment>;
  clientMessageId: ClientMessageId;
  /** None if the author's key is gone. */
  content: string | null;
  contentType: ContentType;
  createdAt: string;
  deleted: boolean;
  editedAt: string | null;
  id: string;
  mentions: Array<string>;
  pinned: boolean;
  reactions: Array<Reaction>;
  replyTo: string | null;
  roomId: string;
  senderId: string;
  senderType: SenderType;
  /** Stream sequence: increasing in a room, with holes. */
  seq: number;
};

export type Presence = {
  /** None of somebody who was not seen for a month. */
  lastSeenAt: string | null;
  state: PresenceState;
  userId: string;
};

export type PresenceState = "online" | "away" | "offline" | "unknown";

export type PublicBot = {
  id: string;
  name: string;
  picture: string | null;
};

export type Reaction = {
  count: number;
  emoji: Emoji;
  me: boolean;
};

export type ReadMarker = {
  seq: number;
};

export type Removed = {
  removed: Array<string>;
};

export type Report = {
  /** Who sent a message or logged in. */
  activeUsers: number;
  botMessages: number;
  /** The busiest first, 1,000 at most. */
  bots: Array<BotFigure>;
  date: string;
  messages: number;
  newUsers: number;
  /** The busiest first, 5,000 at most. */
  rooms: Array<RoomFigure>;
  roomsCreated: number;
};

export type Role = "ROLE_USER" | "ROLE_ADMIN";

export type Room = {
  botId: string | null;
  createdAt: string;
  description: string | null;
  id: string;
  kind: RoomKind;
  lastMessage: Message | null;
  lastMessageAt: string | null;
  memberCount: number;
  mentionCount: number;
  name: string;
  ownerId: string;
  /** The reader's own role in the room. */
  role: RoomRole | null;
  settings: Record<string, unknown>;
  status: RoomStatus;
  unreadCount: number;
  updatedAt: string;
  visibility: Visibility;
};

export type RoomFigure = {
  messages: number;
  roomId: string;
};

export type RoomKind = "group" | "direct" | "bot";

export type RoomRole = "member" | "admin" | "owner";

export type RoomStatus = "active" | "restricted" | "deactivated" | "archived";

export type RoomSync = {
  /** Which incarnation of the log `head` belongs to. */
  epoch: string;
  head: number;
  lastMessage: Message | null;
  mentionCount: number;
  readSeq: number;
  roomId: string;
  unreadCount: number;
};

export type Run = {
  /** The last day that the run looks at. */
  date: string;
  dryRun: boolean;
  error: string | null;
  figures: Record<string, unknown>;
  finishedAt: string | null;
  id: string;
  job: string;
  startedAt: string;
  state: RunState;
};

export type RunState = "running" | "succeeded" | "failed";

export type SearchHit = {
  highlights: Array<Highlight>;
  message: Message;
  roomName: string;
};

export type SenderType = "user" | "bot" | "system";

export type Session = {
  createdAt: string;
  /** Whether the request came from this session. */
  current: boolean;
  device: string | null;
  id: string;
  lastSeenAt: string;
};

export type Sync = {
  rooms: Array<RoomSync>;
};

export type Ticket = {
  expiresIn: number;
  ticket: string;
};

export type Tokens = {
  accessToken: string;
  /** Seconds until the access token expires. */
  expiresIn: number;
  refreshToken: string;
  sessionId: string;
  /** Always `Bearer`. */
  tokenType: string;
  user: User;
};

export type Uploaded = {
  items: Array<File>;
};

export type User = {
  coachCheck: boolean;
  createdAt: string;
  email?: string | null;
  firstName: string;
  id: string;
  info: string | null;
  lastConnTime: string | null;
  lastName: string;
  name: string;
  picture: string | null;
  role?: Role | null;
  status?: UserStatus | null;
  updatedAt: string;
};

export type UserStatus = "ACTIVE" | "INACTIVE" | "SUSPENDED";

export type Visibility = "private" | "public";

export interface Operations {
  about: { takes: {}; gives: About };
  acceptInvite: { takes: { path: { code: string } }; gives: Room };
  addMembers: { takes: { path: { id: string }; body: {
    role?: RoomRole;
    userId?: string | null;
    userIds?: Array<string> | null;
  } }; gives: Added };
  addReaction: { takes: { path: { id: string; message: string; emoji: string } }; gives: Message };
  apiDocs: { takes: {}; gives: unknown };
  archiveRoom: { takes: { path: { id: string } }; gives: Room };
  asyncapi: { takes: {}; gives: unknown };
  audit: { takes: { query?: { actor?: string | null; cursor?: number | null; from?: string | null; limit?: number; subject?: string | null; to?: string | null; type?: string | null } }; gives: {
    items: Array<AuditEntry>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  changeBot: { takes: { path: { id: string }; body: {
    name?: string | null;
    /** `null` takes it away. */
    picture?: string | null;
    rotateSecret?: boolean;
    rotateToken?: boolean;
    /** `null` takes it away. */
    webhookUrl?: string | null;
  } }; gives: Bot };
  changeJob: { takes: { path: { name: string }; body: {
    paused?: boolean | null;
    schedule?: string | null;
    timeZone?: string | null;
  } }; gives: Job };
  changePassword: { takes: { path: { id: string }; body: {
    currentPassword: string;
    newPassword: string;
  } }; gives: User };
  changeRoom: { takes: { path: { id: string }; body: {
    /** `null` takes the description away. */
    description?: string | null;
    name?: string | null;
    /** As a whole: what is not in it is gone. */
    settings?: Record<string, unknown> | null;
    visibility?: Visibility | null;
  } }; gives: Room };
  changeSettings: { takes: { path: { id: string }; body: Record<string, unknown> }; gives: Record<string, unknown> };
  changeStatus: { takes: { path: { id: string }; query: { status: UserStatus } }; gives: User };
  checkEmail: { takes: { path: { email: string } }; gives: boolean };
  countBookmarks: { takes: {}; gives: unknown };
  createInvite: { takes: { path: { id: string }; body: {
    expiresInSeconds?: number;
    maxUses?: number | null;
  } }; gives: Invite };
  createRoom: { takes: { body: {
    /** Of a room of the kind `bot`, which is named after it unless told otherwise. */
    botId?: string | null;
    description?: string | null;
    kind?: RoomKind;
    memberIds?: Array<string>;
    /** A direct room needs none: each of its two sees the other. */
    name?: string | null;
    visibility?: Visibility;
  } }; gives: Room };
  deleteMessage: { takes: { path: { id: string; message: string } }; gives: Message };
  deleteRoom: { takes: { path: { id: string } }; gives: null };
  deleteUser: { takes: { path: { id: string } }; gives: Deleted };
  editMessage: { takes: { path: { id: string; message: string }; body: {
    content: string;
    /** Without it those who were named stay named. */
    mentions?: Array<string> | null;
  } }; gives: Message };
  endSession: { takes: { path: { id: string } }; gives: Ended };
  executeReset: { takes: { body: {
    newPassword: string;
    token: string;
  } }; gives: null };
  exportUser: { takes: { path: { id: string } }; gives: unknown };
  getAuthHealth: { takes: {}; gives: unknown };
  getAuthValidate: { takes: {}; gives: User };
  getBatchHealth: { takes: {}; gives: unknown };
  getBot: { takes: { path: { id: string } }; gives: Bot };
  getChatHealth: { takes: {}; gives: unknown };
  getFile: { takes: { path: { id: string } }; gives: unknown };
  getReport: { takes: { path: { date: string } }; gives: Report };
  getRoom: { takes: { path: { id: string } }; gives: Room };
  getRun: { takes: { path: { id: string } }; gives: Run };
  getSettings: { takes: { path: { id: string } }; gives: Record<string, unknown> };
  getStoreHealth: { takes: {}; gives: unknown };
  getThumbnail: { takes: { path: { id: string } }; gives: unknown };
  getUser: { takes: { path: { id: string } }; gives: User };
  getUserByEmail: { takes: { path: { email: string } }; gives: User };
  getUsersHealth: { takes: {}; gives: unknown };
  getUsersSlash: { takes: { query?: { cursor?: number | null; limit?: number; q?: string | null; role?: Role | null; status?: UserStatus | null } }; gives: {
    items: Array<User>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  history: { takes: { path: { id: string }; query?: { after?: number | null; around?: number | null; before?: number | null; limit?: number } }; gives: HistoryPage };
  joinRoom: { takes: { path: { id: string } }; gives: Room };
  jwks: { takes: {}; gives: unknown };
  leaveRoom: { takes: { path: { id: string } }; gives: Room };
  listArchives: { takes: { query?: { cursor?: number | null; limit?: number; roomId?: string | null } }; gives: {
    items: Array<Archive>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  listBookmarks: { takes: { query?: { botId?: string | null; cursor?: number | null; limit?: number; roomId?: string | null } }; gives: {
    items: Array<Bookmark>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  listBots: { takes: {}; gives: {
    items: Array<Bot>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  listJobs: { takes: {}; gives: {
    items: Array<Job>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  listMembers: { takes: { path: { id: string }; query?: { cursor?: string | null; limit?: number } }; gives: {
    items: Array<Member>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  listReports: { takes: { query?: { cursor?: string | null; from?: string | null; limit?: number; to?: string | null } }; gives: {
    items: Array<Report>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  listRooms: { takes: { query?: { cursor?: string | null; limit?: number } }; gives: {
    items: Array<Room>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  listRuns: { takes: { query?: { cursor?: number | null; job?: string | null; limit?: number } }; gives: {
    items: Array<Run>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  listSessions: { takes: { query?: { cursor?: number | null; limit?: number } }; gives: {
    items: Array<Session>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  listUsers: { takes: { query?: { cursor?: number | null; limit?: number; q?: string | null; role?: Role | null; status?: UserStatus | null } }; gives: {
    items: Array<User>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  logIn: { takes: { body: {
    device?: string | null;
    email: string;
    password: string;
  } }; gives: Tokens };
  logOut: { takes: { query?: { all?: boolean } }; gives: Ended };
  me: { takes: {}; gives: User };
  moveReadMarker: { takes: { path: { id: string }; body: {
    seq: number;
  } }; gives: ReadMarker };
  openapi: { takes: {}; gives: unknown };
  patchChatRoomsIdMembersUser: { takes: { path: { id: string; user: string }; body: {
    role: RoomRole;
  } }; gives: Member };
  patchProfile: { takes: { path: { id: string }; body: {
    email?: string | null;
    firstName?: string | null;
    info?: string | null;
    lastName?: string | null;
    name?: string | null;
    picture?: string | null;
  } }; gives: User };
  pinMessage: { takes: { path: { id: string; message: string } }; gives: Message };
  postUsersSlash: { takes: { body: {
    email: string;
    firstName: string;
    info?: string | null;
    lastName: string;
    name?: string | null;
    password: string;
    picture?: string | null;
  } }; gives: User };
  presence: { takes: { query?: { userIds?: string } }; gives: {
    items: Array<Presence>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  publicBots: { takes: {}; gives: {
    items: Array<PublicBot>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  publicRooms: { takes: { query?: { cursor?: string | null; limit?: number; q?: string | null } }; gives: {
    items: Array<Room>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  putAuthUsersIdRole: { takes: { path: { id: string }; body: {
    role: Role;
  } }; gives: User };
  readMarker: { takes: { path: { id: string } }; gives: ReadMarker };
  refresh: { takes: { body: {
    refreshToken: string;
  } }; gives: Tokens };
  register: { takes: { body: {
    email: string;
    firstName: string;
    info?: string | null;
    lastName: string;
    name?: string | null;
    password: string;
    picture?: string | null;
  } }; gives: User };
  registerBot: { takes: { body: {
    name: string;
    picture?: string | null;
    /** A bot without one is not called, and speaks by its token. */
    webhookUrl?: string | null;
  } }; gives: Bot };
  removeBookmark: { takes: { path: { id: string } }; gives: Removed };
  removeBookmarks: { takes: { body: Array<string> }; gives: Removed };
  removeBot: { takes: { path: { id: string } }; gives: null };
  removeFile: { takes: { path: { id: string } }; gives: unknown };
  removeMember: { takes: { path: { id: string; user: string }; query?: { ban?: boolean } }; gives: Room };
  removeReaction: { takes: { path: { id: string; message: string; emoji: string } }; gives: Message };
  replaceProfile: { takes: { path: { id: string }; body: {
    email?: string | null;
    firstName: string;
    info?: string | null;
    lastName: string;
    name?: string | null;
    picture?: string | null;
  } }; gives: User };
  requestReset: { takes: { body: {
    email: string;
  } }; gives: null };
  saveBookmark: { takes: { body: {
    messageId: string;
    note?: string | null;
    roomId: string;
  } }; gives: Bookmark };
  search: { takes: { query: { before?: number | null; cursor?: number | null; from?: string | null; hasFile?: boolean | null; limit?: number; q: string; roomId?: string | null; sort?: "recent" | "rank" } }; gives: {
    items: Array<SearchHit>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  searchUsers: { takes: { query: { cursor?: number | null; limit?: number; q: string } }; gives: {
    items: Array<User>;
    /** Give it as `cursor` for the next page; none at the end. */
    nextCursor: string | null;
  } };
  sendMessage: { takes: { path: { id: string }; body: {
    clientMessageId?: ClientMessageId | null;
    content: string;
    contentType?: ContentType;
    fileIds?: Array<string>;
    mentions?: Array<string>;
    replyTo?: string | null;
  } }; gives: Message };
  startRun: { takes: { path: { name: string }; body: {
    /** Yesterday, unless told. */
    date?: string | null;
    dryRun?: boolean;
  } }; gives: Run };
  sync: { takes: { query?: { roomId?: string | null; since?: string | null } }; gives: Sync };
  unarchiveRoom: { takes: { path: { id: string } }; gives: Room };
  unban: { takes: { path: { id: string; user: string } }; gives: Room };
  unpinMessage: { takes: { path: { id: string; message: string } }; gives: Message };
  uploadFiles: { takes: {}; gives: Uploaded };
  wsTicket: { takes: {}; gives: Ticket };
}
