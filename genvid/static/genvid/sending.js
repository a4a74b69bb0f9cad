// Sends a file: in one request, or straight to the bucket where it is too large for that.

import { API, readAnswer, renewing } from "./api.js";
import { sendToBucket } from "./bucket.js";
import { isLarge, requireSendable } from "./formats.js";
import { tokens } from "./tokens.js";
import { postForm } from "./transfer.js";

// Answers the upload. `onprogress` hears of bytes and of how many there are, `onchecking` once all are there;
// `signal` aborts it, which rejects with CANCELED.
export async function sendFile(file, { onprogress, onchecking, signal }) {
  requireSendable(file);
  if (isLarge(file)) return sendToBucket(file, { onprogress, onchecking, signal });
  const headers = () => ({ Authorization: `Bearer ${tokens.get()?.access}` });
  const { status, text } = await renewing(() => postForm(`${API}uploads`, { file }, { headers: headers(), onprogress, signal }));
  return readAnswer(status, text).data;
}
