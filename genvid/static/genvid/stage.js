// The video on stage: how it comes along, and then the film itself.

import { addressOf, correct, visit } from "./address.js";
import { call } from "./api.js";
import { avatars } from "./catalogue.js";
import { askToDelete } from "./deletion.js";
import { $, h, quiet, retitle } from "./dom.js";
import { on, tell } from "./hub.js";
import { announce, notify } from "./notices.js";
import { showPlayer } from "./player.js";
import { ACTIVE, WORDS, endOf, nameOf, titleOf } from "./videos.js";
import { WAITING, credits, seconds } from "./words.js";

export let shown = null;
// What canceling costs, as the buttons on stage say it.
let offered;

export function startStage() {
  on("signed-out", () => { shown = null; });
  on("studio-shown", open);
  on("presenters-loaded", () => { if (shown) $("facts").textContent = factsOf(shown); });
  on("video-hidden", (video) => { if (shown?.id === video.id) choose(null); });
  on("video-unhidden", (video) => choose(video));
}

// What the address names: after a reload, in another tab, or on the way back.
async function open(id) {
  if (shown?.id === id) return undefined;
  if (!id) return showVideo(null);
  try {
    const { data } = await call(`videos/${encodeURIComponent(id)}`);
    if (new URLSearchParams(location.search).get("video") !== id) return undefined;
    showVideo(data);
    return bringIntoView();
  } catch (error) {
    if (error.status !== 404) return notify(error.message, { bad: true, action: quiet("Try again", () => open(id)) });
    correct("/");
    showVideo(null);
    return notify("There is no such video, or it belongs to another account.", { bad: true });
  }
}

// By somebody's hand: the address follows, and so does the focus, which brings the stage into view.
export function choose(video) {
  visit(addressOf(video));
  showVideo(video);
  $("stage").focus({ preventScroll: true });
  bringIntoView();
}

// As far as the bar and the foot of the form leave room.
const bringIntoView = () => $("stage").scrollIntoView({ block: "nearest" });

async function act(video, method, path) {
  try {
    const { data } = await call(`videos/${video.id}${path}`, { method });
    choose(data);
    tell("videos-changed");
  } catch (error) {
    const action = error.code === "insufficient_credits" ? quiet("Get credits", () => tell("get-credits")) : null;
    notify(error.message, { bad: true, action });
  }
}

export function showVideo(video) {
  const before = shown;
  shown = video;
  retitle(video && nameOf(video));
  $("to-studio").href = addressOf(video);
  document.querySelectorAll("#history a").forEach((row) => markCurrent(row));
  // While it is being made only the figures move, so that the bar glides and a screen reader is left in peace.
  if (video && before?.id === video.id && before.status === video.status && $("percent")) return showProgress(video);
  offered = video?.cancel_credits;
  const held = $("stage").contains(document.activeElement);
  $("stage").replaceChildren(...(video ? scene(video) : [idle("Your video will appear here. Write a script, pick a presenter, generate.")]));
  // What had the focus is gone: without this the keyboard would start again at the top of the page.
  if (held) $("stage").focus({ preventScroll: true });
  if (video && (before?.id !== video.id || before.status !== video.status)) announce(`${nameOf(video)}: ${newsOf(video)}`);
}

export function markCurrent(row) {
  if (row.dataset.id === shown?.id) row.setAttribute("aria-current", "true");
  else row.removeAttribute("aria-current");
}

const newsOf = (video) => (ACTIVE.includes(video.status) || video.status === "completed" ? `${WORDS[video.status]}.` : `${WORDS[video.status]}. ${endOf(video)}`);
const idle = (words) => h("div", { class: "screen" }, h("p", { class: "idle" }, words));

function scene(video) {
  const actions = h("div", { class: "actions", id: "actions" }, ...actionsFor(video));
  if (ACTIVE.includes(video.status)) return [working(video), creditsRoll(video, actions)];
  if (video.status !== "completed") return [idle(endOf(video)), creditsRoll(video, actions)];
  const screen = h("div", { class: "screen" });
  showPlayer(video, screen, actions);
  return [screen, creditsRoll(video, actions)];
}

function working(video) {
  const percent = h("span", { class: "percent", id: "percent" }), bar = h("progress", { max: 100, id: "bar", "aria-label": "Progress" });
  const eta = h("span", { id: "eta" });
  showProgress(video, { percent, bar, eta });
  return h("div", { class: "screen" }, h("div", { class: "working" }, percent, bar, h("strong", {}, WORDS[video.status]), eta));
}

function showProgress(video, { percent, bar, eta } = { percent: $("percent"), bar: $("bar"), eta: $("eta") }) {
  percent.textContent = `${video.progress_percent} %`;
  bar.value = video.progress_percent;
  eta.textContent = progressFacts(video).filter(Boolean).join(" · ");
  if (video.cancel_credits !== offered) offerActions(video);
}

// While a video is being made, what may be done with it changes: a render that is stuck may be let go.
function offerActions(video) {
  offered = video.cancel_credits;
  $("actions").replaceChildren(...actionsFor(video));
}

const late = (video) => video.status === "processing" && video.eta_seconds == null && "it takes longer than usual";
const progressFacts = (video) => [
  WAITING[video.waiting_for] ?? late(video),
  video.queue_position != null && `number ${video.queue_position} in the queue`,
  video.eta_seconds != null && `about ${seconds(video.eta_seconds)} left`,
];

function creditsRoll(video, actions) {
  const headline = h("div", { class: "headline" }, h("h2", {}, titleOf(video)), h("span", { class: `chip ${video.status}` }, WORDS[video.status]));
  return h("div", { class: "credits-roll" }, headline, h("p", { class: "facts-line", id: "facts" }, factsOf(video)), actions);
}

function factsOf(video) {
  const facts = [
    video.kind === "picture" ? "A picture of yours" : avatars.get(video.avatar_id)?.name, video.format, video.resolution,
    video.duration_seconds && `${video.duration_seconds.toFixed(1)} s`,
    video.credits.charged ? `${credits(video.credits.charged)} charged` : video.credits.held ? `${credits(video.credits.held)} held` : null,
  ];
  return facts.filter(Boolean).join(" · ");
}

function actionsFor(video) {
  const button = (text, ...step) => quiet(text, () => act(video, ...step));
  if (video.status === "queued") return [button("Cancel", "POST", "/cancel")];
  if (video.status === "processing") {
    if (video.cancel_credits == null) return [];
    const cost = video.cancel_credits ? `it costs ${credits(video.cancel_credits)}` : "it costs nothing";
    return [button(`Cancel: ${cost}`, "POST", "/cancel")];
  }
  const again = video.script && quiet("Use this script", () => tell("reuse", video.script)), remove = quiet("Delete…", () => askToDelete(video));
  const mayRetry = video.status === "canceled" || (video.status === "failed" && video.error?.retryable);
  return [mayRetry ? button("Try again", "POST", "/retry") : null, again, remove].filter(Boolean);
}
