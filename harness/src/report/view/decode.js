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
}

/** The columns as they are in the file. */
function readColumns(bytes, about, startUs) {
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
    at: from.deltas(new Float64Array(kind.length), startUs),
    op: from.deltas(new Float64Array(kind.length), 0),
    id: from.zigzags(new Float64Array(grants)),
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
    id: from.zigzags(new Float64Array(refusals)),
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
 * Which buffer or refusal an event is about, when each buffer comes and goes, and what is freed of
 * it before: all that can be had by one walk.
 */
function connect(columns) {
  const { kind, freed, refusals } = columns;
  const grants = columns.id.length;
  const about = new Uint32Array(kind.length);
  const begin = new Uint32Array(grants);
  const end = new Uint32Array(grants).fill(kind.length);
  const parts = new Map();
  const left = new Float64Array(columns.count);
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
      if (what === FREE) end[which] = e;
      else {
        const run = {
          event: e,
          offset: columns.partOffset[part],
          count: columns.partCount[part],
        };
        part += 1;
        if (!parts.has(which)) parts.set(which, []);
        parts.get(which).push(run);
        left[which] -= run.count;
        if (left[which] <= 0) end[which] = e;
      }
    }
  }
  return { about, begin, end, parts };
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
  const panel = readColumns(bytes, about, head.start_us);
  panel.area = makeArea(area);
  Object.assign(panel, connect(panel));
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
