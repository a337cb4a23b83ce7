"use strict";
// The events of a panel, as columns: read once, never changed.
//
// An event `e` changes the state; the state "at e" is the one after it, and -1 is before all.
// A buffer is known by the number of its grant, since an id may come again.

const GRANT = 0;
const FREE = 1;
const PART = 2;
const REFUSAL = 3;
const LIVE_BEFORE = 4;

/** Events between two lists of live buffers: the most that a state has to walk over. */
const KEYFRAME_EVENTS = 16384;
/** So many numbers may all lists hold together, before they get rarer. */
const KEYFRAME_NUMBERS = 8_000_000;

function bytesOf(text) {
  const clean = text.trim();
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(clean);
  const raw = atob(clean);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Reads columns one behind the other. Multiplied, not shifted: numbers may exceed 32 bits. */
class Columns {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  raw(count) {
    this.at += count;
    if (this.at > this.bytes.length) throw new Error("the data of this page is cut short");
    return this.bytes.subarray(this.at - count, this.at);
  }

  varint() {
    const bytes = this.bytes;
    let byte = bytes[this.at];
    this.at += 1;
    if (byte < 128) return byte;
    let value = byte & 127;
    let scale = 128;
    do {
      byte = bytes[this.at];
      this.at += 1;
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte >= 128);
    if (byte === undefined) throw new Error("the data of this page is cut short");
    return value;
  }

  /** All 64 bits of one. */
  wide() {
    const start = this.at;
    const value = this.varint();
    if (Number.isSafeInteger(value)) return BigInt(value);
    let whole = 0n;
    for (let at = this.at - 1; at >= start; at -= 1) {
      whole = (whole << 7n) | BigInt(this.bytes[at] & 127);
    }
    return whole;
  }

  varints(into) {
    for (let i = 0; i < into.length; i += 1) into[i] = this.varint();
    return into;
  }

  /** Sums of varints. */
  deltas(into, start) {
    let sum = start;
    for (let i = 0; i < into.length; i += 1) into[i] = sum += this.varint();
    return into;
  }

  /** Sums of numbers with a sign: 0, -1, 1, -2, … as 0, 1, 2, 3, … */
  zigzags(into) {
    let sum = 0;
    for (let i = 0; i < into.length; i += 1) {
      const value = this.varint();
      sum += value % 2 ? -(value + 1) / 2 : value / 2;
      into[i] = sum;
    }
    return into;
  }

  /** The same of 64 bits, where a difference may wrap. */
  ids(into) {
    let sum = 0n;
    for (let i = 0; i < into.length; i += 1) {
      const value = this.wide();
      sum = BigInt.asUintN(64, sum + ((value >> 1n) ^ -(value & 1n)));
      into[i] = sum;
    }
    return into;
  }
}

/** An id as a number where that is exact, else as its digits. */
function plainId(id) {
  return id <= Number.MAX_SAFE_INTEGER ? Number(id) : String(id);
}

/** The columns as they are in the file. */
function readColumns(bytes, about) {
  const from = new Columns(bytes);
  const kind = from.raw(about.events);
  const of = [0, 0, 0, 0, 0];
  for (let e = 0; e < kind.length; e += 1) of[kind[e]] += 1;
  const grants = of[GRANT] + of[LIVE_BEFORE];
  const refusals = of[REFUSAL];
  const columns = {
    kind,
    events: kind.length,
    counts: { grants: of[GRANT], before: of[LIVE_BEFORE], frees: of[FREE], parts: of[PART] },
    // From the start on: see `Clock`.
    at: from.deltas(new Float64Array(kind.length), 0),
    op: from.deltas(new Float64Array(kind.length), 0),
    id: from.ids(new BigUint64Array(grants)),
    page: from.zigzags(new Uint32Array(grants)),
    count: from.varints(new Uint32Array(grants)),
    align: from.raw(grants),
    client: from.varints(new Uint32Array(grants)),
    freed: from.varints(new Uint32Array(of[FREE] + of[PART])),
    partOffset: from.varints(new Uint32Array(of[PART])),
    partCount: from.varints(new Uint32Array(of[PART])),
  };
  columns.refusals = {
    length: refusals,
    id: from.ids(new BigUint64Array(refusals)),
    count: from.varints(new Float64Array(refusals)),
    align: from.raw(refusals),
    client: from.varints(new Uint32Array(refusals)),
    cause: from.raw(refusals),
    doomed: from.varints(new Uint32Array(refusals)),
    event: new Uint32Array(refusals),
  };
  return columns;
}

/**
 * A buffer that is freed in parts, by its pages and its bits. As cma_clear_bitmap() does it, a free
 * of some pages clears as many bits as they take, from that of the first one on: a bit of pages
 * that stay may be cleared, and one without any may stay set for ever.
 */
class Parted {
  constructor(page, count, granule) {
    this.page = page;
    this.count = count;
    this.granule = granule;
    this.left = count;
    this.held = new Uint8Array(count).fill(1);
    this.used = granule === 1 ? this.held : new Uint8Array(Math.ceil(count / granule)).fill(1);
  }

  /** Frees pages, counted from the first; puts what that does to the bits into `change`. */
  free(start, end, change) {
    const { granule, held, used } = this;
    const bit = Math.floor(start / granule);
    const past = Math.min(used.length, bit + Math.ceil((end - start) / granule));
    if (used === held) this.left -= this.clear(bit, past, change.cleared);
    else {
      for (let page = start; page < Math.min(end, this.count); page += 1) {
        this.left -= held[page];
        held[page] = 0;
      }
      this.clear(bit, past, change.cleared);
      this.forsake(Math.min(used.length, Math.ceil(end / granule)) - 1, change.lost);
    }
  }

  /** Clears those of some bits that are set; returns how many. */
  clear(bit, past, cleared) {
    const { granule, used } = this;
    let count = 0;
    for (let at = bit; at < past;) {
      while (at < past && !used[at]) at += 1;
      const since = at;
      while (at < past && used[at]) at += 1;
      if (since < at) cleared.push([this.page + since * granule, this.page + at * granule]);
      count += at - since;
    }
    used.fill(0, bit, past);
    return count;
  }

  /** A bit that is set though none of its pages is held is nobody's from now on. */
  forsake(bit, lost) {
    const { granule, held, used } = this;
    const start = bit * granule;
    if (!used[bit] || held.subarray(start, start + granule).includes(1)) return;
    used[bit] = 0;
    lost.push([this.page + start, this.page + start + granule]);
  }

  /** Frees all that is left, piece by piece. */
  freeAll(change) {
    const { held, count } = this;
    let at = held.indexOf(1);
    while (at >= 0) {
      const next = held.indexOf(0, at);
      const end = next < 0 ? count : next;
      this.free(at, end, change);
      at = held.indexOf(1, end);
    }
  }
}

/** What frees do to the bits of buffers that are freed in parts: each worked out once, in order. */
class Partings {
  constructor(columns, granule) {
    this.columns = columns;
    this.granule = granule;
    this.live = new Map();
    /** Of each such buffer, its parts as they are freed; of each such event, its change. */
    this.parts = new Map();
    this.changes = new Map();
    /** Bits that stay set for ever, each with its event. */
    this.lost = [];
  }

  /** Frees a part; says whether nothing is left. */
  part(event, grant, number) {
    const { page, count, partOffset, partCount } = this.columns;
    if (!this.parts.has(grant)) {
      this.parts.set(grant, []);
      this.live.set(grant, new Parted(page[grant], count[grant], this.granule));
    }
    const buffer = this.live.get(grant);
    const change = this.change(event, partOffset[number], partCount[number]);
    this.parts.get(grant).push(change);
    if (!buffer) return true;
    buffer.free(change.offset, change.offset + change.count, change);
    this.keep(change);
    if (buffer.left) return false;
    this.live.delete(grant);
    return true;
  }

  /** Frees what is left of a buffer, if some of it is freed already. */
  rest(event, grant) {
    const buffer = this.live.get(grant);
    if (!buffer) return;
    const change = this.change(event, 0, 0);
    buffer.freeAll(change);
    this.keep(change);
    this.live.delete(grant);
  }

  change(event, offset, count) {
    const change = { event, offset, count, cleared: [], lost: [] };
    this.changes.set(event, change);
    return change;
  }

  keep({ event, lost }) {
    for (const [start, end] of lost) this.lost.push({ event, start, end });
  }
}

/**
 * Which buffer or refusal an event is about, when each buffer comes and goes, and what is freed of
 * it before: all that can be had by one walk.
 */
function connect(columns, granule) {
  const { kind, freed, refusals } = columns;
  const grants = columns.id.length;
  const about = new Uint32Array(kind.length);
  const begin = new Uint32Array(grants);
  const end = new Uint32Array(grants).fill(kind.length);
  const partings = new Partings(columns, granule);
  let [grant, free, part, refusal] = [0, 0, 0, 0];
  for (let e = 0; e < kind.length; e += 1) {
    const what = kind[e];
    if (what === GRANT || what === LIVE_BEFORE) {
      begin[grant] = e;
      about[e] = grant;
      grant += 1;
    } else if (what === REFUSAL) {
      refusals.event[refusal] = e;
      about[e] = refusal;
      refusal += 1;
    } else {
      const which = grant - 1 - freed[free];
      free += 1;
      about[e] = which;
      if (what === FREE) partings.rest(e, which);
      const gone = what === FREE || partings.part(e, which, part);
      if (what === PART) part += 1;
      // A free of what is gone already changes nothing.
      if (gone && end[which] > e) end[which] = e;
    }
  }
  const { parts, changes, lost } = partings;
  return { about, begin, end, parts, changes, lost };
}

/** Lists of the buffers that live at some events, which a state starts from. */
function keyframes(panel) {
  const { kind, about, end } = panel;
  const frames = [{ event: -1, live: new Uint32Array(0) }];
  let live = [];
  let since = [];
  let next = KEYFRAME_EVENTS;
  let held = 0;
  for (let e = 0; e < kind.length; e += 1) {
    if (kind[e] === GRANT || kind[e] === LIVE_BEFORE) since.push(about[e]);
    if (e + 1 < next) continue;
    live = live.concat(since).filter((grant) => end[grant] > e);
    since = [];
    frames.push({ event: e, live: Uint32Array.from(live) });
    held += live.length;
    next = e + 1 + KEYFRAME_EVENTS * Math.ceil((held + 1) / KEYFRAME_NUMBERS);
  }
  return frames;
}

function roundUp(count, step) {
  return Math.ceil(count / step) * step;
}

/** A panel with all that is asked of it; `head` is the JSON of the page. */
function makePanel(bytes, about, head) {
  const area = head.areas[about.area];
  const panel = readColumns(bytes, about);
  panel.area = makeArea(area);
  Object.assign(panel, connect(panel, panel.area.granule));
  panel.frames = keyframes(panel);
  panel.take = about.take;
  panel.areaIndex = about.area;
  panel.snapshots = about.snapshots;
  panel.owner = new Int32Array(panel.area.pages);
  panel.ownerEvent = null;
  return panel;
}

async function readPanels(head) {
  const read = head.panels.map(async (about, k) => {
    const node = document.getElementById(`panel-${k}`);
    const bytes = await inflate(bytesOf(node.textContent));
    node.remove();
    return makePanel(bytes, about, head);
  });
  return Promise.all(read);
}
