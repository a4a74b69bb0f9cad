// The studio: everything here goes through the public API that customers use.

const API = "/api/v1/";
const SCRIPT_LIMIT = 5000;
const POLL_MS = 1500;
const ACTIVE = ["queued", "processing"];
const WORDS = { draft: "Draft", queued: "Waiting in the queue", processing: "Being made", completed: "Finished", failed: "Failed", canceled: "Canceled" };

const $ = (id) => document.getElementById(id);
const state = { avatars: new Map(), voices: [], chosen: null, shown: null, links: new Map(), order: null, epoch: 0 };

// ── Small helpers

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

function later(milliseconds, action) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(action, milliseconds); };
}

function seconds(count) {
  const whole = Math.round(count);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

const titleOf = (video) => video.title || video.script;
const credits = (count) => `${count} ${count === 1 ? "credit" : "credits"}`;

// ── Talking to the API

class ApiError extends Error {
  constructor(status, error) {
    super(error.message);
    Object.assign(this, { status, code: error.code, details: error.details || {} });
  }
}

const tokens = {
  get: () => JSON.parse(sessionStorage.getItem("genvid") || "null"),
  set: (pair) => sessionStorage.setItem("genvid", JSON.stringify({ access: pair.access_token, refresh: pair.refresh_token })),
  clear: () => sessionStorage.removeItem("genvid"),
};

async function send(path, { method = "GET", body, headers = {} } = {}) {
  const held = tokens.get();
  if (held) headers = { ...headers, Authorization: `Bearer ${held.access}` };
  if (body !== undefined) headers = { ...headers, "Content-Type": "application/json" };
  try {
    return await fetch(API + path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new ApiError(0, { code: "offline", message: "The server cannot be reached. Is it running?" });
  }
}

async function call(path, options = {}) {
  const used = tokens.get();
  let response = await send(path, options);
  if (response.status === 401 && used && !path.startsWith("auth/")) {
    await refresh(used);
    response = await send(path, options);
  }
  if (response.ok && options.raw) return response;
  const text = await response.text();
  if (response.ok) return text ? JSON.parse(text) : {};
  throw new ApiError(response.status, errorIn(text) || { code: "server_error", message: `The server answered ${response.status}.` });
}

function errorIn(text) {
  try { return JSON.parse(text).error; } catch { return null; }
}

// A refresh token works once, and using it twice ends the session: whoever needs a new one waits for the same answer.
let refreshing = null;

async function refresh(used) {
  if (tokens.get()?.access !== used.access) return;
  refreshing ??= call("auth/refresh", { method: "POST", body: { refresh_token: used.refresh } })
    .then(({ data }) => tokens.set(data))
    .catch((error) => { if (error.status === 401) signedOut("Your session has ended. Please sign in again."); throw error; })
    .finally(() => { refreshing = null; });
  await refreshing;
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// ── Notices and errors

function notify(text, { bad = false, action } = {}) {
  const close = h("button", { type: "button", class: "quiet", onclick: () => note.remove() }, "Close");
  const note = h("p", { class: bad ? "notice bad" : "notice" }, h("span", {}, text), action ?? close);
  $("notices").append(note);
}

function clearProblems(form) {
  form.querySelectorAll(".wrong").forEach((element) => element.remove());
  form.querySelectorAll(".invalid").forEach((element) => element.classList.remove("invalid"));
}

function showProblem(form, box, error) {
  clearProblems(form);
  const homeless = [];
  for (const [name, message] of Object.entries(error?.details ?? {})) {
    const field = form.querySelector(`[data-field="${CSS.escape(name.split(".")[0])}"]`);
    field?.classList.add("invalid");
    if (field?.classList.contains("field")) field.append(h("span", { class: "wrong" }, message));
    else homeless.push(`${name}: ${message}`);
  }
  box.hidden = !error;
  box.textContent = error ? [error.message, ...homeless].join("\n") : "";
}

// ── Signing in and out

function wayChanged() {
  const form = $("sign-in"), joining = form.elements.way.value === "register";
  $("way-hint").textContent = joining ? $("way-hint").dataset.register : $("way-hint").dataset.login;
  $("sign-in-button").textContent = joining ? "Create account" : "Sign in";
  form.elements.password.autocomplete = joining ? "new-password" : "current-password";
  $("forgot").hidden = joining;
  $("code-field").hidden = true;
  form.elements.totp_code.value = "";
  showProblem(form, $("sign-in-problem"), null);
}

async function signIn(event) {
  event.preventDefault();
  const form = event.target, way = form.elements.way.value;
  $("sign-in-button").disabled = true;
  try {
    const body = { email: form.elements.email.value.trim(), password: form.elements.password.value };
    if (form.elements.totp_code.value) body.totp_code = form.elements.totp_code.value.trim();
    const { data } = await call(`auth/${way}`, { method: "POST", body });
    tokens.set(data);
    form.elements.password.value = form.elements.totp_code.value = "";
    $("code-field").hidden = true;
    showProblem(form, $("sign-in-problem"), null);
    await openStudio(way === "register");
  } catch (error) {
    showProblem(form, $("sign-in-problem"), error);
    if (error.code === "totp_required") {
      $("code-field").hidden = false;
      form.elements.totp_code.focus();
    }
  } finally {
    $("sign-in-button").disabled = false;
  }
}

function goTo(way) {
  $("sign-in").elements.way.value = way;
  wayChanged();
}

async function forgotPassword() {
  const email = $("sign-in").elements.email;
  if (!email.reportValidity()) return;
  try {
    await call("auth/password/forgot", { method: "POST", body: { email: email.value.trim() } });
    notify("If somebody is registered with this address, a link is on its way to it.");
  } catch (error) {
    showProblem($("sign-in"), $("sign-in-problem"), error);
  }
}

function askForNewPassword(token) {
  history.replaceState(null, "", location.pathname);
  $("sign-in").hidden = true;
  $("reset").hidden = $("welcome").hidden = false;
  $("reset").addEventListener("submit", (event) => { event.preventDefault(); resetPassword(token); });
}

async function resetPassword(token) {
  const form = $("reset");
  $("reset-button").disabled = true;
  try {
    const { data } = await call("auth/password/reset", { method: "POST", body: { token, new_password: form.elements.new_password.value } });
    form.reset();
    form.hidden = true;
    $("sign-in").hidden = false;
    goTo("login");
    $("sign-in").elements.email.value = data.email;
    notify("Your password is set. Sign in with it.");
  } catch (error) {
    showProblem(form, $("reset-problem"), error);
  } finally {
    $("reset-button").disabled = false;
  }
}

// An invitation is for one address, and whoever is signed in here may have another: so it asks anew.
function askToJoin(token) {
  history.replaceState(null, "", location.pathname);
  if (tokens.get()) signOut();
  $("sign-in").hidden = true;
  $("join").hidden = $("welcome").hidden = false;
  $("join").addEventListener("submit", (event) => { event.preventDefault(); join(token); });
}

async function join(token) {
  const form = $("join"), { password, full_name, totp_code } = form.elements;
  const body = { token, password: password.value };
  for (const field of [full_name, totp_code]) if (field.value.trim()) body[field.name] = field.value.trim();
  $("join-button").disabled = true;
  try {
    const { data } = await call("auth/invitations/accept", { method: "POST", body });
    form.reset();
    form.hidden = true;
    $("sign-in").hidden = false;
    tokens.set(data);
    await openStudio();
    notify(`Welcome to ${data.account.name}.`);
  } catch (error) {
    showProblem(form, $("join-problem"), error);
    if (error.code === "totp_required") {
      $("join-code-field").hidden = false;
      totp_code.focus();
    }
  } finally {
    $("join-button").disabled = false;
  }
}

function signOut() {
  const held = tokens.get();
  if (held) call("auth/logout", { method: "POST", body: { refresh_token: held.refresh } }).catch(() => {});
  signedOut();
}

function signedOut(reason) {
  tokens.clear();
  state.epoch += 1;
  Object.assign(state, { shown: null, order: null, chosen: null });
  state.links.clear();
  $("account").hidden = $("studio").hidden = true;
  $("welcome").hidden = false;
  if (reason) notify(reason, { bad: true });
}

async function verifyAddress(token) {
  history.replaceState(null, "", location.pathname);
  try {
    const { data } = await call("auth/email/verify", { method: "POST", body: { token } });
    notify(`Thank you: ${data.email} is verified.`);
  } catch (error) {
    notify(`The address could not be verified. ${error.message}`, { bad: true });
  }
}

function askToVerify() {
  const resend = h("button", { type: "button", class: "quiet" }, "Send the link again");
  resend.addEventListener("click", async () => {
    resend.disabled = true;
    await call("auth/email/verification", { method: "POST" }).then(() => { resend.textContent = "Sent"; }, (error) => notify(error.message, { bad: true }));
  });
  notify("Confirm your e-mail address to generate videos: the link is in your inbox.", { action: resend });
}

// ── Opening the studio

async function openStudio(isNew = false) {
  $("notices").replaceChildren();
  const { data: profile } = await call("profile");
  state.epoch += 1;
  $("who").textContent = profile.email;
  $("welcome").hidden = true;
  $("account").hidden = $("studio").hidden = false;
  const wallet = await showWallet();
  if (isNew) notify(`Welcome! ${credits(wallet.available)} are on your account. Each video shows its price before you generate it, and a failed one costs nothing.`);
  if (!profile.email_verified && document.body.dataset.verificationRequired === "yes") askToVerify();
  showVideo(null);
  await Promise.all([loadPresenters(), loadVoices(), loadHistory()]);
  poll(state.epoch);
}

async function showWallet() {
  const { data } = await call("billing/wallet");
  $("wallet").textContent = data.held ? `${credits(data.available)} · ${data.held} held` : credits(data.available);
  return data;
}

// ── Presenters

let nextPresenters = null;

async function loadPresenters(cursor = null) {
  const query = new URLSearchParams({ limit: 24, search: $("search").value.trim(), cursor: cursor ?? "" });
  for (const name of ["search", "cursor"]) if (!query.get(name)) query.delete(name);
  const wanted = $("search").value;
  const { data, meta } = await call(`avatars?${query}`);
  if ($("search").value !== wanted) return;
  nextPresenters = meta.next_cursor;
  $("more-presenters").hidden = !nextPresenters;
  const usable = data.filter((avatar) => avatar.is_available);
  usable.forEach((avatar) => state.avatars.set(avatar.id, avatar));
  const cards = usable.map(presenterCard);
  if (cursor) $("presenters").append(...cards);
  else $("presenters").replaceChildren(...(cards.length ? cards : [h("p", { class: "empty" }, wanted ? "Nobody by that name." : "The catalogue is still being fetched. Reload in a moment.")]));
  $("presenters").removeAttribute("aria-busy");
  if (!state.chosen && usable.length) choosePresenter(usable[0]);
}

function presenterCard(avatar) {
  const [name, ...role] = avatar.name.split(", ");
  const image = h("img", { src: avatar.preview_image_url || null, alt: "", loading: "lazy" });
  const frame = h("span", { class: "frame" }, image, avatar.is_premium ? h("span", { class: "premium" }, "Premium") : null);
  const radio = h("input", { type: "radio", name: "avatar_id", value: avatar.id, onchange: () => choosePresenter(avatar) });
  radio.checked = state.chosen?.id === avatar.id;
  const small = h("small", {}, role.join(", ") || avatar.kind.replace("_", " "));
  const label = h("label", {}, radio, h("span", {}, frame, h("span", { class: "caption" }, name, small)));
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
  state.chosen = avatar;
  document.querySelectorAll("input[name=avatar_id]").forEach((radio) => { radio.checked = radio.value === avatar.id; });
  const own = state.voices.find((voice) => voice.id === avatar.default_voice_id);
  if (own) $("language").value = own.language;
  showVoices(own?.id);
}

// ── Voices

async function loadVoices(pages = 40) {
  const voices = [];
  for (let cursor = ""; pages > 0; pages -= 1) {
    const { data, meta } = await call(`voices?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    voices.push(...data.filter((voice) => voice.is_available));
    cursor = meta.next_cursor;
    if (!cursor) break;
  }
  state.voices = voices;
  const languages = [...new Set(voices.map((voice) => voice.language))].sort();
  $("language").replaceChildren(...languages.map((language) => h("option", { value: language }, language)));
  if (state.chosen) choosePresenter(state.chosen);
}

function showVoices(selected) {
  const { gender, default_voice_id: own } = state.chosen ?? {};
  const rank = (voice) => [voice.id !== own, voice.gender !== gender, voice.name].join();
  const fitting = state.voices.filter((voice) => voice.language === $("language").value);
  fitting.sort((a, b) => rank(a).localeCompare(rank(b)));
  const label = (voice) => `${voice.name}, ${voice.id === own ? "the presenter's own" : voice.gender}`;
  $("voice").replaceChildren(...fitting.map((voice) => h("option", { value: voice.id }, label(voice))));
  if (selected) $("voice").value = selected;
  voiceChanged();
}

const sample = new Audio();

function voiceChanged() {
  sample.pause();
  const voice = state.voices.find(({ id }) => id === $("voice").value);
  $("sample").disabled = !voice?.preview_audio_url;
  $("sample").dataset.url = voice?.preview_audio_url ?? "";
  formChanged();
}

function playSample() {
  if (!sample.paused) return sample.pause();
  sample.src = $("sample").dataset.url;
  // Choosing another voice while this one loads ends the wait: that is no failure.
  return sample.play().catch((error) => error.name === "AbortError" || notify("The sample could not be played.", { bad: true }));
}

// ── The wish, its price, its curl

function wish() {
  const { elements } = $("make");
  const colour = elements.background.value === "custom" ? $("colour").value : elements.background.value;
  return {
    script: $("script").value,
    avatar_id: state.chosen?.id,
    ...($("voice").value && { voice_id: $("voice").value }),
    format: elements.format.value,
    resolution: elements.resolution.value,
    captions: elements.captions.checked,
    ...(colour && { background: { type: "color", value: colour } }),
  };
}

function formChanged() {
  const length = [...$("script").value].length;
  $("count").textContent = `${length} / ${SCRIPT_LIMIT}`;
  $("count").classList.toggle("over", length > SCRIPT_LIMIT);
  $("generate").disabled = true;
  showCurl();
  askQuote();
}

let quoting = 0;
const askQuote = later(350, async () => {
  const turn = ++quoting, body = wish(), ready = body.avatar_id && body.script.trim();
  if (!ready || !tokens.get()) return showQuote(null);
  try {
    const { data } = await call("videos/quote", { method: "POST", body });
    if (turn !== quoting) return undefined;
    showProblem($("make"), $("make-problem"), null);
    return showQuote(data);
  } catch (error) {
    if (turn !== quoting) return undefined;
    showQuote(null);
    return showProblem($("make"), $("make-problem"), error);
  }
});

function showQuote(quote) {
  $("generate").disabled = !quote?.affordable;
  $("quote").classList.toggle("short", quote != null && !quote.affordable);
  if (!quote) return $("quote").replaceChildren("Write a script to see its price.");
  const have = quote.affordable ? ` of your ${quote.available_credits}` : `, and you have ${quote.available_credits}`;
  return $("quote").replaceChildren(h("strong", {}, `About ${seconds(quote.estimated_seconds)}`), ` · up to ${credits(quote.credits)}${have} · ready in ${seconds(quote.eta_seconds)}`);
}

function showCurl() {
  const base = location.origin + API, json = (value) => `'${JSON.stringify(value).replaceAll("'", "'\\''")}'`;
  const post = (path, ...rest) => ["curl -sS", `${base}${path}`, ...rest].join(" \\\n  ");
  const token = `-H "Authorization: Bearer $TOKEN"`, type = "-H 'Content-Type: application/json'";
  const body = `-d ${json(wish())}`;
  $("curl").textContent = [
    "# Sign in: the answer's data.access_token goes into TOKEN",
    post("auth/login", type, `-d ${json({ email: $("who").textContent || "you@example.com", password: "…" })}`),
    "\n# The price", post("videos/quote", token, type, body),
    "\n# The video: the answer's data.id goes into ID", post("videos", token, `-H "Idempotency-Key: $(uuidgen)"`, type, body),
    "\n# Wait for it, up to 60 seconds a call", post("videos/$ID", token, "-H 'Prefer: wait=60'"),
    "\n# The file", `curl -sSL -o video.mp4 ${base}videos/$ID/file \\\n  ${token}`,
  ].join("\n");
}

async function copyCurl() {
  const copied = await navigator.clipboard?.writeText($("curl").textContent).then(() => true, () => false);
  $("copy").textContent = copied ? "Copied" : "Select and copy by hand";
  setTimeout(() => { $("copy").textContent = "Copy"; }, 2000);
}

// ── Making a video

async function generate(event) {
  event.preventDefault();
  if ($("generate").disabled) return;
  $("generate").disabled = true;
  const body = wish(), same = state.order?.body === JSON.stringify(body);
  // The key stays until there is an answer: a repeated click after a lost connection must not pay twice.
  state.order = same ? state.order : { key: newKey(), body: JSON.stringify(body) };
  try {
    const { data } = await call("videos", { method: "POST", body, headers: { "Idempotency-Key": state.order.key } });
    state.order = null;
    showProblem($("make"), $("make-problem"), null);
    await changed(data);
    $("stage").scrollIntoView({ block: "nearest", behavior: "smooth" });
  } catch (error) {
    showProblem($("make"), $("make-problem"), error);
  } finally {
    askQuote();
  }
}

async function changed(video) {
  showVideo(video);
  await Promise.all([showWallet(), loadHistory()]);
}

async function act(video, method, path = "") {
  try {
    const { data } = await call(`videos/${video.id}${path}`, { method });
    await changed(data ?? null);
    askQuote();
  } catch (error) {
    notify(error.message, { bad: true });
  }
}

// ── The stage

function showVideo(video) {
  const before = state.shown;
  state.shown = video;
  document.querySelectorAll("#history button").forEach((button) => button.toggleAttribute("aria-current", button.dataset.id === video?.id));
  if (!video) {
    const idle = h("p", { class: "idle" }, "Your video will appear here. Pick a presenter, write a script, generate.");
    return $("stage").replaceChildren(h("div", { class: "screen" }, idle));
  }
  // While it is being made only the figures move, so that the bar glides and a screen reader is left in peace.
  if (before?.id === video.id && before.status === video.status && $("percent")) return showProgress(video);
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
  const parts = [
    video.queue_position != null && `number ${video.queue_position} in the queue`,
    video.eta_seconds != null && `about ${seconds(video.eta_seconds)} left`,
  ];
  $("eta").textContent = parts.filter(Boolean).join(" · ");
}

function creditsRoll(video) {
  const avatar = state.avatars.get(video.avatar_id)?.name;
  const facts = [
    avatar, video.format, video.resolution,
    video.duration_seconds && `${video.duration_seconds.toFixed(1)} s`,
    video.credits.charged ? `${credits(video.credits.charged)} charged` : video.credits.held ? `${credits(video.credits.held)} held` : null,
  ];
  const headline = h("div", { class: "headline" }, h("h2", {}, titleOf(video)), h("span", { class: `chip ${video.status}` }, WORDS[video.status]));
  return h("div", { class: "credits-roll" }, headline, h("p", { class: "facts-line" }, facts.filter(Boolean).join(" · ")), h("div", { class: "actions", id: "actions" }, ...actionsFor(video)));
}

function actionsFor(video) {
  const button = (text, ...step) => h("button", { type: "button", class: "quiet", onclick: () => act(video, ...step) }, text);
  const again = h("button", { type: "button", class: "quiet", onclick: () => reuse(video) }, "Use this script");
  if (video.status === "queued") return [button("Cancel", "POST", "/cancel")];
  if (video.status === "processing") return [];
  if (video.status === "completed") return [again, button("Delete", "DELETE")];
  return [button("Try again", "POST", "/retry"), again, button("Delete", "DELETE")];
}

function reuse(video) {
  $("script").value = video.script;
  $("script").focus();
  formChanged();
}

// ── Files: their addresses want the Authorization header, which a player cannot send, and lead to signed links

async function linkTo(video, name) {
  const key = `${video.id}/${name}`;
  if (!state.links.has(key)) {
    const link = call(`videos/${key}`, { raw: true, headers: { Range: "bytes=0-0" } }).then((response) => response.url);
    link.catch(() => state.links.delete(key));
    state.links.set(key, link);
  }
  return state.links.get(key);
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
    if (state.shown?.id === video.id) $("actions").prepend(h("a", { class: "primary", href: player.src, download: `genvid-${video.id.slice(0, 8)}.mp4` }, "Download MP4"));
    if (video.captions_url) await addTrack(video, player);
  } catch (error) {
    screen.replaceChildren(h("p", { class: "idle" }, `The file could not be opened. ${error.message}`));
  }
}

// A signed link lives for an hour; a page may stay open for longer.
async function renewLink(video, player) {
  const at = player.currentTime;
  state.links.delete(`${video.id}/file`);
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

// ── History and polling

let nextHistory = null;

async function loadHistory(cursor = null) {
  const { data, meta } = await call(`videos?limit=12${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  nextHistory = meta.next_cursor;
  $("more-history").hidden = !nextHistory;
  const rows = data.map(historyRow);
  if (cursor) $("history").append(...rows);
  else $("history").replaceChildren(...(rows.length ? rows : [h("li", { class: "empty" }, "Nothing yet.")]));
}

function historyRow(video) {
  const when = new Date(video.created_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  const facts = [when, video.format, video.duration_seconds && seconds(video.duration_seconds)];
  const thumb = h("span", { class: "thumb" });
  if (video.thumbnail_url) linkTo(video, "thumbnail").then((src) => thumb.append(h("img", { src, alt: "" })), () => {});
  const about = h("span", { class: "about" }, h("b", {}, titleOf(video)), h("small", {}, facts.filter(Boolean).join(" · ")));
  const chip = h("span", { class: `chip ${video.status}` }, WORDS[video.status]);
  const button = h("button", { type: "button", "data-id": video.id, onclick: () => showVideo(video), "aria-current": state.shown?.id === video.id }, thumb, about, chip);
  button.dataset.active = ACTIVE.includes(video.status);
  return h("li", {}, button);
}

async function poll(epoch) {
  while (state.epoch === epoch) {
    await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
    // A failed look is no news: the next one tells.
    if (state.epoch === epoch) await look().catch(() => {});
  }
}

async function look() {
  const shown = state.shown, active = document.querySelector("#history [data-active=true]");
  if (shown && ACTIVE.includes(shown.status)) {
    const { data } = await call(`videos/${shown.id}`);
    if (state.shown?.id === data.id) showVideo(data);
    if (data.status === shown.status) return;
    askQuote();
    await Promise.all([showWallet(), loadHistory()]);
  } else if (active) {
    await Promise.all([showWallet(), loadHistory()]);
  }
}

// ── Wiring

const fail = (error) => { if (tokens.get()) notify(error.message, { bad: true }); };

$("sign-in").addEventListener("submit", signIn);
$("forgot").addEventListener("click", forgotPassword);
$("sign-in").addEventListener("change", (event) => event.target.name === "way" && wayChanged());
$("sign-out").addEventListener("click", signOut);
$("search").addEventListener("input", later(300, () => loadPresenters().catch(fail)));
$("search").addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
$("more-presenters").addEventListener("click", () => loadPresenters(nextPresenters).catch(fail));
$("more-history").addEventListener("click", () => loadHistory(nextHistory).catch(fail));
$("language").addEventListener("change", () => showVoices());
$("voice").addEventListener("change", voiceChanged);
$("sample").addEventListener("click", playSample);
for (const name of ["play", "pause", "ended"]) sample.addEventListener(name, () => $("sample").classList.toggle("playing", !sample.paused));
$("colour").addEventListener("input", () => { $("make").elements.background.value = "custom"; formChanged(); });
$("make").addEventListener("input", formChanged);
$("make").addEventListener("submit", generate);
$("copy").addEventListener("click", copyCurl);

// Signed links are on the public address: from another name of the same machine they could not be followed.
const home = new URL(document.body.dataset.publicUrl), loopback = ["localhost", "127.0.0.1", "[::1]"];
if (home.origin !== location.origin && home.port === location.port && [home, location].every((place) => loopback.includes(place.hostname))) {
  location.replace(home.origin + location.pathname + location.search);
}

wayChanged();
const wishes = new URLSearchParams(location.search);
const verification = wishes.get("verify"), newPassword = wishes.get("reset"), invitation = wishes.get("invitation");
if (newPassword) {
  if (tokens.get()) signOut();
  askForNewPassword(newPassword);
} else if (invitation) askToJoin(invitation);
else if (tokens.get()) await openStudio().catch((error) => { signedOut(); notify(error.message, { bad: true }); });
else $("welcome").hidden = false;
if (wishes.has("forgot")) goTo("login");
if (verification) await verifyAddress(verification);
