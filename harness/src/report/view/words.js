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

/**
 * The clock of the board. Inside, times are microseconds from the start on, since a stamp may have
 * more digits than a number keeps; here they become stamps, and stamps become them.
 */
class Clock {
  /** The stamp of the start is taken from the text of the head, whose JSON would round it. */
  constructor(text) {
    const of = (name) => BigInt(text.match(new RegExp(`"${name}":\\s*(\\d+)`))?.[1] ?? 0);
    this.start = of("start_us");
    this.span = Number(of("end_us") - this.start);
  }

  /** Seconds with so many digits. */
  seconds(us, digits) {
    const unit = 10n ** BigInt(6 - digits);
    const units = (this.start + BigInt(Math.round(us)) + unit / 2n) / unit;
    const scale = 10n ** BigInt(digits);
    const whole = units / scale;
    return digits ? `${whole}.${String(units % scale).padStart(digits, "0")}` : String(whole);
  }

  /** With as many digits as the window needs, six at most. */
  words(us, spanUs) {
    return this.seconds(us, Math.min(6, Math.max(0, Math.ceil(Math.log10(1e6 / spanUs)) + 3)));
  }

  /** All digits, for the address. */
  exact(us) {
    return this.seconds(us, 6).replace(/\.?0+$/, "");
  }

  /** A stamp in microseconds, to a tenth. */
  stamp(us) {
    const tenths = this.start * 10n + BigInt(Math.round(us * 10));
    return `${tenths / 10n}${tenths % 10n ? `.${tenths % 10n}` : ""}`;
  }

  /** What `stamp` wrote, as a time inside. */
  ofStamp(text) {
    const [, whole, part] = /^(\d+)(\.\d+)?$/.exec(text) || [];
    if (whole === undefined) return Number(text) - Number(this.start);
    return Number(BigInt(whole) - this.start) + Number(part ?? 0);
  }

  /** What `exact` wrote, as a time inside. */
  ofSeconds(text) {
    const [, whole, part = ""] = /^(\d+)(?:\.(\d+))?$/.exec(text) || [];
    if (whole === undefined) return Math.round(Number(text) * 1e6) - Number(this.start);
    const micros = `${whole}${part.padEnd(6, "0").slice(0, 6)}`;
    return Number(BigInt(micros) - this.start) + Math.round(Number(`0.${part.slice(6)}0`));
  }
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
