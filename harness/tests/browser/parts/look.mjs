// Narrow, dark, on paper, by keyboard.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { settled } from "../browser.mjs";
import { on, words } from "../samples.mjs";

describe("where it is looked at", () => {
  test("390 px wide it does not scroll sideways, and fingers work", () =>
    on(
      "odd",
      { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true },
      async (page) => {
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
      },
    ));

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
    await on("calm", { colorScheme: "dark" }, async (page) => {
      assert.ok((await corner(page)).every((value) => value < 90));
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      await page.waitForFunction(() => matchMedia("print").matches);
      await settled(page);
      assert.ok((await corner(page)).every((value) => value > 160));
      assert.equal(await page.locator(".transport").isVisible(), false);
      await page.emulateMedia({ media: "screen", colorScheme: "light" });
      await settled(page);
      assert.ok((await corner(page)).every((value) => value > 160));
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
