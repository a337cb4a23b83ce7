// The pages that the program wrote, in the folder CMALAB_PAGES. Beside X.html may be X.json, the
// same by `--format json`: then page and program must say the same of each refusal.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { settled } from "../browser.mjs";
import { onFile } from "../samples.mjs";

const folder = process.env.CMALAB_PAGES;

describe(
  "pages that the program wrote",
  { skip: folder ? false : "CMALAB_PAGES is not set" },
  () => {
    const files = folder ? readdirSync(folder).filter((name) => name.endsWith(".html")) : [];

    test("there are some", () => assert.ok(files.length > 0));

    for (const name of files) {
      test(`${name} opens, is in order, and can be walked through`, () =>
        onFile(join(folder, name), {}, async (page) => {
          const wrong = await page.evaluate(faults);
          assert.deepEqual(wrong, []);
          const json = join(folder, name.replace(/html$/, "json"));
          if (existsSync(json)) {
            const { panels } = JSON.parse(readFileSync(json, "utf8"));
            for (const [k, { refusals }] of panels.entries()) {
              assert.deepEqual(
                await page.evaluate(told, [k, refusals.map(bestOf)]),
                refusals.map(facts),
              );
            }
          }
          for (const key of ["Home", "n", "r", "n", "d", "+", "End", "p", "0", "c", "x"]) {
            await page.keyboard.press(key);
            await settled(page);
          }
        }));
    }
  },
);

const bestOf = ({ best }) => best.length;

/** What the program says of a refusal, as far as the page says it too. */
function facts(one) {
  const best = one.best.map(({ pfn, taken_pages: taken, buffers }) => ({
    pfn,
    taken,
    buffers: buffers.map(({ id, op, pfn: at, count }) => ({ id, op, pfn: at, count })),
  }));
  const { op, count, align, cause, places } = one;
  return {
    op,
    count,
    align,
    cause,
    places,
    best,
    doomed: one.doomed,
    doomedBy: one.doomed_by ? one.doomed_by.op : null,
    holes: [one.free_pages, one.longest_hole, one.longest_usable],
  };
}

/** In the page: the same, of the first refusals of a panel. */
function told([k, many]) {
  const { head, page, blockers, doomed, numbers, places } = window.cmalab;
  const panel = page.panels[k];
  const pfn = (at) => {
    const range = panel.area.ranges.find((one) => at < one.first + one.pages);
    return range.base + at - range.first;
  };
  return many.map((limit, r) => {
    const event = panel.refusals.event[r];
    const [count, align] = [panel.refusals.count[r], panel.refusals.align[r]];
    const since = doomed(k, r);
    const best = blockers(k, r, Math.max(1, limit)).map(({ start, inTheWay, buffers }) => ({
      pfn: pfn(start),
      taken: inTheWay,
      buffers: buffers.map((one) => ({
        id: one.id,
        op: panel.op[one.begin],
        pfn: pfn(one.page),
        count: one.count,
      })),
    }));
    const seen = numbers(k, event, { count, order: align });
    return {
      op: panel.op[event],
      count,
      align,
      cause: head.causes[panel.refusals.cause[r]],
      places: places(k, r),
      best: best.slice(0, limit),
      doomed: since === null ? "never" : since < 0 ? "always" : "since",
      doomedBy: since === null || since < 0 ? null : panel.op[since],
      holes: [seen.free, seen.longest, seen.usable],
    };
  });
}

/** In the page: what cannot be, of its head and its events. */
function faults() {
  const { head, page, stateAt, doomed, numbers, owners } = window.cmalab;
  const found = [];
  head.panels.forEach((about, k) => {
    const panel = page.panels[k];
    const whole = panel.area.pages;
    const bits = panel.area.ranges.reduce((all, { first, end }) => all + end - first, 0);
    if (whole !== head.areas[about.area].pages) found.push(`panel ${k}: pages`);
    if (panel.events !== about.events) found.push(`panel ${k}: events`);
    if (panel.id.length < about.grants) found.push(`panel ${k}: grants`);
    if (panel.refusals.length !== about.refusals) found.push(`panel ${k}: refusals`);
    for (let e = 1; e < panel.events; e += 1) {
      if (panel.at[e] < panel.at[e - 1] || panel.op[e] < panel.op[e - 1]) found.push(`event ${e}`);
    }
    for (let e = -1; e < panel.events; e += Math.max(1, Math.floor(panel.events / 50))) {
      const taken = new Uint8Array(whole);
      let sum = 0;
      for (const { id, pieces } of stateAt(k, e)) {
        for (const [start, end] of pieces) {
          if (end > whole || taken.subarray(start, end).some(Boolean)) found.push(`${e}: ${id}`);
          taken.fill(1, start, end);
          sum += end - start;
        }
      }
      const { free } = numbers(k, e, { count: 1, order: 0 });
      // Bits that partial frees left set are nobody's, and used.
      for (const one of owners(k, e)) sum += one === -2 ? 1 : 0;
      if (free !== bits - sum) found.push(`panel ${k}, event ${e}: ${free} free`);
    }
    for (let r = 0; r < panel.refusals.length; r += Math.ceil(panel.refusals.length / 20)) {
      const request = { count: panel.refusals.count[r], order: panel.refusals.align[r] };
      const fits = (e) => numbers(k, e, request).usable >= request.count;
      const [at, since] = [panel.refusals.event[r], doomed(k, r)];
      if (since === null) {
        if (!fits(at)) found.push(`panel ${k}, refusal ${r}: there is no place`);
      } else if (fits(at) || (since >= 0 && fits(since)) || (since > 0 && !fits(since - 1))) {
        found.push(`panel ${k}, refusal ${r}: not doomed since ${since}`);
      }
    }
  });
  return found;
}
