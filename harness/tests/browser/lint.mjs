// Lints the script of the page. Its files are put together to one script, so that a name that none
// of them has, or that two have, is found.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { ESLint } from "eslint";
import { page } from "./eslint.config.mjs";
import { SCRIPTS } from "./sample.mjs";

const MOST_LINES = 400;

const files = SCRIPTS.map((file) => ({ file, text: readFileSync(file, "utf8") }));
const eslint = new ESLint({ overrideConfigFile: true, overrideConfig: page });
const [result] = await eslint.lintText(files.map(({ text }) => text).join(""), {
  filePath: "page.js",
});

/** The file and line of a line of all. */
function placeOf(line) {
  let left = line;
  for (const { file, text } of files) {
    const lines = text.split("\n").length - 1;
    if (left <= lines) return `${basename(file)}:${left}`;
    left -= lines;
  }
  return "the end";
}

const found = result.messages.map(
  ({ line, message, ruleId }) => `${placeOf(line)}: ${message} (${ruleId})`,
);
for (const { file, text } of files) {
  const lines = text.split("\n").length - 1;
  if (lines >= MOST_LINES) found.push(`${basename(file)}: ${lines} lines, at most ${MOST_LINES}`);
}
for (const line of found) console.error(line);
console.log(`${files.length} files of the page, ${found.length} findings`);
process.exitCode = found.length ? 1 : 0;
