// The list of videos, and the look at those that are being made.

import { loadWallet } from "./account.js";
import { addressOf, leads } from "./address.js";
import { call } from "./api.js";
import { isBeingDeleted } from "./deletion.js";
import { $, h, pause } from "./dom.js";
import { on, tell } from "./hub.js";
import { fail } from "./notices.js";
import { linkTo } from "./player.js";
import { choose, markCurrent, showVideo, shown } from "./stage.js";
import { ACTIVE, WORDS, titleOf } from "./videos.js";
import { moment, seconds } from "./words.js";

const POLL_MS = 1500;
let nextHistory = null, epoch = 0;

export function startHistory() {
  on("videos-changed", () => refresh().catch(fail));
  on("video-hidden", () => loadHistory().catch(fail));
  on("video-unhidden", () => loadHistory().catch(fail));
  on("signed-out", () => { epoch += 1; });
  $("more-history").addEventListener("click", () => loadHistory(nextHistory).catch(fail));
}

const refresh = () => Promise.all([loadWallet(), loadHistory()]);

export async function loadHistory(cursor = null) {
  const { data, meta } = await call(`videos?limit=12${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  nextHistory = meta.next_cursor;
  $("more-history").hidden = !nextHistory;
  const rows = data.filter((video) => !isBeingDeleted(video.id)).map(historyRow);
  const focused = $("history").contains(document.activeElement) ? document.activeElement.dataset.id : null;
  if (cursor) $("history").append(...rows);
  else $("history").replaceChildren(...(rows.length ? rows : [h("li", { class: "empty" }, "Nothing yet.")]));
  if (cursor) rows[0]?.firstChild.focus();
  else if (focused) (rows.find((row) => row.firstChild.dataset.id === focused)?.firstChild ?? $("stage")).focus({ preventScroll: true });
}

function historyRow(video) {
  const facts = [moment(video.created_at), video.format, video.duration_seconds && seconds(video.duration_seconds)];
  const thumb = h("span", { class: "thumb", "data-format": video.format });
  if (video.thumbnail_url) linkTo(video, "thumbnail").then((src) => thumb.append(h("img", { src, alt: "" })), () => {});
  const about = h("span", { class: "about" }, h("b", {}, titleOf(video)), h("small", {}, facts.filter(Boolean).join(" · ")));
  const chip = h("span", { class: `chip ${video.status}` }, WORDS[video.status]);
  const row = h("a", { href: addressOf(video), "data-id": video.id }, h("span", { class: "still" }, thumb), about, chip);
  row.dataset.active = ACTIVE.includes(video.status);
  markCurrent(row);
  return h("li", {}, leads(row, () => choose(video)));
}

export async function keepLooking() {
  const mine = ++epoch;
  while (mine === epoch) {
    await pause(POLL_MS);
    // A failed poll changes nothing: the next one shows the state.
    if (mine === epoch) await look().catch(() => {});
  }
}

async function look() {
  const before = shown;
  if (before && ACTIVE.includes(before.status)) {
    const { data } = await call(`videos/${before.id}`);
    if (shown?.id === data.id) showVideo(data);
    if (data.status !== before.status) tell("videos-changed");
  } else if (document.querySelector("#history [data-active=true]")) {
    await refresh();
  }
}
