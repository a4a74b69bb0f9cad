// The studio: everything here goes through the public API that customers use.

import { loadProfile, loadWallet } from "./account.js";
import { followAddress, startBilling } from "./billing.js";
import { loadPresenters, startCatalogue } from "./catalogue.js";
import { startDeletion } from "./deletion.js";
import { startDialogs } from "./dialogs.js";
import { $, beginAtTop, quiet, show } from "./dom.js";
import { startDropzones } from "./dropzone.js";
import { keepLooking, loadHistory, startHistory } from "./history.js";
import { startListening } from "./listen.js";
import { startMaking } from "./making.js";
import { fail, notify } from "./notices.js";
import { startOrder } from "./order.js";
import { loadOwn, startOwn } from "./own.js";
import { startPlayer } from "./player.js";
import { askForNewPassword, askToJoin, askToVerify, goTo, signOut, signedOut, startSession, verifyAddress } from "./session.js";
import { startSounds } from "./sounds.js";
import { startSources } from "./sources.js";
import { showVideo, startStage } from "./stage.js";
import { tokens } from "./tokens.js";
import { loadUploads, startUploads } from "./uploads.js";
import { loadVoices, startVoices } from "./voices.js";
import { credits } from "./words.js";

async function openStudio({ isNew = false, atTop = false } = {}) {
  $("notices").replaceChildren();
  const profile = await loadProfile();
  const wallet = await loadWallet();
  $("account").hidden = false;
  if (isNew) notify(`Welcome! ${credits(wallet.available)} are on your account. Each video shows its price before you generate it, and a failed one costs nothing.`);
  if (!profile.email_verified && document.body.dataset.verificationRequired === "yes") askToVerify();
  showVideo(null);
  followAddress();
  // Before the lists are loaded: whoever has found a control by then keeps the focus.
  if (atTop) beginAtTop();
  keepLooking();
  await Promise.all([loadPresenters(), loadVoices(), loadHistory(), loadOwn(), loadUploads()]).catch(fail);
}

// The session survives the way back from the pay page, even if the server does not answer now.
async function openAgain() {
  try {
    await openStudio();
  } catch (error) {
    if (error.status === 401) return tokens.get() && signedOut(error.message);
    return notify(error.message, { bad: true, action: quiet("Try again", openAgain) });
  }
}

// Signed links are on the public address: from another name of the same machine they could not be followed.
const home = new URL(document.body.dataset.publicUrl), loopback = ["localhost", "127.0.0.1", "[::1]"];
if (home.origin !== location.origin && home.port === location.port && [home, location].every((address) => loopback.includes(address.hostname))) {
  location.replace(home.origin + location.pathname + location.search);
}

const making = [startCatalogue, startVoices, startOwn, startUploads, startSources, startSounds, startListening, startMaking, startDropzones, startOrder];
for (const start of [startDialogs, startPlayer, ...making, startStage, startHistory, startDeletion, startBilling]) start();
startSession(openStudio);
const query = new URLSearchParams(location.search);
const verification = query.get("verify"), newPassword = query.get("reset"), invitation = query.get("invitation");
if (newPassword) {
  if (tokens.get()) signOut();
  askForNewPassword(newPassword);
} else if (invitation) askToJoin(invitation);
else if (tokens.get()) await openAgain();
else {
  show("welcome");
  if (query.has("billing") || query.has("checkout")) {
    goTo("login");
    notify("Sign in to see your credits.");
  }
}
if (query.has("forgot")) goTo("login");
if (verification) await verifyAddress(verification);
