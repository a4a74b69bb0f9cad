// The credits area: balance, price list, subscription and past payments.

import { loadWallet } from "./account.js";
import { CREDITS, correct, leads, visit } from "./address.js";
import { arrive, startArrivals } from "./arrival.js";
import { $, beginAtTop, h, show } from "./dom.js";
import { on, tell } from "./hub.js";
import { guarded } from "./notices.js";
import { startPapers } from "./papers.js";
import { isBackFromPortal, loadPlan } from "./plan.js";
import { loadPrices, startPrices } from "./prices.js";
import { askAnew } from "./shop.js";
import { tokens } from "./tokens.js";
import { loadTopUp, startTopUp } from "./topup.js";
import { credits, day } from "./words.js";

const SOON_MS = [2000, 8000];
let loadPapers;

export function startBilling() {
  loadPapers = startPapers();
  for (const start of [startArrivals, startPrices, startTopUp]) start();
  leads($("wallet"), () => goTo(CREDITS));
  leads($("to-studio"), backToStudio);
  addEventListener("popstate", () => tokens.get() && followAddress());
  // Back from the pay page by the browser's history: the restored page still shows busy buttons.
  addEventListener("pageshow", (event) => event.persisted && tokens.get() && refresh());
  on("get-credits", () => goTo(CREDITS));
  on("purchased", () => refresh());
  on("wallet", showBalance);
  on("signed-out", forget);
}

function forget() {
  askAnew();
  $("banner").replaceChildren();
  for (const part of document.querySelectorAll("[data-private]")) part.replaceChildren();
}

function backToStudio() {
  goTo($("to-studio").getAttribute("href"));
  beginAtTop();
}

function goTo(address) {
  visit(address);
  followAddress();
}

export function followAddress() {
  const query = new URLSearchParams(location.search), isReturn = query.has("checkout");
  if (!isReturn && !query.has("billing")) {
    show("studio");
    tell("studio-shown", query.get("video"));
    return loadPlan().catch(() => {});
  }
  // The query is handled once: a reload must not report a payment again.
  if (isReturn || query.has("buy")) correct(CREDITS);
  show("billing");
  window.scrollTo(0, 0);
  $("billing-title").focus();
  refresh(query.get("buy"));
  if (isBackFromPortal()) SOON_MS.forEach((wait) => setTimeout(() => tokens.get() && refresh(), wait));
  return isReturn && arrive(query);
}

// Each part reports its own failure and does not hide the others.
function refresh(wanted = null) {
  askAnew();
  return Promise.all([
    guarded($("balance-problem"), loadWallet),
    guarded($("plan-problem"), loadPlan),
    guarded($("prices-problem"), () => loadPrices(wanted)),
    guarded($("top-up-problem"), loadTopUp),
    loadPapers(),
  ]);
}

function showBalance(wallet) {
  const owes = wallet.balance < 0 ? h("p", { class: "hint" }, "Money for credits that were used already has gone back. What you buy pays that first.") : null;
  const held = wallet.held ? h("p", { class: "hint" }, `${credits(wallet.balance)} on the account, ${wallet.held.toLocaleString()} of them held for videos that are being made.`) : null;
  const lots = expiring(wallet).map(([date, count]) => h("li", {}, `${credits(count)} until ${date}`));
  $("balance").replaceChildren(
    h("p", { class: "big" }, h("strong", {}, wallet.available.toLocaleString()), " available"),
    ...[held, owes].filter(Boolean),
    ...(lots.length ? [h("h3", {}, "What expires"), h("ul", { class: "lots" }, ...lots)] : []),
  );
}

// Grouped by day.
function expiring(wallet) {
  const days = new Map();
  for (const lot of wallet.expiring) days.set(day(lot.expires_at), (days.get(day(lot.expires_at)) ?? 0) + lot.credits);
  return [...days];
}
