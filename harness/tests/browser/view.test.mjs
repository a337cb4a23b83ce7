// The page of `cmalab view` in Chromium, opened from disk.
//
//     CMALAB_PAGES=folder CHROMIUM=/usr/bin/chromium node --test view.test.mjs
//
// opens made-up pages, and each page of the folder, which the program wrote.

import "./parts/numbers.mjs";
import "./parts/freed.mjs";
import "./parts/far.mjs";
import "./parts/use.mjs";
import "./parts/look.mjs";
import "./parts/program.mjs";
