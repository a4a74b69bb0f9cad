// Back from the pay page: polls the checkout until its credits have arrived.

import { call } from "./api.js";
import { $, h, pause, quiet } from "./dom.js";
import { on, tell } from "./hub.js";
import { credits, day } from "./words.js";

const TIMEOUT_MS = 60_000;
// Often at first, as most are done within two seconds; then less, to stay within the request limit.
const pauseAfter = (reads) => (reads < 15 ? 1000 : 2000);
let arrivals = 0;

export function startArrivals() {
  on("signed-out", () => { arrivals += 1; say(); });
}

export function arrive(query) {
  arrivals += 1;
  if (query.get("checkout") !== "done") return say("Nothing was charged.", quiet("Close", () => say()));
  const sessionId = query.get("session_id");
  return sessionId ? follow(sessionId) : say("Thank you. Your credits appear here as soon as the payment is confirmed.");
}

function say(words, ...more) {
  $("purchase").replaceChildren(...(words ? [h("p", { class: "notice calm" }, h("span", {}, words), ...more)] : []));
}

async function follow(sessionId) {
  const mine = ++arrivals, until = Date.now() + TIMEOUT_MS;
  say("Payment received, adding your credits…", h("span", { class: "spinner" }));
  for (let reads = 0; Date.now() < until; reads += 1) {
    // After another error the next read may succeed.
    const outcome = await readOutcome(sessionId).catch((error) => (error.status === 404 ? { words: "This purchase belongs to another account, or does not exist." } : null));
    if (mine !== arrivals) return;
    if (outcome) return finish(outcome);
    await pause(pauseAfter(reads));
    if (mine !== arrivals) return;
  }
  say("This takes longer than usual. Your credits will be added by themselves; nothing more is to be done.", quiet("Look again", () => follow(sessionId)));
}

function finish({ words, isBought }) {
  say(words, quiet("Close", () => say()));
  if (!isBought) return;
  $("purchase").firstChild.classList.remove("calm");
  tell("purchased");
}

async function readOutcome(sessionId) {
  const { data: checkout } = await call(`billing/checkout/${encodeURIComponent(sessionId)}`);
  if (checkout.status === "expired") return { words: "The time to pay was over. Nothing was charged." };
  if (checkout.status !== "complete") return null;
  const gained = await gainedBy(checkout);
  if (gained > 0) return { words: `+${credits(gained)}. Thank you!`, isBought: true };
  const { data: plan } = await call("billing/subscription");
  const isTrial = plan.status === "trialing" && plan.plan.id === checkout.plan_id;
  return isTrial ? { words: `Your trial has begun. It is free until ${day(plan.trial_ends_at)}.`, isBought: true } : null;
}

// By the ledger, not by the balance, from which a video may be paid meanwhile.
async function gainedBy({ session_id: sessionId, created_at: since }) {
  const { data } = await call("billing/ledger?limit=20");
  const isInvoice = (entry) => entry.reference.startsWith("in_") && entry.created_at >= since;
  const grants = data.filter((entry) => entry.kind === "grant" && (entry.reference === sessionId || isInvoice(entry)));
  return grants.reduce((sum, entry) => sum + entry.credits, 0);
}
