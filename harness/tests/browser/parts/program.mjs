// The pages that the program wrote, in the folder CMALAB_PAGES.

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
          for (const key of ["Home", "n", "r", "n", "d", "+", "End", "p", "0", "c", "x"]) {
            await page.keyboard.press(key);
            await settled(page);
          }
        }));
    }

    for (const name of files) {
      const told = join(folder, name.replace(/html$/, "json"));
      if (!existsSync(told)) continue;
      test(`${name} shows who stands in the way as the program tells it`, () =>
        onFile(join(folder, name), {}, async (page) => {
          const expected = JSON.parse(readFileSync(told, "utf8")).panels.map(asTold);
          const shown = await page.evaluate(asShown);
          assert.ok(expected.some((refusals) => refusals.length > 0) || name === "quiet.html");
          expected.forEach((refusals, k) => {
            assert.deepEqual(shown[k].slice(0, refusals.length), refusals, `panel ${k}`);
          });
        }));
    }
  },
);

/** The refusals of a panel, as the program tells them: their places, and since when they had none. */
function asTold({ refusals }) {
  return refusals.map(({ op, id, count, align, cause, doomed, doomed_by: by, best }) => ({
    asked: [op, id, count, align, cause],
    doomed: doomed === "since" ? by.op : doomed,
    best: best.map(({ pfn, buffers }) => [pfn, buffers.map((buffer) => buffer.id)]),
  }));
}

/** In the page: the same as it shows it. */
function asShown() {
  const { head, page, blockers, doomed } = window.cmalab;
  return page.panels.map((panel, k) => {
    const pfnOf = (start) => {
      const range = panel.area.ranges.find(({ first, end }) => first <= start && start < end);
      return range.base + start - range.first;
    };
    const of = (r) => {
      const { event, id, count, align, cause } = panel.refusals;
      const since = doomed(k, r);
      const named = since === null ? "never" : since < 0 ? "always" : panel.op[since];
      const best = blockers(k, r).slice(0, 3);
      return {
        asked: [panel.op[event[r]], id[r], count[r], align[r], head.causes[cause[r]]],
        doomed: named,
        best: best.map(({ start, buffers }) => [pfnOf(start), buffers.map((buffer) => buffer.id)]),
      };
    };
    return Array.from({ length: Math.min(panel.refusals.length, 100) }, (_, r) => of(r));
  });
}

/** In the page: what cannot be, of its head and its events. */
function faults() {
  const { head, page, stateAt, doomed, numbers } = window.cmalab;
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
