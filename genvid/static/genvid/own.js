// The account's own presenters and voices: how far each is, and what may be done with it.

import { loadWallet } from "./account.js";
import { allOf, call } from "./api.js";
import { avatars } from "./catalogue.js";
import { ask } from "./dialogs.js";
import { $, h, image, pause, quiet } from "./dom.js";
import { on, tell } from "./hub.js";
import { announce, fail } from "./notices.js";
import { openRenaming } from "./renaming.js";
import { tokens } from "./tokens.js";
import { credits } from "./words.js";

const POLL_MS = 3000;
const PENDING = ["review", "queued", "creating", "waiting_for_consent"];
const STATES = { review: "We look at it first", queued: "Waiting", creating: "Being made", waiting_for_consent: "Waiting for consent", ready: "Ready", failed: "Failed", refused: "Refused" };
const LOOKS = { ready: "completed", failed: "failed", refused: "failed" };
const WARNING = "This withdraws the consent: nobody can use it from now on, and the copy at the provider is deleted. Queued videos of it fail and give their credits back. Finished videos stay.";
const NO_LINK = "There is no link to the consent page, or it has expired.";
const NOBODY = "No presenter of your own yet. Make one from a picture, or from a film of somebody who speaks.";
const NO_VOICE = "No voice of your own yet. Clone one from a recording.";

export let chosenOwn = null;
let faces = [], voices = [], epoch = 0;

// Those of test keys are for test videos alone.
export const ownVoices = () => voices.filter((voice) => !voice.is_test);

export function startOwn() {
  on("own-added", () => loadOwn().catch(fail));
  on("signed-out", () => { epoch += 1; chosenOwn = null; show([], []); });
}

export async function loadOwn() {
  const mine = ++epoch;
  show(...await read());
  if (mine === epoch) keepLooking(mine).catch(fail);
}

const read = () => Promise.all(["avatars", "voices"].map((path) => allOf(`${path}?owner=me`)));
const isBeingMade = (entry) => PENDING.includes(entry.status);

// While one is being made; a failed look changes nothing: the next one shows the state.
async function keepLooking(mine) {
  while (mine === epoch && tokens.get() && [...faces, ...voices].some(isBeingMade)) {
    await pause(POLL_MS);
    const found = mine === epoch && !document.hidden && await read().catch(() => null);
    if (found && mine === epoch) show(...found);
  }
}

function show(newFaces, newVoices) {
  const before = new Map([...faces, ...voices].map((entry) => [entry.id, entry]));
  if (before.size && JSON.stringify([faces, voices]) === JSON.stringify([newFaces, newVoices])) return;
  [faces, voices] = [newFaces, newVoices];
  faces.forEach((avatar) => avatars.set(avatar.id, avatar));
  chosenOwn = faces.find((avatar) => avatar.id === chosenOwn?.id && isUsable(avatar)) ?? null;
  keepingFocus($("own-presenters"), () => fill("own-presenters", faces.map(faceCard), NOBODY, "p"));
  keepingFocus($("own-voices"), () => fill("own-voices", voices.map(voiceRow), NO_VOICE, "li"));
  const moved = [...faces, ...voices].filter(({ id, status }) => before.has(id) && before.get(id).status !== status);
  if (moved.length) announce(moved.map((entry) => `${entry.name}: ${STATES[entry.status]}. ${entry.error?.message ?? ""}`).join(" "));
  if (moved.some((entry) => !isBeingMade(entry))) loadWallet().catch(() => {});
  tell("own-changed");
}

const fill = (id, children, none, tag) => $(id).replaceChildren(...(children.length ? children : [h(tag, { class: "empty" }, none)]));

function keepingFocus(box, draw) {
  const key = box.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  draw();
  if (key) (box.querySelector(`[data-key="${CSS.escape(key)}"]`) ?? box.parentElement.querySelector("[data-make]")).focus({ preventScroll: true });
}

const isUsable = (avatar) => avatar.status === "ready" && avatar.is_available && !avatar.is_test;
const OF_TEST_KEY = " · of a test key";

function faceCard(avatar) {
  const radio = h("input", { type: "radio", name: "own_id", value: avatar.id, disabled: !isUsable(avatar), "data-key": `choose ${avatar.id}`, onchange: () => choose(avatar) });
  radio.checked = chosenOwn?.id === avatar.id;
  const frame = h("span", { class: "frame" }, image(avatar.preview_image_url));
  const label = h("label", { title: avatar.name }, radio, h("span", {}, frame, h("span", { class: "caption" }, h("b", {}, avatar.name), h("small", {}, avatar.kind.replace("_", " "), avatar.is_test ? OF_TEST_KEY : ""))));
  return h("div", { class: "presenter own-card", "data-id": avatar.id }, label, ...stateOf("avatars", avatar));
}

function choose(avatar) {
  chosenOwn = avatar;
  tell("presenter-chosen");
}

function voiceRow(voice) {
  return h("li", { "data-id": voice.id }, h("span", { class: "about" }, h("b", { title: voice.name }, voice.name), h("small", {}, voice.language, voice.is_test ? OF_TEST_KEY : "")), ...stateOf("voices", voice));
}

// Nothing for those that the operator has made for the account: they are as those of the catalogue.
function stateOf(path, entry) {
  if (!entry.credits) return [];
  const money = entry.credits.held ? `${credits(entry.credits.held)} held` : entry.credits.charged ? `${credits(entry.credits.charged)} charged` : "Nothing was charged.";
  const problem = h("span", { class: "wrong", role: "alert" });
  const rename = quiet("Rename…", () => openRenaming(path, entry), { "data-key": `rename ${entry.id}`, "aria-label": `Rename ${entry.name}…` });
  const actions = h("div", { class: "actions" }, ...consentSteps(entry, problem), rename, removal(path, entry, problem));
  const chip = h("span", { class: `chip ${LOOKS[entry.status] ?? "processing"}` }, STATES[entry.status]);
  const reason = entry.error ? h("span", { class: "reason" }, entry.error.message) : null;
  return [h("div", { class: "own-state" }, chip, reason, h("small", {}, money), actions, problem)];
}

function consentSteps(entry, problem) {
  if (entry.consent?.status !== "waiting") return [];
  const page = !entry.consent.url ? h("small", {}, NO_LINK) : h("a", { class: "quiet", href: entry.consent.url, target: "_blank", rel: "noopener", "data-key": `page ${entry.id}` }, "Consent page");
  const renew = () => attempt(problem, async () => {
    await call(`avatars/${entry.id}/consent`, { method: "POST" });
    announce(`A fresh link to the consent page of ${entry.name} is there, for a day.`);
    await loadOwn();
  });
  return [page, quiet("Fresh link", renew, { "data-key": `renew ${entry.id}`, "aria-label": `Fresh link to the consent page of ${entry.name}` })];
}

function removal(path, entry, problem) {
  const remove = async () => {
    if (!await ask(`Delete “${entry.name}”?`, WARNING)) return;
    await attempt(problem, async () => {
      await call(`${path}/${entry.id}`, { method: "DELETE" });
      announce(`${entry.name} is deleted.`);
      tell("materials-used");
      await Promise.all([loadOwn(), loadWallet()]);
    });
  };
  return quiet("Delete…", remove, { "data-key": `delete ${entry.id}`, "aria-label": `Delete ${entry.name}…` });
}

async function attempt(problem, step) {
  problem.textContent = "";
  try { await step(); } catch (error) { problem.textContent = error.message; }
}
