// Narrow, dark, on paper, by keyboard.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settled } from "../browser.mjs";
import { on, words } from "../samples.mjs";

const phone = { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true };

describe("where it is looked at", () => {
  test("390 px wide it does not scroll sideways, and fingers work", () =>
    on("odd", phone, async (page) => {
      const [wide, seen] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        window.innerWidth,
      ]);
      assert.equal(seen, 390);
      assert.ok(wide <= 390, `${wide} px`);
      await page.locator("canvas.over").first().scrollIntoViewIfNeeded();
      const box = await page.locator("canvas.over").first().boundingBox();
      await page.touchscreen.tap(box.x + 150, box.y + 100);
      assert.match(await words(page, ".details"), /buffer \d+|Point at/);
      assert.equal(await page.locator(".tip").isVisible(), true);
    }));

  test("two fingers zoom what is between them", () =>
    on("odd", phone, async (page) => {
      await page.locator("canvas.over").first().scrollIntoViewIfNeeded();
      const box = await page.locator("canvas.over").first().boundingBox();
      const client = await page.context().newCDPSession(page);
      const touch = (type, ...points) =>
        client.send("Input.dispatchTouchEvent", {
          type,
          touchPoints: points.map(([x, y], id) => ({ x: box.x + x, y: box.y + y, id })),
        });
      await touch("touchStart", [130, 100], [190, 100]);
      await touch("touchMove", [110, 100], [210, 100]);
      await touch("touchMove", [90, 100], [230, 100]);
      await touch("touchEnd");
      const { shown, whole } = await page.evaluate(() => ({
        shown: window.cmalab.page.window,
        whole: window.cmalab.page.domain(),
      }));
      const share = (shown.to - shown.from) / (whole.to - whole.from);
      assert.ok(share > 0.3 && share < 0.6, `${share} of the time`);
      assert.deepEqual([shown.first, shown.end], [0, 700]);
      await settled(page);
    }));

  test("dark, the map is dark; on paper it is light again", async () => {
    const corner = (page) =>
      page.evaluate(() => {
        const { base, layout, scale } = window.cmalab.page.takes[0];
        const [x, y] = [layout.left + 2, layout.map.top + 2].map((at) => Math.round(at * scale));
        const copy = document
          .createElement("canvas")
          .getContext("2d", { willReadFrequently: true });
        copy.drawImage(base, -x, -y);
        return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
      });
    const becomes = async (page, isRight) => {
      const until = Date.now() + 5000;
      let seen = await corner(page);
      while (!seen.every(isRight) && Date.now() < until) {
        await page.waitForTimeout(20);
        seen = await corner(page);
      }
      assert.ok(seen.every(isRight), seen.join());
    };
    const isDark = (value) => value < 90;
    const isLight = (value) => value > 160;
    await on("calm", { colorScheme: "dark" }, async (page) => {
      await becomes(page, isDark);
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      await becomes(page, isLight);
      assert.equal(await page.locator(".transport").isVisible(), false);
      await page.emulateMedia({ media: "screen", colorScheme: "dark" });
      await becomes(page, isDark);
      await page.emulateMedia({ colorScheme: "light" });
      await becomes(page, isLight);
    });
  });

  test("every control has a name and shows its focus", () =>
    on("odd", {}, async (page) => {
      const nameless = await page.evaluate(() =>
        [
          ...document.querySelectorAll(
            "main button, main input, main select, main canvas[role], main [tabindex]",
          ),
        ]
          .filter(
            (node) =>
              !(
                node.getAttribute("aria-label") ||
                node.textContent.trim() ||
                node.closest("label")
              ),
          )
          .map((node) => `${node.tagName} ${node.className}`),
      );
      assert.deepEqual(nameless, []);
      await page.keyboard.press("Tab");
      const width = await page.evaluate(
        () => getComputedStyle(document.activeElement).outlineWidth,
      );
      assert.equal(width, "3px");
    }));
});
