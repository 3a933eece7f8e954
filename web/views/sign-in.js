// Logging in and signing up.

import { h } from "../dom.js";
import { actionForm, field } from "./form.js";

const WHY = {
  4502: "You were logged out on this device.",
  4503: "This account is suspended or deleted.",
  PASSWORD_SET: "Your new password is set. Log in with it.",
  ACCOUNT_INACTIVE: "This account is suspended or deleted.",
};

/** `begin(answer)` is called with the answer of the log-in. */
export function signIn({ api, begin, code }) {
  const body = h("div");
  const tabs = [["Log in", logInForm], ["Sign up", signUpForm]].map(([text, form]) =>
    h("button", { type: "button", on: { click: (event) => choose(event.currentTarget, form) } }, text));

  function choose(tab, form) {
    for (const each of tabs) each.setAttribute("aria-pressed", String(each === tab));
    body.replaceChildren(form({ api, begin }));
    body.querySelector("input").focus();
  }

  body.addEventListener("forgot", () => {
    for (const each of tabs) each.setAttribute("aria-pressed", "false");
    body.replaceChildren(forgotForm({ api }));
    body.querySelector("input").focus();
  });

  const why = code && (WHY[code] ?? "Your log-in has ended. Log in again.");
  const page = h("main", { class: "sign-in" },
    h("div", { class: "card" },
      h("h1", { class: "wordmark" }, "DoranDoran", h("span", { lang: "ko" }, "도란도란")),
      h("p", { class: "quietly" }, why || "Talk together, at your own pace."),
      h("div", { class: "tabs", role: "group", "aria-label": "Log in or sign up" }, tabs),
      body));
  choose(tabs[0], logInForm);
  return page;
}

function logInForm({ api, begin }) {
  const forgot = h("button", {
    type: "button",
    class: "link",
    on: { click: (event) => event.currentTarget.dispatchEvent(new Event("forgot", { bubbles: true })) },
  }, "Forgot your password?");
  return h("div", {}, actionForm({
    submit: "Log in",
    action: async ({ email, password }) => begin(await logIn(api, email, password)),
  }, ...credentials("current-password")), forgot);
}

function forgotForm({ api }) {
  const form = actionForm({
    submit: "Send me a link",
    action: async ({ email }, key) => {
      await api.requestReset(email, key);
      form.replaceWith(h("p", { role: "status" },
        `If ${email} belongs to an account, a link is on its way there. It works for half an hour.`));
    },
  }, credentials("username")[0]);
  return form;
}

/** Where the link from the mail leads; `done()` is called once the password is another one. */
export function newPassword({ api, token, done }) {
  const form = actionForm({
    submit: "Set the password",
    action: async ({ password }, key) => {
      try {
        await api.executeReset(token, password, key);
      } catch (error) {
        if (error.code === "INVALID_CREDENTIALS") error.code = "RESET_TOKEN";
        throw error;
      }
      done();
    },
  }, field({ label: "New password", name: "password", type: "password", autocomplete: "new-password", required: true, minlength: 8, maxlength: 100, hint: "At least 8 characters." }));
  return h("main", { class: "sign-in" },
    h("div", { class: "card" },
      h("h1", { class: "wordmark" }, "DoranDoran", h("span", { lang: "ko" }, "도란도란")),
      h("p", { class: "quietly" }, "Set a new password. You will be logged out everywhere."),
      form));
}

function signUpForm({ api, begin }) {
  return actionForm({
    submit: "Create account",
    action: async (person, key) => {
      await api.register(person, key);
      begin(await logIn(api, person.email, person.password));
    },
  },
  h("div", { class: "pair" },
    field({ label: "First name", name: "firstName", autocomplete: "given-name", required: true, maxlength: 50 }),
    field({ label: "Last name", name: "lastName", autocomplete: "family-name", required: true, maxlength: 50 })),
  ...credentials("new-password", { minlength: 8, hint: "At least 8 characters." }));
}

function credentials(autocomplete, password) {
  return [
    field({ label: "E-mail", name: "email", type: "email", autocomplete: "username", required: true, autocapitalize: "none" }),
    field({ label: "Password", name: "password", type: "password", autocomplete, required: true, maxlength: 100, ...password }),
  ];
}

function logIn(api, email, password) {
  return api.logIn({ email, password, device: device() });
}

/** What the person will recognise in the list of their sessions. */
function device() {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(navigator.userAgent)?.[1] ?? "Browser";
  const system = /(Android|iPhone|iPad|Windows|Mac OS X|Linux)/.exec(navigator.userAgent)?.[1] ?? "unknown system";
  return `${browser === "Edg" ? "Edge" : browser} on ${system}`;
}
