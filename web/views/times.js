// Times in the person's own language and zone.

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", year: "numeric", month: "long", day: "numeric" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function clockTime(at) {
  return CLOCK.format(new Date(at));
}

/** The clock for today, else the date. */
export function shortTime(at) {
  const date = new Date(at);
  return date.toDateString() === new Date().toDateString() ? CLOCK.format(date) : DATE.format(date);
}

export function dayName(at) {
  return DAY.format(new Date(at));
}

export function fullTime(at) {
  return FULL.format(new Date(at));
}
