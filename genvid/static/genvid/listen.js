// Hears the script before it is paid for. What was heard is what is rendered, at a known price.

import { loadWallet } from "./account.js";
import { Order, call } from "./api.js";
import { $, pause, quiet } from "./dom.js";
import { on, tell } from "./hub.js";
import { showProblem } from "./notices.js";
import { tokens } from "./tokens.js";
import { credits, seconds, timeOfDay } from "./words.js";

const BETWEEN_LOOKS_MS = 500;
const CHANGED = "The words or the voice have changed: listen again to know the final price.";
const order = new Order();
let spoken = null, turn = 0, knowsAllowance = false;

const asked = () => ({ script: $("script").value, voice_id: $("voice").value });
const isSame = (request) => JSON.stringify(request) === JSON.stringify(asked());

// The speech, as long as it is what would be said.
export const heard = () => (spoken && isSame(spoken.request) ? spoken.speech : null);

export function startListening() {
  $("listen").addEventListener("click", listen);
  $("script").addEventListener("input", showHeard);
  $("speech").addEventListener("error", renewLink);
  on("request-changed", showHeard);
  on("quoted", showPrice);
  on("wallet", () => knowsAllowance || showAllowance());
  on("purchased", showAllowance);
  on("signed-out", () => { order.forget(); forgetSpeech(); $("allowance").textContent = ""; knowsAllowance = false; });
}

// What may be heard today. Nothing is said of it without an answer, or to who may not read it.
async function showAllowance() {
  const person = tokens.get()?.person;
  const { data, status } = await call("usage?group_by=api_key").catch((error) => error);
  if (!person || tokens.get()?.person !== person) return;
  knowsAllowance = Boolean(data) || status === 403;
  $("allowance").textContent = data?.speech_today ? allowanceOf(data.speech_today) : "";
}

function allowanceOf({ free_seconds: whole, free_seconds_left: left, resets_at: end, credits_per_minute: price }) {
  const beyond = price == null ? "nothing more can be heard" : `${credits(price)} for each begun minute`;
  if (!whole) return price == null ? "" : `Hearing it costs ${beyond}.`;
  if (left < 1) return `The free ${seconds(whole)} of today are used up until ${timeOfDay(end)}: ${beyond}.`;
  return `${seconds(Math.floor(left))} of ${seconds(whole)} are free today, then ${beyond}.`;
}

export function forgetSpeech() {
  turn += 1;
  spoken = null;
  setBusy(false);
  showProblem($("make"), $("listen-problem"), null);
  showHeard();
  tell("request-changed");
}

function setBusy(isBusy) {
  $("listen").setAttribute("aria-disabled", String(isBusy));
  $("listen").textContent = isBusy ? "Being spoken…" : "Listen";
}

async function listen() {
  if ($("listen").getAttribute("aria-disabled") === "true") return;
  const request = asked(), mine = ++turn;
  if (!request.script.trim()) return $("script").focus();
  setBusy(true);
  showProblem($("make"), $("listen-problem"), null);
  try {
    const speech = await speechOf(request, () => mine === turn);
    if (speech && mine === turn) hear(request, speech);
  } catch (error) {
    if (mine === turn) refuse(error);
  } finally {
    if (mine === turn) setBusy(false);
  }
}

async function speechOf(request, isWanted) {
  let { data } = await order.post("speech", request);
  while (data.status === "creating") {
    await pause(BETWEEN_LOOKS_MS);
    if (!isWanted()) return null;
    ({ data } = await call(`speech/${data.id}`, { headers: { Prefer: "wait=20" } }));
  }
  if (data.status === "failed") throw Object.assign(new Error(data.error.message), data.error);
  return data;
}

function refuse(error) {
  const action = error.code === "insufficient_credits" ? quiet("Get credits", () => tell("get-credits")) : null;
  showProblem($("make"), $("listen-problem"), error, action);
}

function hear(request, speech) {
  spoken = { request, speech };
  $("speech").src = speech.audio_url;
  showHeard();
  if (heard()) $("speech").play().catch(() => {});
  if (speech.credits.charged) loadWallet().catch(() => {});
  showAllowance();
  tell("request-changed");
}

function showHeard() {
  $("heard").hidden = !spoken;
  $("speech").hidden = !heard();
  if (!heard()) $("speech").pause();
  $("heard-facts").textContent = heard() ? `${seconds(spoken.speech.duration_seconds)} long. ${costOf(spoken.speech)}` : spoken ? CHANGED : "";
  $("heard-price").textContent = "";
}

const costOf = ({ credits: { charged } }) => (charged ? `Hearing it cost ${credits(charged)}: the free seconds of today are used up.` : "Hearing it cost nothing.");

function showPrice(quote) {
  if (heard()) $("heard-price").textContent = quote ? `The video costs exactly ${credits(quote.credits)}.` : "";
}

// A signed link is short-lived; the page may stay open for longer.
async function renewLink() {
  const speech = heard();
  if (!speech || $("speech").dataset.renewed === speech.id) return;
  $("speech").dataset.renewed = speech.id;
  const { data } = await call(`speech/${speech.id}`).catch(() => ({}));
  if (data?.audio_url && heard()?.id === data.id) $("speech").src = data.audio_url;
}
