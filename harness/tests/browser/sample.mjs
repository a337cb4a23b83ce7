// Pages of made-up streams in the format of `cmalab view`, for what few recordings have: parts of
// buffers, ranges with odd bases, bits of several pages, buffers from before.
//
//     node sample.mjs FOLDER

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { KINDS, causeOf, doomed, events, random } from "./naive.mjs";

const report = fileURLToPath(new URL("../../src/report/", import.meta.url));

/** The files of the page's script, in the order in which the program puts them together. */
export const SCRIPTS = [
  ...readFileSync(join(report, "view/html.rs"), "utf8").matchAll(/include_str!\("(\w+\.js)"\)/g),
].map(([, name]) => join(report, "view", name));

const STYLES = [join(report, "page/base.css"), join(report, "view/view.css")];

const together = (files) => files.map((file) => readFileSync(file, "utf8")).join("");

const CAUSES = ["too_large", "exhausted", "fragmentation", "alignment", "busy"];
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

  /** Differences of ids, modulo 2^64. */
  ids(values) {
    let before = 0n;
    for (const value of values.map(BigInt)) {
      const delta = BigInt.asIntN(64, value - before);
      this.varint(BigInt.asUintN(64, (delta << 1n) ^ (delta >> 63n)));
      before = value;
    }
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
  out.deltas(
    list.map((event) => event.at),
    startUs,
    out.varint,
  );
  out.deltas(
    list.map((event) => event.op),
    0,
    out.varint,
  );
  const grants = of(KINDS.grant, KINDS.before);
  out.ids(grants.map((event) => event.id));
  out.deltas(
    grants.map((event) => event.page),
    0,
    out.zigzag,
  );
  for (const event of grants) out.varint(event.count);
  for (const event of grants) out.raw(event.align);
  for (const event of grants) out.varint(event.client);
  const number = new Map();
  for (const event of list) {
    if (event.kind === KINDS.grant || event.kind === KINDS.before) {
      number.set(event.buffer, number.size);
    } else if (event.kind !== KINDS.refusal) out.varint(number.size - 1 - number.get(event.buffer));
  }
  const parts = of(KINDS.part);
  for (const event of parts) out.varint(event.offset);
  for (const event of parts) out.varint(event.count);
  const refusals = of(KINDS.refusal);
  out.ids(refusals.map((event) => event.id));
  for (const event of refusals) out.varint(event.count);
  for (const event of refusals) out.raw(event.align);
  for (const event of refusals) out.varint(event.client);
  for (const event of refusals) out.raw(cause(list.indexOf(event)));
  for (const event of refusals) out.varint(doomedOf(list.indexOf(event)));
  return Uint8Array.from(out.bytes);
}

const script = (id, type, text) => `<script type="${type}" id="${id}">${text}</script>\n`;

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** The file of a page. */
export function html(head, panels) {
  const json = JSON.stringify(head).replaceAll("<", "\\u003c");
  const data = panels.map((bytes, k) =>
    script(`panel-${k}`, "application/octet-stream", deflateRawSync(bytes).toString("base64")),
  );
  const title = escaped(head.title);
  const answers = head.first.map(({ text }) => `<p class="answer">${text}</p>`).join("\n");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${together(STYLES)}</style></head><body>
<header><p class="tool">cmalab view</p><h1>${title}</h1>${answers}</header>
<main id="view"></main><noscript>This page needs its script.</noscript>
<footer><p>${head.command}</p></footer>
${script("head", "application/json", json)}${data.join("")}<script>${together(SCRIPTS)}</script>
</body></html>`;
}

/** A page of takes over areas: what it holds, and the events it was made from. */
export function makePage(spec) {
  const { areas, takes, stream } = spec;
  const lists = takes.map((take) => events(areas, take.cap, stream));
  return pageOf(spec, stream, lists);
}

/** A page of events that are given, of each take and area a list. */
export function pageOf(spec, stream, lists) {
  const { areas, takes } = spec;
  const last = stream[stream.length - 1];
  const panels = [];
  const head = {
    schema: 1,
    title: spec.title,
    tool: "cmalab 0.1.0",
    command: "node sample.mjs",
    page_bytes: 4096,
    has_time: spec.hasTime,
    start_us: stream[0].at,
    end_us: last.at,
    ops: last.op + 1,
    clients: spec.clients,
    causes: CAUSES,
    areas,
    takes,
    panels: [],
    first: [],
    difference: null,
    notes: [],
  };
  lists.forEach((byArea, take) =>
    byArea.forEach((list, area) => {
      const of = (kind) => list.filter((event) => event.kind === kind).length;
      head.panels.push({
        take,
        area,
        events: list.length,
        grants: of(0),
        frees: of(1),
        refusals: of(3),
        snapshots: spec.snapshots ?? false,
      });
      panels.push(
        encode(
          list,
          head.start_us,
          (k) => doomed(areas[area], list, k),
          (k) => causeOf(areas[area], list, k),
        ),
      );
    }),
  );
  const firsts = head.panels.findIndex((panel) => panel.refusals > 0);
  if (firsts >= 0) {
    const { take, area } = head.panels[firsts];
    head.first.push({ take, area, refusal: 0, text: "The first request that found no place." });
  }
  if (takes.length > 1) head.difference = differenceOf(lists);
  return { head, panels, lists: lists.flat(), text: html(head, panels) };
}

function differenceOf(lists) {
  const answers = lists.slice(0, 2).map((byArea) =>
    byArea
      .flat()
      .filter((event) => event.kind === KINDS.grant || event.kind === KINDS.refusal)
      .sort((a, b) => a.op - b.op),
  );
  const at = answers[0].findIndex(
    (event, k) => event.kind !== answers[1][k].kind || event.page !== answers[1][k].page,
  );
  if (at < 0) return null;
  const { op, at: atUs } = answers[0][at];
  return { op, at_us: atUs, text: "The first answer that differs." };
}

/** Buffers of sizes that come and go, some in parts, more than there is room for. */
function makeStream(seed, ops, spec) {
  const dice = random(seed);
  const steps = [];
  const live = [];
  let at = spec.startUs;
  for (let id = 0; id < spec.before; id += 1) {
    steps.push({
      what: "before",
      at,
      op: 0,
      id,
      count: spec.sizes[dice.below(spec.sizes.length)],
      client: dice.below(spec.clients + 1),
      area: dice.below(spec.areas),
    });
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
  odd: () =>
    makePage({
      title: "odd <b>ranges</b>",
      hasTime: true,
      clients: ["vpu", "camera", "<img src=x>"],
      areas: [
        {
          name: "linux,cma",
          order_per_bit: 0,
          pages: 700,
          ranges: [
            { base_pfn: 65541, pages: 300 },
            { base_pfn: 131072, pages: 400 },
          ],
        },
      ],
      takes: [
        { name: "kernel, cap 8", policy: "kernel", cap: 8, recorded: false },
        { name: "kernel, cap 2", policy: "kernel", cap: 2, recorded: false },
      ],
      stream: makeStream(1, 400, {
        startUs: 5_000_000,
        gapUs: 90_000,
        before: 3,
        clients: 3,
        areas: 1,
        sizes: [1, 2, 3, 5, 9, 17, 33, 65],
        frees: 0.36,
        parts: 0.05,
      }),
    }),
  bits: () =>
    makePage({
      title: "bits of four pages",
      hasTime: false,
      clients: [],
      areas: [
        { name: "a", order_per_bit: 2, pages: 514, ranges: [{ base_pfn: 516, pages: 514 }] },
        { name: "b", order_per_bit: 1, pages: 256, ranges: [{ base_pfn: 1026, pages: 256 }] },
      ],
      takes: [{ name: "kernel, cap 4", policy: "kernel", cap: 4, recorded: true }],
      stream: makeStream(2, 300, {
        startUs: 0,
        gapUs: 2,
        before: 0,
        clients: 0,
        areas: 2,
        sizes: [1, 3, 4, 6, 16, 20, 40],
        frees: 0.33,
        parts: 0.06,
      }),
    }),
  // Bitmaps read at some moments: their differences come many at a time.
  moments: () =>
    makePage({
      title: "moments",
      hasTime: true,
      clients: [],
      snapshots: true,
      areas: [{ name: "a", order_per_bit: 0, pages: 256, ranges: [{ base_pfn: 256, pages: 256 }] }],
      takes: [{ name: "as read", policy: "recorded", cap: 8, recorded: true }],
      stream: makeStream(4, 300, {
        startUs: 0,
        gapUs: 1000,
        before: 4,
        clients: 0,
        areas: 1,
        sizes: [1, 4, 7],
        frees: 0.49,
        parts: 0,
      }).map((step) => ({
        ...step,
        op: Math.floor(step.op / 30),
        at: Math.floor(step.op / 30) * 500_000,
      })),
    }),
  three: () =>
    makePage({
      title: "three takes",
      hasTime: false,
      clients: ["vpu"],
      areas: [{ name: "a", order_per_bit: 0, pages: 128, ranges: [{ base_pfn: 0, pages: 128 }] }],
      takes: [8, 4, 0].map((cap) => ({
        name: `cap ${cap}`,
        policy: "kernel",
        cap,
        recorded: false,
      })),
      stream: makeStream(5, 120, {
        startUs: 0,
        gapUs: 2,
        before: 0,
        clients: 1,
        areas: 1,
        sizes: [1, 3, 5, 9, 17],
        frees: 0.4,
        parts: 0,
      }),
    }),
  calm: () =>
    makePage({
      title: "nothing refused",
      hasTime: true,
      clients: ["vpu"],
      areas: [{ name: "a", order_per_bit: 0, pages: 128, ranges: [{ base_pfn: 0, pages: 128 }] }],
      takes: [{ name: "kernel, cap 8", policy: "kernel", cap: 8, recorded: false }],
      stream: makeStream(3, 20, {
        startUs: 0,
        gapUs: 10,
        before: 0,
        clients: 1,
        areas: 1,
        sizes: [1, 2],
        frees: 0.5,
        parts: 0,
      }),
    }),
};

export function writeSamples(folder) {
  mkdirSync(folder, { recursive: true });
  return Object.fromEntries(
    Object.entries(SAMPLES).map(([name, make]) => {
      const made = make();
      const file = join(folder, `${name}.html`);
      writeFileSync(file, made.text);
      return [name, { ...made, file }];
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeSamples(process.argv[2] ?? ".");
