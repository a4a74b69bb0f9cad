// The finished film, with what goes with it.

import { call } from "./api.js";
import { $, h } from "./dom.js";
import { on } from "./hub.js";
import { fileNameOf, titleOf } from "./videos.js";

const links = new Map();

export function startPlayer() {
  on("signed-out", () => links.clear());
}

// Files: their addresses want the Authorization header, which a player cannot send, and lead to signed links.
export async function signedLink(path) {
  if (!links.has(path)) {
    const link = call(path, { raw: true, headers: { Range: "bytes=0-0" } }).then((response) => response.url);
    link.catch(() => links.delete(path));
    links.set(path, link);
  }
  return links.get(path);
}

export const linkTo = (video, name) => signedLink(`videos/${video.id}/${name}`);

async function subtitlesOf(video) {
  const answer = await call(`videos/${video.id}/captions?format=vtt`, { raw: true });
  return URL.createObjectURL(await answer.blob());
}

// Into `screen`, with links to its files among `actions`.
export async function showPlayer(video, screen, actions) {
  const player = h("video", { controls: true, playsinline: true, preload: "metadata", "aria-label": titleOf(video) });
  try {
    const poster = video.thumbnail_url ? await linkTo(video, "thumbnail").catch(() => "") : "";
    if (poster) player.poster = poster;
    player.src = await linkTo(video, "file");
    player.addEventListener("error", () => renewLink(video, player), { once: true });
    screen.replaceChildren(player);
    actions.prepend(h("a", { class: "primary", href: player.src, download: fileNameOf(video, "mp4") }, "Download MP4"));
    if (video.captions_url) await addTrack(video, player, actions);
  } catch (error) {
    screen.replaceChildren(h("p", { class: "idle" }, `The file could not be opened. ${error.message}`));
  }
}

// A signed link lives for an hour; a page may stay open for longer.
async function renewLink(video, player) {
  const at = player.currentTime;
  links.delete(`videos/${video.id}/file`);
  player.src = await linkTo(video, "file").catch(() => player.src);
  player.currentTime = at;
}

async function addTrack(video, player, actions) {
  const src = await subtitlesOf(video).catch(() => null);
  if (!src) return;
  const track = h("track", { kind: "captions", label: "Captions", srclang: "und", src, default: !video.captions });
  track.addEventListener("load", () => URL.revokeObjectURL(src));
  player.append(track);
  actions.append(h("a", { class: "quiet", href: await linkTo(video, "captions"), download: fileNameOf(video, "srt") }, "Subtitles"));
}
