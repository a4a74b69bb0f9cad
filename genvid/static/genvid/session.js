// Signing in and out, invitations, and links from mails.

import { call } from "./api.js";
import { $, beginAtTop, quiet, show } from "./dom.js";
import { on, tell } from "./hub.js";
import { notify, showProblem } from "./notices.js";
import { keep, tokens } from "./tokens.js";

let openStudio;

export function startSession(open) {
  openStudio = open;
  on("session-ended", signedOut);
  on("session-closed", () => signedOut());
  on("session-opened", () => $("reset").hidden && $("join").hidden && location.reload());
  $("sign-in").addEventListener("submit", signIn);
  $("forgot").addEventListener("click", forgotPassword);
  $("sign-in").addEventListener("change", (event) => event.target.name === "way" && wayChanged());
  $("sign-out").addEventListener("click", signOut);
  wayChanged();
}

function wayChanged() {
  const form = $("sign-in"), joining = form.elements.way.value === "register";
  $("way-hint").textContent = joining ? $("way-hint").dataset.register : $("way-hint").dataset.login;
  $("sign-in-button").textContent = joining ? "Create account" : "Sign in";
  form.elements.password.autocomplete = joining ? "new-password" : "current-password";
  $("forgot").hidden = joining;
  $("code-field").hidden = true;
  form.elements.totp_code.value = "";
  showProblem(form, $("sign-in-problem"), null);
}

async function signIn(event) {
  event.preventDefault();
  const form = event.target, way = form.elements.way.value;
  $("sign-in-button").disabled = true;
  try {
    const body = { email: form.elements.email.value.trim(), password: form.elements.password.value };
    if (form.elements.totp_code.value) body.totp_code = form.elements.totp_code.value.trim();
    const { data } = await call(`auth/${way}`, { method: "POST", body });
    await keep(data, data.user.id);
    form.elements.password.value = form.elements.totp_code.value = "";
    $("code-field").hidden = true;
    showProblem(form, $("sign-in-problem"), null);
    await openStudio({ isNew: way === "register", atTop: true });
  } catch (error) {
    showProblem(form, $("sign-in-problem"), error);
    $("sign-in-button").disabled = false;
    $("sign-in-button").focus();
    if (error.code === "totp_required") {
      $("code-field").hidden = false;
      form.elements.totp_code.focus();
    }
  } finally {
    $("sign-in-button").disabled = false;
  }
}

export function goTo(way) {
  $("sign-in").elements.way.value = way;
  wayChanged();
}

async function forgotPassword() {
  const email = $("sign-in").elements.email;
  if (!email.reportValidity()) return;
  try {
    await call("auth/password/forgot", { method: "POST", body: { email: email.value.trim() } });
    notify("If somebody is registered with this address, a link is on its way to it.");
  } catch (error) {
    showProblem($("sign-in"), $("sign-in-problem"), error);
  }
}

export function askForNewPassword(token) {
  history.replaceState(null, "", location.pathname);
  $("sign-in").hidden = true;
  $("reset").hidden = false;
  show("welcome");
  $("reset").addEventListener("submit", (event) => { event.preventDefault(); resetPassword(token); });
}

async function resetPassword(token) {
  const form = $("reset");
  $("reset-button").disabled = true;
  try {
    const { data } = await call("auth/password/reset", { method: "POST", body: { token, new_password: form.elements.new_password.value } });
    form.reset();
    form.hidden = true;
    $("sign-in").hidden = false;
    goTo("login");
    $("sign-in").elements.email.value = data.email;
    notify("Your password is set. Sign in with it.");
  } catch (error) {
    showProblem(form, $("reset-problem"), error);
  } finally {
    $("reset-button").disabled = false;
  }
}

// An invitation is for one address, and whoever is signed in here may have another: so it asks anew.
export function askToJoin(token) {
  history.replaceState(null, "", location.pathname);
  if (tokens.get()) signOut();
  $("sign-in").hidden = true;
  $("join").hidden = false;
  show("welcome");
  $("join").addEventListener("submit", (event) => { event.preventDefault(); join(token); });
}

async function join(token) {
  const form = $("join"), { password, full_name, totp_code } = form.elements;
  const body = { token, password: password.value };
  for (const field of [full_name, totp_code]) if (field.value.trim()) body[field.name] = field.value.trim();
  $("join-button").disabled = true;
  try {
    const { data } = await call("auth/invitations/accept", { method: "POST", body });
    form.reset();
    form.hidden = true;
    $("sign-in").hidden = false;
    await keep(data, data.user.id);
    await openStudio({ atTop: true });
    notify(`Welcome to ${data.account.name}.`);
  } catch (error) {
    showProblem(form, $("join-problem"), error);
    if (error.code === "totp_required") {
      $("join-code-field").hidden = false;
      totp_code.focus();
    }
  } finally {
    $("join-button").disabled = false;
  }
}

export function signOut() {
  tell("signing-out");
  const held = tokens.get();
  if (held) call("auth/logout", { method: "POST", body: { refresh_token: held.refresh } }).catch(() => {});
  signedOut();
}

export function signedOut(reason) {
  tokens.clear();
  tell("signed-out");
  $("account").hidden = true;
  show("welcome");
  beginAtTop();
  if (reason) notify(reason, { bad: true });
}

export async function verifyAddress(token) {
  history.replaceState(null, "", location.pathname);
  try {
    const { data } = await call("auth/email/verify", { method: "POST", body: { token } });
    notify(`Thank you: ${data.email} is verified.`);
  } catch (error) {
    notify(`The address could not be verified. ${error.message}`, { bad: true });
  }
}

export function askToVerify() {
  const resend = quiet("Send the link again", async () => {
    resend.disabled = true;
    await call("auth/email/verification", { method: "POST" }).then(() => { resend.textContent = "Sent"; }, (error) => notify(error.message, { bad: true }));
  });
  notify("Confirm your e-mail address to generate videos: the link is in your inbox.", { action: resend });
}
