// The price list, and the way to the pay page.

import { maySpend } from "./account.js";
import { Order } from "./api.js";
import { $, h } from "./dom.js";
import { on } from "./hub.js";
import { attempt, notify } from "./notices.js";
import { portalButton } from "./plan.js";
import { isLive, plans, subscription } from "./shop.js";
import { credits, every, money } from "./words.js";

const order = new Order();
const WHOLE = { trailingZeroDisplay: "stripIfInteger" };
let hasChosen = false;
const chosenInterval = () => document.querySelector("input[name=interval]:checked").value;

export function startPrices() {
  $("intervals").addEventListener("change", () => { hasChosen = true; showInterval(); });
  on("signed-out", () => { hasChosen = false; order.forget(); });
}

export async function loadPrices(wanted = null) {
  const [all, mine] = await Promise.all([plans(), subscription()]);
  const subscriptions = all.filter((plan) => plan.kind === "subscription"), packs = all.filter((plan) => plan.kind === "pack");
  $("may-not-spend").hidden = maySpend();
  $("subscriptions").replaceChildren(...cardsOf(subscriptions, mine, "No subscriptions are sold at present."));
  $("packs").replaceChildren(...cardsOf(packs, mine, "No packs are sold at present."));
  $("intervals").hidden = new Set(subscriptions.map((plan) => plan.interval)).size < 2;
  const shown = all.find((plan) => plan.id === wanted) ?? (isLive(mine) ? mine.plan : subscriptions[0]);
  // What somebody has looked for stays, when the list is fetched again.
  if (shown?.interval && (wanted || !hasChosen)) chooseInterval(shown.interval);
  else showInterval();
  if (wanted) highlight(all.find((plan) => plan.id === wanted));
}

function chooseInterval(interval) {
  for (const radio of $("intervals").querySelectorAll("input")) radio.checked = radio.value === interval;
  showInterval();
}

function showInterval() {
  for (const card of $("subscriptions").querySelectorAll("[data-interval]")) card.hidden = card.dataset.interval !== chosenInterval();
}

function highlight(plan) {
  if (!plan) return notify("This plan is not sold any more.", { bad: true });
  const card = $(`plan-${plan.id}`);
  card.classList.add("wanted");
  card.scrollIntoView({ block: "center" });
  return card.querySelector("button")?.focus();
}

const cardsOf = (list, mine, none) => (list.length ? list.map((plan) => card(plan, mine)) : [h("li", { class: "hint" }, none)]);

function card(plan, mine) {
  const isMine = isLive(mine) && mine.plan.id === plan.id;
  const told = [plan.name, ...plan.features].some((line) => /credit/i.test(line));
  const features = told ? plan.features : [credits(plan.credits), ...plan.features];
  return h(
    "li",
    { class: isMine ? "card mine" : "card", id: `plan-${plan.id}`, "data-interval": plan.interval },
    h("h4", {}, plan.name, isMine ? h("span", { class: "chip completed" }, "Your plan") : null),
    h("p", { class: "price" }, h("strong", {}, money(plan.amount, plan.currency, WHOLE)), plan.interval ? ` ${every(plan.interval)}` : ""),
    h("p", { class: "hint" }, perCredit(plan)),
    h("ul", { class: "features" }, ...features.map((line) => h("li", {}, line))),
    hasTrial(plan, mine) ? h("p", { class: "hint" }, `The first ${plan.trial_days} days are free.`) : null,
    actionOf(plan, mine, isMine),
  );
}

const hasTrial = (plan, mine) => plan.trial_days > 0 && mine.status === "none";

function perCredit(plan) {
  const count = plan.credits * (plan.interval === "year" ? 12 : 1);
  const each = `${money(plan.amount / count, plan.currency, { minimumFractionDigits: 2, maximumFractionDigits: 3 })} a credit`;
  return plan.interval === "year" ? `${money(Math.round(plan.amount / 12), plan.currency)} a month · ${each}` : each;
}

// Beside a subscription there is no other: its plan is changed in the portal.
function actionOf(plan, mine, isMine) {
  if (plan.kind === "subscription" && isLive(mine)) return isMine ? null : portalButton("Change plan", { "aria-label": `Change plan to ${plan.name}` });
  const [verb, label] = plan.kind === "pack" ? ["Buy", `Buy ${plan.name}`] : ["Subscribe", `Subscribe to ${plan.name}`];
  const button = h("button", { type: "button", class: "primary", "aria-label": label, disabled: !maySpend(), "aria-describedby": maySpend() ? null : "may-not-spend" }, verb);
  button.addEventListener("click", () => buy(plan, button));
  return button;
}

function buy(plan, button) {
  return attempt(button, $("prices"), $("prices-problem"), async () => {
    const { data } = await order.post("billing/checkout", { plan_id: plan.id });
    location.assign(data.checkout_url);
  });
}
