// The presenters that everybody can choose from.

import { call } from "./api.js";
import { $, h, image, later } from "./dom.js";
import { on, tell } from "./hub.js";
import { fail } from "./notices.js";

export const avatars = new Map();
export let chosen = null;
let nextPresenters = null;

export function startCatalogue() {
  on("signed-out", () => { chosen = null; });
  $("search").addEventListener("input", later(300, () => loadPresenters().catch(fail)));
  $("search").addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  $("more-presenters").addEventListener("click", () => loadPresenters(nextPresenters).catch(fail));
}

export async function loadPresenters(cursor = null) {
  const query = new URLSearchParams({ owner: "shared", limit: 24, search: $("search").value.trim(), cursor: cursor ?? "" });
  for (const name of ["search", "cursor"]) if (!query.get(name)) query.delete(name);
  const wanted = $("search").value;
  const { data, meta } = await call(`avatars?${query}`);
  if ($("search").value !== wanted) return;
  nextPresenters = meta.next_cursor;
  const usable = data.filter((avatar) => avatar.is_available);
  usable.forEach((avatar) => avatars.set(avatar.id, avatar));
  const cards = usable.map(presenterCard);
  const hadFocus = document.activeElement === $("more-presenters");
  $("more-presenters").hidden = !nextPresenters;
  if (cursor) $("presenters").append(...cards);
  else $("presenters").replaceChildren(...(cards.length ? cards : [h("p", { class: "empty" }, wanted ? "Nobody by that name." : "The catalogue is still being fetched. Reload in a moment.")]));
  if (hadFocus) cards[0]?.querySelector("input").focus();
  $("presenters").removeAttribute("aria-busy");
  if (!chosen && usable.length) choosePresenter(usable[0]);
  tell("presenters-loaded");
}

function presenterCard(avatar) {
  const [name, ...role] = avatar.name.split(", ");
  const frame = h("span", { class: "frame" }, image(avatar.preview_image_url), avatar.is_premium ? h("span", { class: "premium" }, "Premium") : null);
  const radio = h("input", { type: "radio", name: "avatar_id", value: avatar.id, onchange: () => choosePresenter(avatar) });
  radio.checked = chosen?.id === avatar.id;
  const small = h("small", {}, role.join(", ") || avatar.kind.replace("_", " "));
  const label = h("label", { title: avatar.name }, radio, h("span", {}, frame, h("span", { class: "caption" }, h("b", {}, name), small)));
  const card = h("div", { class: "presenter" }, label);
  if (avatar.preview_video_url) addPreview(card, frame, avatar);
  return card;
}

// Hovering shows the presenter moving, without sound; the button plays with sound, for touch and keyboard too.
function addPreview(card, frame, avatar) {
  let film = null;
  const stop = () => { film?.remove(); film = null; button.classList.remove("playing"); };
  const start = (muted) => {
    stop();
    film = h("video", { src: avatar.preview_video_url, playsinline: true, onended: stop, onerror: stop });
    Object.assign(film, { muted, loop: muted });
    frame.append(film);
    film.play().catch(() => {});
    button.classList.toggle("playing", !muted);
  };
  const button = h("button", { type: "button", class: "peek", "aria-label": `Play a preview of ${avatar.name}` });
  button.addEventListener("click", () => (button.classList.contains("playing") ? stop() : start(false)));
  card.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && start(true));
  card.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && stop());
  card.append(button);
}

function choosePresenter(avatar) {
  chosen = avatar;
  document.querySelectorAll("input[name=avatar_id]").forEach((radio) => { radio.checked = radio.value === avatar.id; });
  tell("presenter-chosen");
}
