// Numbers as people read them. A number and its unit stay on one line.

const NBSP = "\u00a0";
const grouping = new Intl.NumberFormat("en-US");

function grouped(value) {
  return grouping.format(value);
}

function bytesWords(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit + 1 < units.length) {
    value /= 1024;
    unit += 1;
  }
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}${NBSP}${units[unit]}`;
}

/** "257 pages (1.00 MiB)" */
function pagesWords(pages, pageBytes) {
  const one = pages === 1 ? "page" : "pages";
  return `${grouped(pages)}${NBSP}${one} (${bytesWords(pages * pageBytes)})`;
}

function counted(count, one, many = `${one}s`) {
  return `${grouped(count)}${NBSP}${count === 1 ? one : many}`;
}

function percentWords(part, whole) {
  return whole ? `${((100 * part) / whole).toFixed(1)}${NBSP}%` : "–";
}

/** A span of microseconds in two units at most. */
function spanWords(us) {
  if (us < 1000) return `${grouped(Math.round(us))}${NBSP}µs`;
  if (us < 1e6) return `${trimmed(us / 1e3)}${NBSP}ms`;
  const seconds = us / 1e6;
  if (seconds < 120) return `${trimmed(seconds)}${NBSP}s`;
  if (seconds < 7200) return `${trimmed(seconds / 60)}${NBSP}min`;
  if (seconds < 172800) return `${trimmed(seconds / 3600)}${NBSP}h`;
  return `${trimmed(seconds / 86400)}${NBSP}d`;
}

function trimmed(value) {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

/** A moment in seconds, with as many digits as the window needs, six at most. */
function secondsWords(us, spanUs = 1) {
  const digits = Math.min(6, Math.max(0, Math.ceil(Math.log10(1e6 / spanUs)) + 3));
  return (us / 1e6).toFixed(digits);
}

/** All digits of a moment, for the address. */
function exactSeconds(us) {
  return String(Number((us / 1e6).toFixed(6)));
}

function causeWords(cause) {
  return (cause || "unknown").replaceAll("_", " ");
}

/** A step of 1, 2 or 5 times a power of ten that cuts a span in at most `most` parts. */
function niceStep(span, most) {
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
}

/** The same for pages: a power of two. */
function binaryStep(span, most) {
  return 2 ** Math.max(0, Math.ceil(Math.log2(span / most)));
}
