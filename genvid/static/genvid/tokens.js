// The session, which all tabs of this browser share: what one of them renews, the others use.

import { tell } from "./hub.js";

const KEY = "genvid";
const parsed = (text) => JSON.parse(text || "null");

export const tokens = {
  get: () => parsed(localStorage.getItem(KEY)),
  set: (session) => localStorage.setItem(KEY, JSON.stringify(session)),
  clear: () => { localStorage.removeItem(KEY); write(null); },
};

// `pair` is what the server answered. `at` tells the newer of two.
export async function keep(pair, person = tokens.get()?.person) {
  const session = { access: pair.access_token, refresh: pair.refresh_token, person, at: Date.now() };
  tokens.set(session);
  await write(session);
}

// What another tab has renewed may not have reached this one's localStorage yet.
export async function catchUp() {
  const held = tokens.get(), newest = await read();
  if (held && newest?.person === held.person && newest.at > held.at) tokens.set(newest);
  return tokens.get();
}

// One tab at a time. Browsers have no locks on plain HTTP; there the server forgives two at once.
export const alone = (action) => (navigator.locks ? navigator.locks.request(KEY, action) : action());

addEventListener("storage", (event) => {
  if (event.key !== KEY && event.key !== null) return;
  const before = parsed(event.oldValue), now = tokens.get();
  if (before && !now) tell("session-closed");
  else if (now && now.person !== before?.person) tell("session-opened");
});

// IndexedDB, unlike localStorage, is the same for all tabs at every moment. Where there is none, they do without.

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(KEY, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("session");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function inStore(mode, step) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction("session", mode), request = step(transaction.objectStore("session"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

const read = () => inStore("readonly", (store) => store.get("newest")).catch(() => null);
const write = (session) => inStore("readwrite", (store) => store.put(session, "newest")).catch(() => null);
