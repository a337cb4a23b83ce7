// Every control of the page, used.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settled } from "../browser.mjs";
import { KINDS, replay } from "../naive.mjs";
import { cursor, on, pointOf, samples, words } from "../samples.mjs";

describe("how it is used", () => {
  test("it opens at the answer, with who blocks and the numbers of the cursor", () =>
    on("odd", {}, async (page) => {
      const first = samples.odd.lists[0].find(({ kind }) => kind === KINDS.refusal);
      assert.equal((await cursor(page)).op, first.op);
      assert.match(await words(page, ".who"), new RegExp(`^${first.count}\\spages? .*order`));
      assert.match(await words(page, ".state"), /would find no place/);
      assert.match(
        await page.locator("canvas.over").first().getAttribute("aria-label"),
        /pages.* free, .* in \d+\sholes?/,
      );
      assert.equal(await page.locator("h1").innerText(), "odd <b>ranges</b>");
      assert.match(await words(page, ".controls .legend"), /<img src=x>/);
      assert.equal(await page.locator("main img").count(), 0);
    }));

  test("an address leads to a moment, and follows the cursor", async () => {
    await on("odd", { hash: "#t=7.5" }, async (page) => {
      const at = await cursor(page);
      assert.equal(at.at, 7_500_000);
      const list = samples.odd.lists[0].concat(samples.odd.lists[1]);
      const op = Math.max(...list.filter((one) => one.at <= 7_500_000).map((one) => one.op));
      assert.equal(at.op, op);
      await page.keyboard.press("End");
      await page.waitForFunction(() => !location.hash.includes("t=7.5"));
      const seconds = Number(
        new URLSearchParams((await page.evaluate(() => location.hash)).slice(1)).get("t"),
      );
      assert.equal(Math.round(seconds * 1e6), (await cursor(page)).at);
      await page.evaluate(() => {
        location.hash = "#op=12&x=op&colour=loss";
      });
      await page.waitForFunction(() => window.cmalab.page.cursor.op === 12);
      assert.equal(await page.evaluate(() => window.cmalab.page.axis), "op");
      assert.equal(await page.evaluate(() => window.cmalab.page.colour), "loss");
    });
    await on("bits", { hash: "#op=17" }, async (page) => assert.equal((await cursor(page)).op, 17));
  });

  test("an address that makes no sense changes nothing", async () => {
    const plain = await on("odd", {}, cursor);
    for (const hash of [
      "#t=soon",
      "#op=&zoom=9,1&pages=x",
      "#%%%",
      "#colour=__proto__&area=77",
      "#request=0,99&takes=4,5&x=constructor",
      "#t=NaN",
      "#zoom=1e999,2",
    ]) {
      await on("odd", { hash }, async (page) => assert.deepEqual(await cursor(page), plain, hash));
    }
    await on("odd", { hash: "#t=1e30" }, async (page) =>
      assert.equal((await cursor(page)).at, samples.odd.head.end_us),
    );
    await on("odd", { hash: "#op=-5" }, async (page) => assert.equal((await cursor(page)).op, 0));
  });

  test("a click on a tick jumps to its refusal, and who blocks follows", () =>
    on("odd", {}, async (page) => {
      const list = samples.odd.lists[0];
      const refused = list.filter(({ kind }) => kind === KINDS.refusal);
      const event = refused[Math.floor(refused.length / 2)];
      const { x, y } = await pointOf(page, 0, list.indexOf(event), null);
      await page.mouse.click(x, y);
      const op = (await cursor(page)).op;
      const near = refused.find((one) => one.op === op);
      assert.ok(near && Math.abs(near.at - event.at) < 1_000_000, `operation ${op}`);
      assert.match(await words(page, ".who"), new RegExp(`operation\\s${op}\\b`));
      await settled(page);
    }));

  test("n and p go along the refusals of both takes, r to where there was no place left", () =>
    on("odd", {}, async (page) => {
      const refused = [
        ...new Set(
          samples.odd.lists
            .flat()
            .filter(({ kind }) => kind === KINDS.refusal)
            .map(({ op }) => op),
        ),
      ].sort((a, b) => a - b);
      await page.keyboard.press("Home");
      assert.equal((await cursor(page)).op, 0);
      for (const op of refused.slice(0, 4)) {
        await page.keyboard.press("n");
        assert.equal((await cursor(page)).op, op);
      }
      await page.keyboard.press("p");
      assert.equal((await cursor(page)).op, refused[2]);
      const expected = await page.evaluate(() => {
        const { panel, refusal } = window.cmalab.page.selected;
        const k = window.cmalab.page.panels.indexOf(panel);
        return panel.op[window.cmalab.doomed(k, refusal)];
      });
      await page.keyboard.press("r");
      assert.equal((await cursor(page)).op, expected);
      await settled(page);
    }));

  test("the rewind button and the first difference", () =>
    on("odd", {}, async (page) => {
      await page.locator(".who button", { hasText: "rewind" }).first().click();
      const list = samples.odd.lists[0];
      const at = list.findIndex(({ kind }) => kind === KINDS.refusal);
      const doomed = await page.evaluate(() => window.cmalab.doomed(0, 0));
      assert.ok(doomed <= at);
      assert.equal((await cursor(page)).op, list[doomed].op);
      await page.locator("[data-do=difference]").click();
      assert.equal((await cursor(page)).op, samples.odd.head.difference.op);
      await page.keyboard.press("Home");
      await page.keyboard.press("d");
      assert.equal((await cursor(page)).op, samples.odd.head.difference.op);
    }));

  test("pointing at a buffer says all of it, in the map and in the bitmap", () =>
    on("odd", {}, async (page) => {
      const list = samples.odd.lists[0];
      const grant = list.find(({ kind, count }) => kind === KINDS.grant && count === 65);
      const event = list.indexOf(grant) + 3;
      const here = await pointOf(page, 0, event, grant.page + 30);
      await page.mouse.move(here.x, here.y);
      const tip = await words(page, ".tip");
      assert.match(tip, new RegExp(`buffer ${grant.id}\\b`));
      assert.match(tip, /65\spages \(260\sKiB\), order 7/);
      assert.match(tip, new RegExp(`operation\\s${grant.op}\\b`));
      assert.match(tip, /strands|nothing behind/);
      assert.match(tip, /goes at|stays to the end/);
      await page.mouse.click(here.x, here.y);
      assert.match(await words(page, ".details"), new RegExp(`buffer ${grant.id}\\b`));
      await page.mouse.move(0, 0);
      assert.equal(await page.locator(".tip").isVisible(), false);
      const bits = page.locator(".spacer").first();
      await bits.hover({ position: { x: 200, y: 8 } });
      assert.match(await words(page, ".tip"), /buffer \d+|free/);
    }));

  test("what a buffer strands is the free pages up to the next start", () =>
    on("bits", { hash: "#op=200" }, async (page) => {
      const list = samples.bits.lists[0];
      const { area, order, event, found } = await page.evaluate(() => {
        const shown = window.cmalab.page;
        const take = shown.takes[0];
        const live = window.cmalab.stateAt(0, take.event);
        return {
          area: 0,
          order: shown.request.order,
          event: take.event,
          found: live.map((one, k) => ({
            ...one,
            said: window.cmalab.stranded(0, take.event, k, shown.request.order),
          })),
        };
      });
      const naive = replay(samples.bits.head.areas[area], list, event);
      assert.ok(found.length > 3);
      for (const { id, pieces, said } of found) {
        const last = pieces[pieces.length - 1][1];
        const range = naive.ranges[0];
        let at = last;
        while (at < range.end && !naive.owner[at] && !naive.isStart(range, at, order)) at += 1;
        assert.equal(said, at - last, `buffer ${id}`);
      }
    }));

  test("wheel, keys and buttons zoom down to a page and a microsecond, and back", () =>
    on("odd", {}, async (page) => {
      const shown = () => page.evaluate(() => ({ ...window.cmalab.page.window }));
      const whole = await shown();
      const canvas = page.locator("canvas.over").first();
      await canvas.hover({ position: { x: 250, y: 100 } });
      await page.mouse.wheel(0, -400);
      const wheeled = await shown();
      assert.ok(wheeled.to - wheeled.from < whole.to - whole.from);
      assert.equal(wheeled.end - wheeled.first, 700);
      await page.keyboard.down("Shift");
      await page.mouse.wheel(0, -400);
      await page.keyboard.up("Shift");
      assert.ok((await shown()).end - (await shown()).first < 700);
      for (let k = 0; k < 40; k += 1) await page.keyboard.press("+");
      for (let k = 0; k < 14; k += 1) await page.keyboard.press("]");
      const close = await shown();
      assert.deepEqual([close.to - close.from, close.end - close.first], [1, 1]);
      await settled(page);
      await page.keyboard.press("0");
      assert.deepEqual(await shown(), whole);
      await page.locator("[data-do=in]").click();
      assert.ok((await shown()).to - (await shown()).from < whole.to - whole.from);
      await page.keyboard.press(".");
      await page.locator("[data-do=all]").click();
      assert.deepEqual(await shown(), whole);
      await settled(page);
    }));

  test("a zoomed map is dragged; the curves are scrubbed; the range moves the cursor", () =>
    on("odd", {}, async (page) => {
      const box = await page.locator("canvas.over").first().boundingBox();
      const shown = () => page.evaluate(() => window.cmalab.page.window.from);
      await page.keyboard.press("+");
      const from = await shown();
      await page.mouse.move(box.x + 300, box.y + 100);
      await page.mouse.down();
      await page.mouse.move(box.x + 200, box.y + 100, { steps: 4 });
      await page.mouse.up();
      assert.ok((await shown()) > from);
      await page.keyboard.press("0");
      await page.mouse.move(box.x + 100, box.y + 390);
      await page.mouse.down();
      await page.mouse.move(box.x + 300, box.y + 390, { steps: 4 });
      const scrubbed = (await cursor(page)).at;
      await page.mouse.up();
      assert.ok(scrubbed > samples.odd.head.start_us);
      await page.locator("input[type=range]").fill("1000000");
      assert.equal((await cursor(page)).at, samples.odd.head.end_us);
      await settled(page);
    }));

  test("arrows step from operation to operation, space plays", () =>
    on("bits", {}, async (page) => {
      const ops = samples.bits.lists[0].map(({ op }) => op);
      await page.keyboard.press("Home");
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowRight");
      assert.equal((await cursor(page)).op, [...new Set(ops.filter((op) => op > 0))][1]);
      await page.keyboard.press("ArrowLeft");
      assert.equal(
        (await cursor(page)).op,
        ops.find((op) => op > 0),
      );
      await page.keyboard.press("Space");
      await page.waitForFunction(() => window.cmalab.page.cursor.op > 20);
      await page.keyboard.press("Space");
      const { op } = await cursor(page);
      await page.waitForTimeout(200);
      assert.equal((await cursor(page)).op, op);
    }));

  test("a request of another size and order is asked of every state", () =>
    on("odd", {}, async (page) => {
      await page.locator("[aria-label='pages of the request']").fill("3");
      await page.locator("[aria-label='order of the request']").selectOption("1");
      await settled(page);
      assert.match(await words(page, ".state"), /3\spages \(12\sKiB\) at order 1/);
      assert.match(await words(page, ".controls .legend"), /of no use to 3\spages/);
    }));

  test("colours, areas and help", () =>
    on("bits", {}, async (page) => {
      for (const title of ["client", "size", "age", "loss"]) {
        await page.locator("label", { hasText: "colour by" }).locator("select").selectOption(title);
        await settled(page);
      }
      await page.locator("label", { hasText: "area" }).locator("select").selectOption("1");
      await settled(page);
      assert.equal(await page.evaluate(() => window.cmalab.page.takes[0].panel.area.name), "b");
      await page.evaluate(() => {
        location.hash = "#op=5&area=0";
      });
      await page.waitForFunction(() => window.cmalab.page.area === 0);
      assert.equal(
        await page.locator("label", { hasText: "area" }).locator("select").inputValue(),
        "0",
      );
      await page.keyboard.press("?");
      assert.match(await words(page, "dialog"), /next refusal/);
      await page.keyboard.press("Escape");
      assert.equal(await page.locator("dialog").isVisible(), false);
    }));

  test("of three takes two are side by side, whichever", () =>
    on("three", {}, async (page) => {
      const shown = () => page.locator(".take h2").allInnerTexts();
      assert.deepEqual(
        (await shown()).map((name) => name.slice(0, 5)),
        ["cap 8", "cap 4"],
      );
      const beside = page.locator("label", { hasText: "beside" }).locator("select");
      await beside.selectOption("2");
      await settled(page);
      assert.deepEqual(
        (await shown()).map((name) => name.slice(0, 5)),
        ["cap 8", "cap 0"],
      );
      await page.waitForFunction(() => location.hash.includes("takes=0,2"));
    }));

  test("of bitmaps read at moments no buffer is named", () =>
    on("moments", { hash: "#t=2.6" }, async (page) => {
      assert.match(await words(page, ".take .note"), /what lies between two of them is not known/);
      const { event, taken } = await page.evaluate(() => {
        const { event: at } = window.cmalab.page.takes[0];
        return { event: at, taken: window.cmalab.stateAt(0, at)[0].pieces[0][0] };
      });
      const { x, y } = await pointOf(page, 0, event, taken);
      await page.mouse.move(x + 1, y);
      assert.match(await words(page, ".tip"), /^pages in use\n/);
    }));

  test("a stream without a refusal is shown too", () =>
    on("calm", {}, async (page) => {
      assert.match(await words(page, ".who"), /Nothing was refused/);
      for (const key of ["n", "p", "r", "d"]) await page.keyboard.press(key);
      assert.match(await words(page, ".state"), /would find a place/);
    }));
});
