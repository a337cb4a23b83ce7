// The made-up pages in a folder of their own, and the browser that opens them: once for all tests.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { launch, opened } from "./browser.mjs";
import { writeSamples } from "./sample.mjs";

const folder = mkdtempSync(join(tmpdir(), "cmalab-view-"));
export const samples = writeSamples(folder);
let browser;

before(async () => {
  browser = await launch();
});

after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

/** Opens a file, does what is to be done, and asserts that the page kept quiet. */
export const onFile = (file, options, act) => opened(browser, file, options, act);

/** The same for one of the samples. */
export const on = (name, options, act) => onFile(samples[name].file, options, act);

/** The cursor, with its time as a stamp. */
export const cursor = (page) =>
  page.evaluate(() => {
    const { page: shown, head } = window.cmalab;
    return { op: shown.cursor.op, at: head.start_us + shown.cursor.at };
  });
export const words = (page, selector) => page.locator(selector).first().innerText();

/** Where in the viewport an event and a page of the first take are drawn. */
export function pointOf(page, take, event, pageNumber) {
  return page.evaluate(
    ([t, e, p]) => {
      const { layout, over, panel } = window.cmalab.page.takes[t];
      const shown = window.cmalab.page;
      const { from, to, first, end } = shown.window;
      const x = (shown.axis === "time" ? panel.at : panel.op)[e];
      const box = over.getBoundingClientRect();
      const y =
        p === null
          ? layout.ticks.top + layout.ticks.height / 2
          : layout.map.top + layout.map.height * (1 - (p + 0.5 - first) / (end - first));
      return {
        x: box.left + layout.left + ((x - from) / (to - from)) * layout.plot,
        y: box.top + y,
      };
    },
    [take, event, pageNumber],
  );
}
