// Chromium, and a page of `cmalab view` in it as a file from disk.

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // As root, in a container, there is no sandbox to have.
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
}

/**
 * Opens a file and waits until all is drawn. What the page says to the console and asks of a
 * network is in `heard`; it must stay empty.
 */
export async function open(browser, file, options = {}) {
  const { hash = "", ...look } = options;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...look });
  const page = await context.newPage();
  const heard = [];
  const url = pathToFileURL(file).href;
  page.on("console", (message) => heard.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => heard.push(`error: ${error.message}`));
  page.on("request", (request) => {
    const asked = request.url();
    if (!asked.startsWith(url)) heard.push(`asks for ${asked}`);
  });
  await page.goto(url + hash);
  await page.waitForFunction(() => window.cmalab?.timing.open_ms > 0);
  await settled(page);
  return { page, heard, close: () => context.close() };
}

export function settled(page) {
  return page.evaluate(() => window.cmalab.settled());
}

/** Opens a file, does what is to be done, and asserts that the page kept quiet. */
export async function opened(browser, file, options, act) {
  const { page, heard, close } = await open(browser, file, options);
  try {
    const result = await act(page);
    assert.deepEqual(heard, []);
    return result;
  } finally {
    await close();
  }
}
