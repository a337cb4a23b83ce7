// Stamps with more digits than a number keeps.

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { KINDS } from "../naive.mjs";
import { pageOf } from "../sample.mjs";
import { cursor, onFile, words } from "../samples.mjs";

/** Grants from a stamp on, one each so many microseconds; the stamp is put in as digits. */
function farPage(start, step, many) {
  const list = Array.from({ length: many }, (_, k) => {
    const buffer = { id: k, page: k, count: 1, align: 0, client: 0 };
    return { at: k * step, op: k, kind: KINDS.grant, ...buffer, buffer };
  });
  const spec = {
    title: "far",
    hasTime: true,
    clients: [],
    areas: [{ name: "a", order_per_bit: 0, pages: 64, ranges: [{ base_pfn: 0, pages: 64 }] }],
    takes: [{ name: "kernel, cap 8", policy: "kernel", cap: 8, recorded: false }],
  };
  const { text } = pageOf(spec, list, [[list]]);
  return text
    .replace('"start_us":0', `"start_us":${start}`)
    .replace(/"end_us":\d+/, `"end_us":${start + BigInt((many - 1) * step)}`);
}

async function on(text, options, act) {
  const file = join(tmpdir(), `cmalab-far-${process.pid}.html`);
  writeFileSync(file, text);
  try {
    await onFile(file, options, act);
  } finally {
    rmSync(file);
  }
}

describe("stamps beyond 2^53", () => {
  for (const start of [2n ** 53n + 1n, 2n ** 64n - 1_000_000n]) {
    for (const step of [1, 7, 1000]) {
      test(`from ${start} µs on, each ${step} µs`, () =>
        on(farPage(start, step, 20), {}, async (page) => {
          await page.keyboard.press("Home");
          for (let k = 0; k < 3; k += 1) await page.keyboard.press("ArrowRight");
          assert.equal((await cursor(page)).op, 3);
          const stamp = String(start + BigInt(3 * step));
          const said = `${stamp.slice(0, -6)}.${stamp.slice(-6)}`.replace(/\.?0+$/, "");
          assert.ok((await words(page, ".state")).includes(`${said} s, operation 3`));
          await page.waitForFunction(() => location.hash.startsWith("#t="));
          assert.ok(page.url().includes(`#t=${said}&`), page.url());
          for (const key of ["+", "+", "+", "-", "0", "End", "x", "x"]) {
            await page.keyboard.press(key);
          }
          await page.evaluate((t) => {
            location.hash = `#t=${t}`;
          }, said);
          await page.waitForFunction(() => window.cmalab.page.cursor.op === 3);
        }));
    }
  }

  test("ticks are at whole steps of the stamps", () =>
    on(farPage(2n ** 53n + 1n, 1000, 20), {}, async (page) => {
      const ticks = await page.evaluate(() => {
        const { clock, window: shown } = window.cmalab.page;
        return window.axisTicks(shown, 5000, clock.start).map((at) => clock.exact(at));
      });
      assert.deepEqual(ticks, ["9007199254.745", "9007199254.75", "9007199254.755"]);
    }));
});
