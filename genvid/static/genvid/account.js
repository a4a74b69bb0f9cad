// Whose account it is, and what is in its wallet.

import { call } from "./api.js";
import { $ } from "./dom.js";
import { tell } from "./hub.js";
import { credits } from "./words.js";

const SPENDERS = ["owner", "admin"];
let role = null;

export const maySpend = () => SPENDERS.includes(role);

export async function loadProfile() {
  const { data } = await call("profile");
  role = data.account.role;
  $("who").textContent = data.email;
  return data;
}

export async function loadWallet() {
  const { data } = await call("billing/wallet");
  $("wallet").textContent = data.held ? `${credits(data.available)} · ${data.held.toLocaleString()} held` : credits(data.available);
  tell("wallet", data);
  return data;
}
