// Sound as a WAV file: the API takes no other that a browser can make.

const LONG_SECONDS = 400, RATE = 24_000, LOW_RATE = 16_000, HEADER = 44;

// Of anything that the browser can play. Mono; ten minutes stay below 20 MB.
export async function wavOf(recording, seconds) {
  const rate = seconds > LONG_SECONDS ? LOW_RATE : RATE;
  const sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(await recording.arrayBuffer());
  return new Blob([header(sound.length, rate), samples(sound)], { type: "audio/wav" });
}

function samples(sound) {
  const channels = Array.from({ length: sound.numberOfChannels }, (_, number) => sound.getChannelData(number));
  const mixed = new Int16Array(sound.length);
  for (let at = 0; at < mixed.length; at += 1) {
    const value = channels.reduce((sum, channel) => sum + channel[at], 0) / channels.length;
    mixed[at] = Math.round(Math.max(-1, Math.min(1, value)) * 32_767);
  }
  return mixed;
}

function header(length, rate) {
  const view = new DataView(new ArrayBuffer(HEADER)), bytes = length * 2;
  const word = (at, text) => [...text].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  word(0, "RIFF"); view.setUint32(4, HEADER - 8 + bytes, true); word(8, "WAVE");
  word(12, "fmt "); view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, rate * 2, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  word(36, "data"); view.setUint32(40, bytes, true);
  return view;
}
