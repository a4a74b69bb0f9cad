// Figures and dates, as people read them.

export function seconds(count) {
  const whole = Math.round(count);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

// What a queued video waits for, where its place in the queue does not say it.
export const WAITING = {
  own_slots: "waiting for another of your videos to finish",
  provider: "the video service takes no orders at the moment; nothing is lost, and nothing is charged meanwhile",
  staff: "we have to look at this video first; nothing is charged meanwhile",
};

export const credits = (count) => `${count.toLocaleString()} ${count === 1 ? "credit" : "credits"}`;
export const signed = (count) => new Intl.NumberFormat([], { signDisplay: "exceptZero" }).format(count);

const currencyFormat = (currency, options) => new Intl.NumberFormat([], { style: "currency", currency, ...options });

// Minor units in a whole one: 100 cents in a dollar, one yen in a yen.
export const minorUnits = (currency) => 10 ** currencyFormat(currency).resolvedOptions().maximumFractionDigits;
export const money = (amount, currency, options) => currencyFormat(currency, options).format(amount / minorUnits(currency));

export const day = (time) => new Date(time).toLocaleDateString([], { dateStyle: "long" });
export const shortDay = (time) => new Date(time).toLocaleDateString([], { dateStyle: "medium" });
export const moment = (time) => new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
export const timeOfDay = (time) => new Date(time).toLocaleTimeString([], { timeStyle: "short" });

export const every = (interval) => (interval === "year" ? "a year" : "a month");
