// Buffers that are freed in many parts, and in parts that do not fit the bits.

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { KINDS, random, replay } from "../naive.mjs";
import { pageOf } from "../sample.mjs";
import { onFile } from "../samples.mjs";

/** Makes events one after the other; operations count them. */
class Maker {
  constructor(startUs = 0) {
    this.startUs = startUs;
    this.list = [];
    this.grants = 0;
  }

  add(event) {
    const op = this.list.length;
    this.list.push({ at: this.startUs + op * 1000, op, ...event });
  }

  grant(page, count, id = this.grants) {
    const buffer = { id, page, count, align: 0, client: 0, grant: this.grants };
    this.grants += 1;
    this.add({ kind: KINDS.grant, ...buffer, buffer });
    return buffer;
  }

  part(buffer, offset, count) {
    this.add({ kind: KINDS.part, buffer, offset, count });
  }

  free(buffer) {
    this.add({ kind: KINDS.free, buffer });
  }
}

/** Opens the page of some events. */
async function opened({ list }, area, spec, act) {
  const whole = {
    title: "freed in parts",
    hasTime: true,
    clients: [],
    areas: [area],
    takes: [{ name: "as read", policy: "recorded", cap: 8, recorded: true }],
    ...spec,
  };
  const file = join(tmpdir(), `cmalab-freed-${process.pid}.html`);
  writeFileSync(file, pageOf(whole, list, [[list]]).text);
  try {
    await onFile(file, {}, act);
  } finally {
    rmSync(file);
  }
}

const areaOf = (pages, order = 0, base = 65536) => ({
  name: "a",
  order_per_bit: order,
  pages,
  ranges: [{ base_pfn: base, pages }],
});

/** Holds the state, the holes and the curves at an event against a naive replay. */
async function check(page, area, list, event) {
  const naive = replay(area, list, event);
  const { state, holes, curve, owner } = await page.evaluate(look, [event, area.pages]);
  const owners = new Array(area.pages).fill(null);
  for (const { id, pieces } of state) {
    for (const [start, end] of pieces) owners.fill(id, start, end);
  }
  const ids = naive.owner.map((one) => one && one.id);
  const held = ids.map((id) => (id === "nobody" ? null : id));
  assert.deepEqual(owners, held, `the pieces at event ${event}`);
  assert.deepEqual(owner, ids, `the owners at event ${event}`);
  assert.deepEqual(holes, naive.freeRuns(), `the holes at event ${event}`);
  const free = ids.map((id) => (id === null ? 0 : 255));
  assert.deepEqual(curve.cover, free, `the map at event ${event}`);
  assert.equal(curve.free, free.filter((cover) => cover === 0).length);
}

/** In the page: a column of the map, reached by steps from the start on, is taken. */
function look([event, pages]) {
  const { page, stateAt, holes, curves } = window.cmalab;
  const panel = page.panels[0];
  const window_ = { from: 0, to: panel.op[event] + 1, first: 0, end: pages };
  const request = { count: 1, order: 0 };
  const seen = curves(0, { axis: "op", width: 7, height: pages, request, window: window_ });
  const owners = window.cmalab.owners(0, event);
  return {
    state: stateAt(0, event),
    holes: holes(0, event),
    owner: owners.map((one) => (one === -1 ? null : one === -2 ? "nobody" : Number(panel.id[one]))),
    curve: { free: seen.free[6], cover: [...seen.cover.slice(6 * pages)] },
  };
}

/** As bitmaps of some moments tell of it: runs that come, and go page by page, many in parts. */
function moments(many, pages) {
  const made = new Maker();
  const dice = random(7);
  const owner = new Array(pages).fill(null);
  for (let moment = 0; moment < many; moment += 1) {
    const at = dice.below(pages - 40);
    if (owner.slice(at, at + 40).every((one) => one === null)) {
      owner.fill(made.grant(at, 40), at, at + 40);
      continue;
    }
    const page = at + owner.slice(at).findIndex((one) => one !== null);
    const count = dice.below(3) + 1;
    const buffer = owner[page];
    const end = owner.findIndex((one, k) => k > page && (one !== buffer || k === page + count));
    owner.fill(null, page, end);
    made.part(buffer, page - buffer.page, end - page);
  }
  return made;
}

describe("buffers that are freed in parts", () => {
  test("one of 4000 parts opens at once, and is what a naive replay says", async () => {
    const area = areaOf(8192);
    const made = new Maker();
    const buffer = made.grant(0, 8192);
    for (let page = 1; page < 8000; page += 2) made.part(buffer, page, 1);
    made.grant(1, 1);
    made.free(buffer);
    await opened(made, area, {}, async (page) => {
      const ms = await page.evaluate(() => window.cmalab.timing.open_ms);
      assert.ok(ms < 5000, `${ms} ms`);
      const last = made.list.length - 1;
      for (const event of [0, 1, 777, 4000, last - 1, last]) {
        await check(page, area, made.list, event);
      }
    });
  });

  test("ids are of 64 bits, and a number where that is exact", async () => {
    const ids = [7n, 2n ** 64n - 1n, 0n, 2n ** 63n, 2n ** 53n + 1n, 2n ** 53n - 1n, 3n];
    const made = new Maker();
    ids.forEach((id, k) => made.grant(k * 4, 4, id));
    await opened(made, areaOf(64), {}, async (page) => {
      const found = await page.evaluate(() => window.cmalab.stateAt(0, 6).map(({ id }) => id));
      const safe = (id) => (id < 2n ** 53n ? Number(id) : String(id));
      assert.deepEqual(found, ids.map(safe));
      const said = await page.evaluate(() => {
        const { speaker, panels } = window.cmalab.page;
        return [1, 4].map((grant) => speaker.bufferName(panels[0], grant));
      });
      assert.deepEqual(said, ["buffer 18446744073709551615", "buffer 9007199254740993"]);
    });
  });

  test("a thousand moments of runs that go in parts", async () => {
    const area = areaOf(4096);
    const made = moments(3000, area.pages);
    const parts = made.list.filter(({ kind }) => kind === KINDS.part).length;
    assert.ok(parts > 1000, `${parts} parts`);
    await opened(made, area, { snapshots: true }, async (page) => {
      const ms = await page.evaluate(() => window.cmalab.timing.open_ms);
      assert.ok(ms < 5000, `${ms} ms`);
      for (const event of [0, 500, 1700, 2999]) await check(page, area, made.list, event);
    });
  });

  test("of bits of several pages some are cleared too early, others never", async () => {
    for (const [order, seed] of [
      [1, 1],
      [2, 2],
      [3, 3],
    ]) {
      const area = areaOf(512, order, 65536);
      const made = torn(area, seed);
      await opened(made, area, { hasTime: false }, async (page) => {
        const last = made.list.length - 1;
        const lost = replay(area, made.list, last).owner.filter((one) => one?.id === "nobody");
        assert.ok(lost.length > 0);
        for (let event = 0; event <= last; event += 9) {
          await check(page, area, made.list, event);
        }
        await check(page, area, made.list, last);
        await saysNobody(page, await page.evaluate((e) => window.cmalab.owners(0, e), last));
      });
    }
  });
});

/** Buffers side by side, freed in parts of any place and length, then whole. */
function torn(area, seed) {
  const made = new Maker();
  const dice = random(seed);
  const granule = 2 ** area.order_per_bit;
  const buffers = [];
  for (let page = 0; ;) {
    const count = 1 + dice.below(6 * granule);
    const takes = Math.ceil(count / granule) * granule;
    if (page + takes > area.pages) break;
    buffers.push({ of: made.grant(page, count), left: Array.from({ length: count }, (_, k) => k) });
    page += takes + dice.below(2) * granule;
  }
  while (buffers.length) {
    const at = dice.below(buffers.length);
    const { of, left } = buffers[at];
    const from = dice.below(left.length);
    let to = from + 1;
    while (to < left.length && left[to] === left[to - 1] + 1 && dice.below(4)) to += 1;
    const isAll = dice.below(5) === 0;
    if (isAll) made.free(of);
    else made.part(of, left[from], to - from);
    left.splice(from, to - from);
    if (isAll || !left.length) buffers.splice(at, 1);
  }
  return made;
}

/** The tip at such a bit says what it is. */
async function saysNobody(page, owner) {
  await page.keyboard.press("End");
  const at = owner.indexOf(-2);
  const { x, y } = await page.evaluate((k) => {
    const take = window.cmalab.page.takes[0];
    take.scrollTo(k);
    const row = take.rows.findIndex(({ end }) => k < end);
    const { page: first, shift } = take.rows[row];
    const { gutter, cell, high } = take.bits;
    return { x: gutter + (shift + k - first + 0.5) * cell, y: (row + 0.5) * high };
  }, at);
  await page.locator(".spacer").first().hover({ position: { x, y } });
  assert.match(await page.locator(".tip").innerText(), /held by nobody/);
}
