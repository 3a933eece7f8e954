// Where the page starts: puts the parts together and decides between logging in and chatting.

import { Api } from "./api.js";
import { Chat } from "./chat.js";
import { Doran } from "./doran.js";
import { h } from "./dom.js";
import { explain } from "./errors.js";
import { Http } from "./http.js";
import { resetInHash } from "./route.js";
import { Session } from "./session.js";
import { upload } from "./upload.js";
import { mountNotices } from "./views/notices.js";
import { Shell } from "./views/shell.js";
import { newPassword, signIn } from "./views/sign-in.js";

const WAKE_PONG_MS = 3_000;
const LOG_OUT_MS = 3_000;
const LOGGED_OUT = new Set([4502, 4503]);

const root = document.getElementById("app");
const api = new Api(new Http({ authorise: (stale) => session.token(stale) }));
const session = new Session({ exchange: (refreshToken) => api.refresh(refreshToken) });
let open = null;

mountNotices();
session.addEventListener("ended", ({ detail }) => showSignIn(detail.code));
session.addEventListener("replaced", () => location.reload());
session.addEventListener("renewed", ({ detail }) => open?.chat.socket.reauth(detail.token));
for (const type of ["online", "offline", "pageshow"]) window.addEventListener(type, wake);
document.addEventListener("visibilitychange", () => { if (!document.hidden) wake(); });

const token = resetInHash(location.hash);
if (token) showNewPassword(token);
else if (session.isStored()) resume();
else showSignIn(null);

/** After a reload: the stored refresh token buys a new access token. */
async function resume() {
  root.replaceChildren(h("p", { class: "empty loading" }, "One moment…"));
  try {
    await session.token();
    showChat();
  } catch (error) {
    if (!session.isStored()) return;
    const again = h("button", { type: "button", class: "primary", on: { click: resume } }, "Try again");
    root.replaceChildren(h("div", { class: "empty" }, h("p", { role: "alert" }, explain(error)), again));
    window.addEventListener("online", resume, { once: true });
  }
}

function showNewPassword(resetToken) {
  // Out of the URL, so that it is in no history and no screenshot.
  history.replaceState(null, "", location.pathname);
  root.replaceChildren(newPassword({
    api,
    token: resetToken,
    done: () => { session.end(); showSignIn("PASSWORD_SET"); },
  }));
}

function showSignIn(code) {
  close();
  root.replaceChildren(signIn({ api, code, begin: (answer) => { session.begin(answer); showChat(); } }));
}

function showChat() {
  close();
  const chat = new Chat({ api, socket: newSocket(), user: session.user,
    upload: (what) => upload({ ...what, authorise: (stale) => session.token(stale) }) });
  chat.start();
  const shell = new Shell({ chat, api, logOut: () => logOut(chat) });
  open = { chat, shell };
  root.replaceChildren(shell.element);
}

function close() {
  open?.shell.dispose();
  open?.chat.stop();
  open = null;
}

function newSocket() {
  const url = new URL("/ws", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  const socket = new Doran({ url: url.href, token: (stale) => session.token(stale) });
  let isSecondChance = false;
  socket.addEventListener("ready", () => { isSecondChance = false; });
  socket.addEventListener("state", ({ detail: { name, code } }) => {
    if (name !== "stopped") return;
    if (LOGGED_OUT.has(code) || (code === 4501 && isSecondChance)) session.end(code);
    // A server that was set up anew rejects the access token, but may still know the session.
    if (code === 4501 && !isSecondChance) {
      isSecondChance = true;
      socket.start();
    }
  });
  return socket;
}

function wake() {
  open?.chat.socket.wake(WAKE_PONG_MS);
}

async function logOut(chat) {
  chat.outbox.clear();
  // The person wants to be gone from this device, whether the server hears of it or not.
  await Promise.race([api.logOut().catch(() => {}), new Promise((resolve) => setTimeout(resolve, LOG_OUT_MS))]);
  session.end();
}
