// The video on stage: how it comes along, and then the film itself.

import { call } from "./api.js";
import { avatars } from "./catalogue.js";
import { $, h, quiet } from "./dom.js";
import { on, tell } from "./hub.js";
import { notify } from "./notices.js";
import { WAITING, credits, seconds } from "./words.js";

export const ACTIVE = ["queued", "processing"];
export const WORDS = { draft: "Draft", queued: "Waiting in the queue", processing: "Being made", completed: "Finished", failed: "Failed", canceled: "Canceled" };
export const titleOf = (video) => video.title || video.script;

export let shown = null;
let offered;
const links = new Map();

export function startStage() {
  on("signed-out", () => { shown = null; links.clear(); });
}

async function act(video, method, path = "") {
  try {
    const { data } = await call(`videos/${video.id}${path}`, { method });
    showVideo(data ?? null);
    tell("videos-changed");
  } catch (error) {
    const action = error.code === "insufficient_credits" ? quiet("Get credits", () => tell("get-credits")) : null;
    notify(error.message, { bad: true, action });
  }
}

export function showVideo(video) {
  const before = shown;
  shown = video;
  document.querySelectorAll("#history button").forEach((button) => button.toggleAttribute("aria-current", button.dataset.id === video?.id));
  if (!video) {
    const idle = h("p", { class: "idle" }, "Your video will appear here. Pick a presenter, write a script, generate.");
    return $("stage").replaceChildren(h("div", { class: "screen" }, idle));
  }
  // While it is being made only the figures move, so that the bar glides and a screen reader is left in peace.
  if (before?.id === video.id && before.status === video.status && $("percent")) return showProgress(video);
  offered = video.cancel_credits;
  const screen = h("div", { class: "screen" });
  $("stage").replaceChildren(screen, creditsRoll(video));
  if (ACTIVE.includes(video.status)) {
    screen.append(h("div", { class: "working" }, h("span", { class: "percent", id: "percent" }), h("progress", { max: 100, id: "bar", "aria-label": "Progress" }), h("strong", { role: "status" }, WORDS[video.status]), h("span", { id: "eta" })));
    return showProgress(video);
  }
  if (video.status === "completed") return showPlayer(video, screen);
  return screen.append(h("p", { class: "idle" }, video.error?.message ?? `${WORDS[video.status]}.`));
}

function showProgress(video) {
  $("percent").textContent = `${video.progress_percent} %`;
  $("bar").value = video.progress_percent;
  if (video.cancel_credits !== offered) offerActions(video);
  const late = video.status === "processing" && video.eta_seconds == null && "it takes longer than usual";
  const parts = [
    WAITING[video.waiting_for] ?? late,
    video.queue_position != null && `number ${video.queue_position} in the queue`,
    video.eta_seconds != null && `about ${seconds(video.eta_seconds)} left`,
  ];
  $("eta").textContent = parts.filter(Boolean).join(" · ");
}

function creditsRoll(video) {
  const avatar = avatars.get(video.avatar_id)?.name;
  const facts = [
    avatar, video.format, video.resolution,
    video.duration_seconds && `${video.duration_seconds.toFixed(1)} s`,
    video.credits.charged ? `${credits(video.credits.charged)} charged` : video.credits.held ? `${credits(video.credits.held)} held` : null,
  ];
  const headline = h("div", { class: "headline" }, h("h2", {}, titleOf(video)), h("span", { class: `chip ${video.status}` }, WORDS[video.status]));
  return h("div", { class: "credits-roll" }, headline, h("p", { class: "facts-line" }, facts.filter(Boolean).join(" · ")), h("div", { class: "actions", id: "actions" }, ...actionsFor(video)));
}

// While a video is being made, what may be done with it changes: a render that is stuck may be let go.
function offerActions(video) {
  offered = video.cancel_credits;
  $("actions").replaceChildren(...actionsFor(video));
}

function actionsFor(video) {
  const button = (text, ...step) => quiet(text, () => act(video, ...step));
  const again = quiet("Use this script", () => tell("reuse", video.script));
  if (video.status === "queued") return [button("Cancel", "POST", "/cancel")];
  if (video.status === "processing") {
    if (video.cancel_credits == null) return [];
    const cost = video.cancel_credits ? `it costs ${credits(video.cancel_credits)}` : "it costs nothing";
    return [button(`Cancel: ${cost}`, "POST", "/cancel")];
  }
  if (video.status === "completed") return [again, button("Delete", "DELETE")];
  return [button("Try again", "POST", "/retry"), again, button("Delete", "DELETE")];
}

// Files: their addresses want the Authorization header, which a player cannot send, and lead to signed links.

export async function linkTo(video, name) {
  const key = `${video.id}/${name}`;
  if (!links.has(key)) {
    const link = call(`videos/${key}`, { raw: true, headers: { Range: "bytes=0-0" } }).then((response) => response.url);
    link.catch(() => links.delete(key));
    links.set(key, link);
  }
  return links.get(key);
}

async function subtitlesOf(video) {
  const answer = await call(`videos/${video.id}/captions?format=vtt`, { raw: true });
  return URL.createObjectURL(await answer.blob());
}

async function showPlayer(video, screen) {
  const player = h("video", { controls: true, playsinline: true, preload: "metadata", "aria-label": titleOf(video) });
  try {
    const poster = video.thumbnail_url ? await linkTo(video, "thumbnail").catch(() => "") : "";
    if (poster) player.poster = poster;
    player.src = await linkTo(video, "file");
    player.addEventListener("error", () => renewLink(video, player), { once: true });
    screen.replaceChildren(player);
    if (shown?.id === video.id) $("actions").prepend(h("a", { class: "primary", href: player.src, download: `genvid-${video.id.slice(0, 8)}.mp4` }, "Download MP4"));
    if (video.captions_url) await addTrack(video, player);
  } catch (error) {
    screen.replaceChildren(h("p", { class: "idle" }, `The file could not be opened. ${error.message}`));
  }
}

// A signed link lives for an hour; a page may stay open for longer.
async function renewLink(video, player) {
  const at = player.currentTime;
  links.delete(`${video.id}/file`);
  player.src = await linkTo(video, "file").catch(() => player.src);
  player.currentTime = at;
}

async function addTrack(video, player) {
  const src = await subtitlesOf(video).catch(() => null);
  if (!src) return;
  const track = h("track", { kind: "captions", label: "Captions", srclang: "und", src, default: !video.captions });
  track.addEventListener("load", () => URL.revokeObjectURL(src));
  player.append(track);
  $("actions").append(h("a", { class: "quiet", href: await linkTo(video, "captions"), download: "captions.srt" }, "Subtitles"));
}
