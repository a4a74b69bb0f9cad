// Client of the public API, which customers use too.

import { tell } from "./hub.js";
import { alone, catchUp, keep, tokens } from "./tokens.js";

export const API = "/api/v1/";
const UNREACHABLE = "The server cannot be reached. This page goes on by itself when it can.";
const OFFLINE = "You are offline. This page goes on by itself when you are back.";
const ENDED = "Your session has ended. Please sign in again.";

export class ApiError extends Error {
  constructor(status, error) {
    super(error.message);
    Object.assign(this, { status, code: error.code, details: error.details || {} });
  }
}

async function send(path, { method = "GET", body, headers = {}, keepalive = false } = {}) {
  const held = tokens.get();
  if (held) headers = { ...headers, Authorization: `Bearer ${held.access}` };
  if (body !== undefined) headers = { ...headers, "Content-Type": "application/json" };
  try {
    return await fetch(API + path, { method, headers, keepalive, body: body && JSON.stringify(body) });
  } catch {
    throw unreachable();
  }
}

export const unreachable = () => new ApiError(0, { code: "offline", message: navigator.onLine ? UNREACHABLE : OFFLINE });

// What a text of the server says: its data, or its error, thrown.
export function readAnswer(status, text) {
  if (status >= 200 && status < 300) return text ? JSON.parse(text) : {};
  throw new ApiError(status, errorIn(text) || { code: "server_error", message: `The server answered ${status}.` });
}

// Asks again with a fresh token where the one in use has run out.
export async function renewing(ask) {
  const used = tokens.get(), answer = await ask();
  if (answer.status !== 401 || !used) return answer;
  await refresh(used);
  return ask();
}

export async function call(path, options = {}) {
  const ask = () => send(path, options), mayRenew = !path.startsWith("auth/") || path === "auth/email/verification";
  const response = await (mayRenew ? renewing(ask) : ask());
  if (response.ok && options.raw) return response;
  return readAnswer(response.status, await response.text());
}

function errorIn(text) {
  try { return JSON.parse(text).error; } catch { return null; }
}

// A refresh token works once, and using it twice ends the session: all requests, in this tab or in another,
// wait for one refresh.
let refreshing = null;

async function refresh(used) {
  // Signed out meanwhile, which says so itself.
  if (!tokens.get()) throw ended();
  refreshing ??= alone(() => renew(used))
    .catch((error) => { if (error.status === 401) tell("session-ended", ENDED); throw error; })
    .finally(() => { refreshing = null; });
  await refreshing;
}

const ended = () => new ApiError(401, { code: "not_authenticated", message: ENDED });

async function renew(used) {
  const held = await catchUp();
  if (!held) throw ended();
  if (held.access !== used.access) return;
  const { data } = await call("auth/refresh", { method: "POST", body: { refresh_token: held.refresh } });
  await keep(data);
}

export async function allOf(path, pages = 40) {
  const rows = [];
  for (let cursor = ""; pages > 0; pages -= 1) {
    const { data, meta } = await call(`${path}${path.includes("?") ? "&" : "?"}limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    rows.push(...data);
    cursor = meta.next_cursor;
    if (!cursor) break;
  }
  return rows;
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Keeps the key until there is a definite answer: a repeated click after a lost connection must not pay twice.
export class Order {
  #pending = null;

  async post(path, body) {
    const request = path + JSON.stringify(body);
    if (this.#pending?.request !== request) this.#pending = { request, key: newKey() };
    try {
      const answer = await call(path, { method: "POST", body, headers: { "Idempotency-Key": this.#pending.key } });
      this.forget();
      return answer;
    } catch (error) {
      if (error.status >= 400 && error.status < 500 && ![409, 429].includes(error.status)) this.forget();
      throw error;
    }
  }

  forget() { this.#pending = null; }
}
