// The subscription in words, and the way to the provider's portal.

import { maySpend } from "./account.js";
import { call } from "./api.js";
import { $, h, quiet } from "./dom.js";
import { attempt } from "./notices.js";
import { subscription } from "./shop.js";
import { day, every, money } from "./words.js";

const SAYINGS = {
  none: () => ["No plan", "Credits of packs work without one."],
  incomplete: (name) => ["Not begun yet", `The first payment for ${name} is still to come.`],
  incomplete_expired: (name) => ["Never begun", `The first payment for ${name} did not come.`],
  trialing: (name, { ends, cancels, price, trial_ends_at: trial }) => ["Trial", cancels ? `You try ${name} until ${ends}, and it ends then.` : `You try ${name} until ${day(trial)}; then it is ${price}.`],
  active: (name, { ends, cancels, price }) => (cancels ? ["Canceled", `${name} stays yours until ${ends}. Nothing more is charged.`] : ["Active", `${name}, ${price}. It renews on ${ends}.`]),
  past_due: (name, { price }) => ["Payment failed", `${name}, ${price}.`],
  unpaid: (name) => ["Unpaid", `The payment for ${name} failed for good. Pay the open invoice to have it back.`],
  paused: (name) => ["Paused", `${name} is paused.`],
  canceled: (name) => ["Ended", `Your plan ${name} has ended.`],
};
const CHIPS = { active: "completed", trialing: "queued", past_due: "failed", unpaid: "failed" };

const VISIT = "genvid-visit";

// Whether somebody comes from the portal: what was changed there is heard of a moment later.
export function isBackFromPortal() {
  const isBack = sessionStorage.getItem(VISIT) === "portal";
  sessionStorage.removeItem(VISIT);
  return isBack;
}

export async function loadPlan() {
  const mine = await subscription();
  const facts = {
    ...mine,
    ends: mine.current_period_end && day(mine.current_period_end),
    cancels: mine.cancel_at_period_end,
    price: mine.plan && `${money(mine.plan.amount, mine.plan.currency)} ${every(mine.plan.interval)}`,
  };
  const [state, words] = SAYINGS[mine.status](mine.plan?.name, facts);
  $("plan").replaceChildren(
    h("p", { class: "plan-line" }, h("strong", {}, mine.plan?.name ?? state), mine.plan && h("span", { class: `chip ${(!mine.cancel_at_period_end && CHIPS[mine.status]) || ""}` }, state)),
    h("p", {}, words),
    h("p", { class: "hint" }, `Your account has the limits of the tier “${mine.tier}”.`),
    ...(mine.status === "none" ? [] : [portalButton("Manage plan, card and invoices")]),
  );
  showBanner(mine);
}

export function portalButton(text, attributes = {}) {
  const button = quiet(text, () => openPortal(button), { disabled: !maySpend(), "aria-describedby": maySpend() ? null : "may-not-spend", ...attributes });
  return button;
}

function openPortal(button) {
  const part = button.closest("section.panel") ?? $("banner"), box = part.querySelector(".problem");
  return attempt(button, part, box, async () => {
    const { data } = await call("billing/portal", { method: "POST" });
    sessionStorage.setItem(VISIT, "portal");
    location.assign(data.portal_url);
  });
}

// Over every view: who does not look at the credits still has to hear of it.
function showBanner(mine) {
  const owes = mine.status === "past_due";
  if (!owes) return $("banner").replaceChildren();
  const isGrace = mine.grace_until && new Date(mine.grace_until) > new Date();
  const fate = isGrace ? `You keep your plan until ${day(mine.grace_until)}.` : `Your account has the tier “${mine.tier}” until it is paid.`;
  const words = h("span", {}, h("strong", {}, "Your last payment failed. "), `${fate} It is tried again; a card that works settles it.`);
  const problem = h("p", { class: "problem", hidden: true });
  return $("banner").replaceChildren(h("p", { class: "notice bad" }, words, portalButton("Update your card")), problem);
}
