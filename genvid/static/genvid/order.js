// The requested video: its price, its curl command, and the order.

import { API, Order, call } from "./api.js";
import { $, h, later, quiet } from "./dom.js";
import { on, tell } from "./hub.js";
import { notify, showProblem } from "./notices.js";
import { forgetSpeech, heard } from "./listen.js";
import { recording, soundIs } from "./sounds.js";
import { nobody, subject } from "./sources.js";
import { choose } from "./stage.js";
import { tokens } from "./tokens.js";
import { WAITING, credits, seconds } from "./words.js";

const SCRIPT_LIMIT = 5000;
const RETRY_MS = 5000;
const DRAFT = "genvid-script";
const ESTIMATED = "Generate video";
const order = new Order();
// Whether the last order was refused and nothing has changed since: a new quote must not remove the reason.
let refused = false;
let ordering = false;

export function startOrder() {
  on("request-changed", formChanged);
  on("videos-changed", () => askQuote());
  on("purchased", formChanged);
  on("reuse", (script) => { soundIs("script"); $("script").value = script; $("script").focus(); formChanged(); });
  on("signed-out", () => { order.forget(); sessionStorage.removeItem(DRAFT); });
  // The script survives the way to the pay page and back.
  $("script").value ||= sessionStorage.getItem(DRAFT) ?? "";
  $("colour").addEventListener("input", () => { $("make").elements.background.value = "custom"; formChanged(); });
  $("make").addEventListener("input", formChanged);
  $("make").addEventListener("submit", generate);
  $("copy").addEventListener("click", copyCurl);
  addEventListener("online", () => askQuote());
}

function requestBody() {
  const { elements } = $("make");
  const colour = elements.background.value === "custom" ? $("colour").value : elements.background.value;
  return {
    ...soundOf(),
    ...subject(),
    format: elements.format.value,
    resolution: elements.resolution.value,
    captions: elements.captions.checked,
    ...(colour && { background: { type: "color", value: colour } }),
  };
}

// What was listened to is rendered as it was heard.
function soundOf() {
  const sound = recording() ?? (heard() && { speech_id: heard().id });
  return sound ?? { script: $("script").value, ...($("voice").value && { voice_id: $("voice").value }) };
}

export function formChanged() {
  refused = false;
  sessionStorage.setItem(DRAFT, $("script").value);
  const length = [...$("script").value].length;
  $("count").textContent = `${length} / ${SCRIPT_LIMIT}`;
  $("count").classList.toggle("over", length > SCRIPT_LIMIT);
  setReady(false);
  if (!heard() && !recording()) $("generate").textContent = ESTIMATED;
  showCurl();
  askQuote();
}

// Not `disabled`: that would take the focus from the pressed button.
const setReady = (isReady) => $("generate").setAttribute("aria-disabled", String(!isReady));
const isReady = () => $("generate").getAttribute("aria-disabled") === "false";

// Temporary errors: no network, a restarting server, too many requests.
const isTemporary = (error) => error.status === 0 || error.status === 429 || error.status >= 500;

const isWhole = (body) => (body.avatar_id || body.picture) && (body.script?.trim() || body.speech_id || body.audio);

let quoting = 0;
const askQuote = later(350, async () => {
  const turn = ++quoting, body = requestBody();
  if (!isWhole(body) || !tokens.get()) return showQuote(null, body);
  try {
    const { data } = await call("videos/quote", { method: "POST", body });
    if (turn !== quoting) return undefined;
    if (!refused) showProblem($("make"), $("make-problem"), null);
    return showQuote(data, body);
  } catch (error) {
    if (turn !== quoting) return undefined;
    showQuote(null, body);
    // It has expired: the script itself can still be ordered.
    if (error.details?.speech_id) return forgetSpeech();
    if (isTemporary(error)) askAgain();
    return refused || showProblem($("make"), $("make-problem"), error);
  }
});

const askAgain = later(RETRY_MS, () => askQuote());

// Of a recording the length is known, and so is the price; of a script both are estimates.
function showQuote(quote, body) {
  const isExact = Boolean(body.speech_id || body.audio);
  setReady(quote?.affordable ?? false);
  $("generate").textContent = quote && isExact ? `Generate for ${credits(quote.credits)}` : ESTIMATED;
  $("quote").classList.toggle("short", quote != null && !quote.affordable);
  tell("quoted", quote && body.speech_id ? quote : null);
  if (!quote) return $("quote").replaceChildren(missingIn(body));
  const have = quote.affordable ? ` of your ${quote.available_credits}` : `, and you have ${quote.available_credits}`;
  const [length, price] = isExact ? [seconds(quote.estimated_seconds), "exactly"] : [`About ${seconds(quote.estimated_seconds)}`, "up to"];
  $("quote").replaceChildren(h("strong", {}, length), ` · ${price} ${credits(quote.credits)}${have} · ${quote.eta_seconds == null ? WAITING[quote.waiting_for] ?? "nobody can say yet when it is ready" : `ready in ${seconds(quote.eta_seconds)}`}`);
  return quote.affordable || $("quote").append(" ", getCredits());
}

function missingIn(body) {
  if (!body.avatar_id && !body.picture) return nobody();
  return body.script == null ? "Choose a recording to see its price." : "Write a script to see its price.";
}

function showCurl() {
  const base = location.origin + API, json = (value) => `'${JSON.stringify(value).replaceAll("'", "'\\''")}'`;
  const post = (path, ...rest) => ["curl -sS", `${base}${path}`, ...rest].join(" \\\n  ");
  const token = `-H "Authorization: Bearer $TOKEN"`, type = "-H 'Content-Type: application/json'";
  const body = `-d ${json(requestBody())}`;
  $("curl").textContent = [
    "# Sign in: the answer's data.access_token goes into TOKEN",
    post("auth/login", type, `-d ${json({ email: $("who").textContent || "you@example.com", password: "…" })}`),
    "\n# The price", post("videos/quote", token, type, body),
    "\n# The video: the answer's data.id goes into ID", post("videos", token, `-H "Idempotency-Key: $(uuidgen)"`, type, body),
    "\n# Wait for it, up to 60 seconds a call", post("videos/$ID", token, "-H 'Prefer: wait=60'"),
    "\n# The file", `curl -sSL -o video.mp4 ${base}videos/$ID/file \\\n  ${token}`,
  ].join("\n");
}

async function copyCurl() {
  const copied = await navigator.clipboard?.writeText($("curl").textContent).then(() => true, () => false);
  $("copy").textContent = copied ? "Copied" : "Select and copy by hand";
  setTimeout(() => { $("copy").textContent = "Copy"; }, 2000);
}

async function generate(event) {
  event.preventDefault();
  if (ordering || !isReady()) return;
  ordering = true;
  setReady(false);
  try {
    const { data } = await order.post("videos", requestBody());
    refused = false;
    showProblem($("make"), $("make-problem"), null);
    choose(data);
    tell("videos-changed");
  } catch (error) {
    refused = error.status !== 0;
    showProblem($("make"), $("make-problem"), error, error.code === "insufficient_credits" ? getCredits() : null);
    askQuote();
  } finally {
    ordering = false;
  }
}

const getCredits = () => quiet("Get credits", () => tell("get-credits"));
