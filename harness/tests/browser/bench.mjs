// How fast a page of `cmalab view` opens and seeks. Prints; judges nothing.
//
//     cmalab generate mix … -o stream.csv && cmalab view stream.csv -o view.html
//     node bench.mjs view.html

import { statSync } from "node:fs";
import { launch, open } from "./browser.mjs";
import { random } from "./naive.mjs";

const OPENS = 5;
const SEEKS = 50;
const ZOOMS = 10;

function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const [median, worst] = [sorted[Math.floor(sorted.length / 2)], sorted[sorted.length - 1]];
  return `median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms of ${values.length}`;
}

/** From the start of the navigation until all is drawn. */
async function opens(browser, file) {
  const found = [];
  for (let k = 0; k < OPENS; k += 1) {
    const { page, close } = await open(browser, file);
    found.push(await page.evaluate(() => window.cmalab.timing.open_ms));
    await close();
  }
  return found;
}

/** In the page: seeks to a share of the time; the script's part, and until the frame is out. */
function seekTo(share) {
  const { head, seek, timing, settled } = window.cmalab;
  const started = performance.now();
  seek((head.start_us + share * (head.end_us - head.start_us)) / 1e6);
  const script = timing.seek_ms;
  return new Promise((done) => {
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        const frame = performance.now() - started;
        settled().then(() => done({ script, frame }));
      };
      channel.port2.postMessage(null);
    });
  });
}

/** In the page: a hundredth of the time around a share of it, drawn anew. */
async function zoomTo(share) {
  const { page, timing, settled } = window.cmalab;
  const { from, to } = page.domain();
  const span = (to - from) / 100;
  page.zoomTo({
    from: from + share * (to - from - span),
    to: from + share * (to - from - span) + span,
  });
  await settled();
  return timing.redraw_ms;
}

async function bench(browser, file) {
  console.log(file);
  console.log(`  file    ${statSync(file).size} bytes`);
  console.log(`  open    ${summary(await opens(browser, file))}`);
  const { page, heard, close } = await open(browser, file);
  const about = await page.evaluate(() =>
    window.cmalab.head.panels.map(
      ({ events, refusals }) => `${events} events, ${refusals} refusals`,
    ),
  );
  const dice = random(19);
  const [seeks, zooms] = [[], []];
  for (let k = 0; k < SEEKS; k += 1) seeks.push(await page.evaluate(seekTo, dice.next()));
  console.log(`  seek    ${summary(seeks.map(({ script }) => script))}`);
  console.log(`  …shown  ${summary(seeks.map(({ frame }) => frame))}`);
  for (let k = 0; k < ZOOMS; k += 1) zooms.push(await page.evaluate(zoomTo, dice.next()));
  console.log(`  zoomed  ${summary(zooms)}`);
  console.log(`  panels  ${about.join("; ")}`);
  for (const line of heard) console.log(`  heard   ${line}`);
  await close();
}

const files = process.argv.slice(2);
if (!files.length) {
  console.error("usage: node bench.mjs VIEW.html…");
  process.exit(2);
}
const browser = await launch();
for (const file of files) await bench(browser, file);
await browser.close();
