// Pages of made-up streams in the format of `cmalab view`, for what no recording has: parts of
// buffers, ranges with odd bases, bits of several pages, buffers from before. Written apart from the
// page's own script, and slow on purpose.
//
//     node sample.mjs FOLDER

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";

const report = fileURLToPath(new URL("../../src/report/", import.meta.url));

/** The files of the page's script, in their order. */
export const SCRIPTS = [
  "decode", "area", "blockers", "scan", "words", "colour", "plot", "curves", "bitmap", "overlay",
  "who", "take", "page", "gestures", "controls", "start",
].map((name) => join(report, "view", `${name}.js`));

const STYLES = [join(report, "page/base.css"), join(report, "view/view.css")];

const together = (files) => files.map((file) => readFileSync(file, "utf8")).join("");

export const KINDS = { grant: 0, free: 1, part: 2, refusal: 3, before: 4 };
const CAUSES = ["too_large", "exhausted", "fragmentation", "alignment", "busy"];

// Randomness with a seed: splitmix.
export function random(seed) {
  let state = BigInt(seed);
  const next = () => {
    state = (state + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & 0xffffffffffffffffn;
    return Number((z ^ (z >> 31n)) >> 11n) / 2 ** 53;
  };
  return { below: (n) => Math.floor(next() * n), next };
}

const up = (count, step) => Math.ceil(count / step) * step;

/** An area where every page is a byte, and every search tries every start. */
export class Naive {
  constructor(area) {
    this.area = area;
    this.granule = 2 ** area.order_per_bit;
    this.ranges = [];
    let first = 0;
    for (const { base_pfn: base, pages } of area.ranges) {
      this.ranges.push({ first, end: first + pages, base });
      first += pages;
    }
    this.owner = new Array(first).fill(null);
  }

  /** Is the page, by the kernel's arithmetic over bits, a start at this order? */
  isStart(range, page, order) {
    if ((page - range.first) % this.granule) return false;
    const bit = (page - range.first) / this.granule;
    const mask = 2 ** Math.max(0, order - this.area.order_per_bit);
    const offset = Math.floor((range.base % 2 ** order) / this.granule);
    return (bit + offset) % mask === 0;
  }

  /** Every place of a request, with who stands in it. */
  places(count, order) {
    const need = up(count, this.granule);
    const found = [];
    for (const range of this.ranges) {
      for (let start = range.first; start + need <= range.end; start += 1) {
        if (!this.isStart(range, start, order)) continue;
        const inside = this.owner.slice(start, start + need).filter((one) => one !== null);
        found.push({ start, pages: inside.length, owners: [...new Set(inside)] });
      }
    }
    return found;
  }

  find(count, order) {
    const place = this.places(count, order).find((one) => one.pages === 0);
    return place ? place.start : -1;
  }

  take(start, count, owner) {
    this.owner.fill(owner, start, start + up(count, this.granule));
  }

  release(owner) {
    this.owner = this.owner.map((one) => (one === owner ? null : one));
  }

  releasePart(start, count) {
    this.owner.fill(null, start, start + up(count, this.granule));
  }

  freeRuns() {
    const runs = [];
    for (const range of this.ranges) {
      let since = -1;
      for (let page = range.first; page <= range.end; page += 1) {
        const free = page < range.end && this.owner[page] === null;
        if (free && since < 0) since = page;
        if (!free && since >= 0) {
          runs.push([since, page - since]);
          since = -1;
        }
      }
    }
    return runs;
  }
}

/** Runs a made-up stream under first fit with a cap; leaves the events of each area. */
export function events(areas, cap, stream) {
  const panels = areas.map((area) => ({ naive: new Naive(area), events: [], live: [] }));
  let grants = 0;
  for (const step of stream) {
    const panel = panels[step.area ?? 0];
    const { naive, live } = panel;
    const event = { at: step.at, op: step.op };
    const mine = live.find((one) => one.id === step.id);
    if (step.what === "alloc" || step.what === "before") {
      const order = step.align ?? Math.min(cap, Math.ceil(Math.log2(step.count)));
      const about = { id: step.id, count: step.count, align: order, client: step.client };
      const page = naive.find(step.count, order);
      if (page < 0) {
        if (step.what === "alloc") panel.events.push({ ...event, kind: KINDS.refusal, ...about });
        continue;
      }
      const buffer = { ...about, page, grant: grants };
      grants += 1;
      naive.take(page, step.count, buffer);
      live.push(buffer);
      const kind = step.what === "before" ? KINDS.before : KINDS.grant;
      panel.events.push({ ...event, kind, ...about, page, buffer });
    } else if (mine && step.what === "free") {
      naive.release(mine);
      live.splice(live.indexOf(mine), 1);
      panel.events.push({ ...event, kind: KINDS.free, buffer: mine });
    } else if (mine && step.what === "part") {
      const { granule } = naive;
      const bits = Math.floor(mine.count / granule);
      if (bits < 2 || mine.parted) continue;
      const offset = Math.floor(bits / 3) * granule;
      const count = Math.max(1, Math.floor(bits / 3)) * granule;
      mine.parted = true;
      naive.releasePart(mine.page + offset, count);
      panel.events.push({ ...event, kind: KINDS.part, buffer: mine, offset, count });
    }
  }
  return panels.map((panel) => panel.events);
}

/** Replays events up to one of them, included. */
export function replay(area, list, until) {
  const naive = new Naive(area);
  for (const event of list.slice(0, until + 1)) {
    if (event.kind === KINDS.grant || event.kind === KINDS.before) {
      naive.take(event.page, event.count, event.buffer);
    } else if (event.kind === KINDS.free) naive.release(event.buffer);
    else if (event.kind === KINDS.part) {
      naive.releasePart(event.buffer.page + event.offset, event.count);
    }
  }
  return naive;
}

/** As the format has it: 0 for a place that was free, else how far back the last place went. */
function doomed(area, list, index) {
  const { count, align } = list[index];
  for (let event = index; event >= -1; event -= 1) {
    if (replay(area, list, event).find(count, align) >= 0) return index === event ? 0 : index - event - 1;
  }
  return index + 1;
}

function causeOf(area, list, index) {
  const naive = replay(area, list, index);
  const { count } = list[index];
  const runs = naive.freeRuns().map(([, pages]) => pages);
  if (count > naive.owner.length) return 0;
  if (runs.reduce((sum, pages) => sum + pages, 0) < count) return 1;
  return Math.max(...runs) < count ? 2 : 3;
}

class Bytes {
  constructor() {
    this.bytes = [];
  }

  raw(value) {
    this.bytes.push(value);
  }

  varint(value) {
    let left = BigInt(value);
    for (; left >= 128n; left >>= 7n) this.bytes.push(Number(left & 127n) | 128);
    this.bytes.push(Number(left));
  }

  zigzag(value) {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Differences of a column. */
  deltas(values, start, write) {
    let before = start;
    for (const value of values) {
      write.call(this, value - before);
      before = value;
    }
  }
}

/** A panel as bytes. */
export function encode(list, startUs, doomedOf, cause) {
  const out = new Bytes();
  const of = (...kinds) => list.filter((event) => kinds.includes(event.kind));
  for (const event of list) out.raw(event.kind);
  out.deltas(list.map((event) => event.at), startUs, out.varint);
  out.deltas(list.map((event) => event.op), 0, out.varint);
  const grants = of(KINDS.grant, KINDS.before);
  out.deltas(grants.map((event) => event.id), 0, out.zigzag);
  out.deltas(grants.map((event) => event.page), 0, out.zigzag);
  for (const event of grants) out.varint(event.count);
  for (const event of grants) out.raw(event.align);
  for (const event of grants) out.varint(event.client);
  const number = new Map();
  for (const event of list) {
    if (event.kind === KINDS.grant || event.kind === KINDS.before) number.set(event.buffer, number.size);
    else if (event.kind !== KINDS.refusal) out.varint(number.size - 1 - number.get(event.buffer));
  }
  const parts = of(KINDS.part);
  for (const event of parts) out.varint(event.offset);
  for (const event of parts) out.varint(event.count);
  const refusals = of(KINDS.refusal);
  out.deltas(refusals.map((event) => event.id), 0, out.zigzag);
  for (const event of refusals) out.varint(event.count);
  for (const event of refusals) out.raw(event.align);
  for (const event of refusals) out.varint(event.client);
  for (const event of refusals) out.raw(cause(list.indexOf(event)));
  for (const event of refusals) out.varint(doomedOf(list.indexOf(event)));
  return Uint8Array.from(out.bytes);
}

const script = (id, type, text) => `<script type="${type}" id="${id}">${text}</script>\n`;

/** The file of a page. */
export function html(head, panels) {
  const json = JSON.stringify(head).replaceAll("<", "\\u003c");
  const data = panels.map((bytes, k) => script(`panel-${k}`, "application/octet-stream",
    deflateRawSync(bytes).toString("base64")));
  const answers = head.first.map(({ text }) => `<p class="answer">${text}</p>`).join("\n");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${head.title}</title><style>${together(STYLES)}</style></head><body>
<header><p class="tool">cmalab view</p><h1>${head.title}</h1>${answers}</header>
<main id="view"></main><noscript>This page needs its script.</noscript>
<footer><p>${head.command}</p></footer>
${script("head", "application/json", json)}${data.join("")}<script>${together(SCRIPTS)}</script>
</body></html>`;
}

/** A page of takes over areas: what it holds, and the events it was made from. */
export function page(spec) {
  const { areas, takes, stream } = spec;
  const lists = takes.map((take) => events(areas, take.cap, stream));
  const last = stream[stream.length - 1];
  const panels = [];
  const head = {
    schema: 1, title: spec.title, tool: "cmalab 0.1.0", command: "node sample.mjs", page_bytes: 4096,
    has_time: spec.hasTime, start_us: stream[0].at, end_us: last.at, ops: last.op + 1,
    clients: spec.clients, causes: CAUSES, areas, takes, panels: [], first: [], difference: null,
    notes: [],
  };
  lists.forEach((byArea, take) => byArea.forEach((list, area) => {
    const of = (kind) => list.filter((event) => event.kind === kind).length;
    head.panels.push({ take, area, events: list.length, grants: of(0), frees: of(1), refusals: of(3),
      snapshots: false });
    panels.push(encode(list, head.start_us, (k) => doomed(areas[area], list, k),
      (k) => causeOf(areas[area], list, k)));
  }));
  const firsts = head.panels.findIndex((panel) => panel.refusals > 0);
  if (firsts >= 0) {
    const { take, area } = head.panels[firsts];
    head.first.push({ take, area, refusal: 0, text: "The first request that found no place." });
  }
  if (takes.length > 1) head.difference = differenceOf(lists);
  return { head, panels, lists: lists.flat(), text: html(head, panels) };
}

function differenceOf(lists) {
  const answers = lists.slice(0, 2).map((byArea) => byArea.flat()
    .filter((event) => event.kind === KINDS.grant || event.kind === KINDS.refusal)
    .sort((a, b) => a.op - b.op));
  const at = answers[0].findIndex((event, k) => event.kind !== answers[1][k].kind
    || event.page !== answers[1][k].page);
  if (at < 0) return null;
  const { op, at: atUs } = answers[0][at];
  return { op, at_us: atUs, text: "The first answer that differs." };
}

/** Buffers of sizes that come and go, some in parts, more than there is room for. */
export function stream(seed, ops, spec) {
  const dice = random(seed);
  const steps = [];
  const live = [];
  let at = spec.startUs;
  for (let id = 0; id < spec.before; id += 1) {
    steps.push({ what: "before", at, op: 0, id, count: spec.sizes[dice.below(spec.sizes.length)],
      client: dice.below(spec.clients + 1), area: dice.below(spec.areas) });
    live.push({ id, area: steps[steps.length - 1].area });
  }
  for (let op = 0; op < ops; op += 1) {
    at += dice.below(spec.gapUs);
    const roll = dice.next();
    if (live.length && roll < spec.frees) {
      const [{ id, area }] = live.splice(dice.below(live.length), 1);
      steps.push({ what: "free", at, op, id, area });
    } else if (live.length && roll < spec.frees + spec.parts) {
      const { id, area } = live[dice.below(live.length)];
      steps.push({ what: "part", at, op, id, area });
    } else {
      const id = 1000 + op;
      const area = dice.below(spec.areas);
      const count = spec.sizes[dice.below(spec.sizes.length)];
      steps.push({ what: "alloc", at, op, id, count, client: dice.below(spec.clients + 1), area });
      live.push({ id, area });
    }
  }
  return steps;
}

/** The pages that the tests open, by name. */
export const SAMPLES = {
  odd: () => page({
    title: "odd <b>ranges</b>", hasTime: true, clients: ["vpu", "camera", "<img src=x>"],
    areas: [{ name: "linux,cma", order_per_bit: 0, pages: 700,
      ranges: [{ base_pfn: 65541, pages: 300 }, { base_pfn: 131072, pages: 400 }] }],
    takes: [{ name: "kernel, cap 8", policy: "kernel", cap: 8, recorded: false },
      { name: "kernel, cap 2", policy: "kernel", cap: 2, recorded: false }],
    stream: stream(1, 400, { startUs: 5_000_000, gapUs: 90_000, before: 3, clients: 3, areas: 1,
      sizes: [1, 2, 3, 5, 9, 17, 33, 65], frees: 0.36, parts: 0.05 }),
  }),
  bits: () => page({
    title: "bits of four pages", hasTime: false, clients: [],
    areas: [{ name: "a", order_per_bit: 2, pages: 512, ranges: [{ base_pfn: 516, pages: 512 }] },
      { name: "b", order_per_bit: 1, pages: 256, ranges: [{ base_pfn: 1026, pages: 256 }] }],
    takes: [{ name: "kernel, cap 4", policy: "kernel", cap: 4, recorded: true }],
    stream: stream(2, 300, { startUs: 0, gapUs: 2, before: 0, clients: 0, areas: 2,
      sizes: [1, 3, 4, 6, 16, 20, 40], frees: 0.33, parts: 0.06 }),
  }),
  calm: () => page({
    title: "nothing refused", hasTime: true, clients: ["vpu"],
    areas: [{ name: "a", order_per_bit: 0, pages: 128, ranges: [{ base_pfn: 0, pages: 128 }] }],
    takes: [{ name: "kernel, cap 8", policy: "kernel", cap: 8, recorded: false }],
    stream: stream(3, 20, { startUs: 0, gapUs: 10, before: 0, clients: 1, areas: 1, sizes: [1, 2],
      frees: 0.5, parts: 0 }),
  }),
};

export function write(folder) {
  mkdirSync(folder, { recursive: true });
  return Object.fromEntries(Object.entries(SAMPLES).map(([name, make]) => {
    const made = make();
    const file = join(folder, `${name}.html`);
    writeFileSync(file, made.text);
    return [name, { ...made, file }];
  }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) write(process.argv[2] ?? ".");
