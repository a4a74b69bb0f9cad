// The form of automatic top-ups.

import { maySpend } from "./account.js";
import { call } from "./api.js";
import { $, h } from "./dom.js";
import { attempt } from "./notices.js";
import { plans } from "./shop.js";
import { minorUnits, moment, money } from "./words.js";

const REASONS = {
  monthly_limit: "the monthly limit is used up",
  card_declined: "the card was declined",
  authentication_required: "the bank wants you to confirm a payment: buy a pack here once",
  no_card: "there is no saved card: buy a pack here once",
};
const THRESHOLD = 20;
let packs = [];

export function startTopUp() {
  $("top-up").addEventListener("submit", save);
  $("top-up").addEventListener("input", () => { $("top-up-saved").textContent = ""; });
  $("top-up").elements.plan_id.addEventListener("change", labelLimit);
}

const chosen = () => packs.find((pack) => pack.id === $("top-up").elements.plan_id.value);

function labelLimit() {
  const currency = chosen()?.currency ?? packs[0]?.currency;
  // One pack at least: less would never buy anything.
  $("top-up").elements.monthly_limit.min = chosen() ? chosen().amount / minorUnits(currency) : 0;
  $("limit-label").textContent = currency ? `Spend at most each month (${currency.toUpperCase()})` : "Spend at most each month";
}

export async function loadTopUp() {
  const [all, { data: rule }] = await Promise.all([plans(), call("billing/auto-top-up")]);
  packs = all.filter((plan) => plan.kind === "pack");
  const form = $("top-up").elements, option = (pack) => h("option", { value: pack.id }, `${pack.name}, ${money(pack.amount, pack.currency)}`);
  form.plan_id.replaceChildren(...packs.map(option));
  // A pack that is not sold any more leaves the choice empty, to be made anew.
  form.plan_id.value = rule.plan_id ?? packs[0]?.id ?? "";
  form.threshold.value = rule.threshold ?? THRESHOLD;
  form.enabled.checked = rule.enabled;
  labelLimit();
  const limit = rule.monthly_limit ?? chosen()?.amount;
  form.monthly_limit.value = limit && packs.length ? limit / minorUnits((chosen() ?? packs[0]).currency) : "";
  $("top-up-fields").disabled = $("top-up-save").disabled = !maySpend() || !packs.length;
  showRule(rule);
}

function showRule(rule) {
  const currency = (chosen() ?? packs[0])?.currency;
  $("top-up-spent").textContent = currency ? `Spent automatically this month: ${money(rule.spent_this_month, currency)}.` : "";
  const isPaused = rule.enabled && rule.paused_until && new Date(rule.paused_until) > new Date();
  $("top-up-paused").hidden = !isPaused;
  $("top-up-paused").textContent = isPaused ? `Paused until ${moment(rule.paused_until)}: ${REASONS[rule.pause_reason] ?? rule.pause_reason}. Saving tries again at once.` : "";
}

async function save(event) {
  event.preventDefault();
  const form = $("top-up").elements;
  await attempt($("top-up-save"), $("top-up"), $("top-up-problem"), async () => {
    const body = {
      enabled: form.enabled.checked,
      threshold: Number(form.threshold.value),
      plan_id: form.plan_id.value,
      monthly_limit: Math.round(Number(form.monthly_limit.value) * minorUnits(chosen().currency)),
    };
    const { data } = await call("billing/auto-top-up", { method: "PUT", body });
    showRule(data);
    $("top-up-saved").textContent = data.enabled ? "Saved: it is on." : "Saved: it is off.";
  });
  $("top-up-save").disabled = false;
}
