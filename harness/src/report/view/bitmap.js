// The bitmap at the cursor, wrapped at 2^cap pages a row: a row begins where a buffer may begin.

const BITMAP_PX = 340;
const BITMAP_GUTTER_PX = 74;
/** Looks of free pages and of those that are nobody's; else it is the number of a buffer. */
const USABLE = -1;
const HATCHED = -2;
const STUCK = -3;
const MOST_ROWS = 96;
const LEAST_ROW_PAGES = 32;
const MOST_ROW_PAGES = 256;

/**
 * Pages of a row: 2^cap, or where that is too narrow to look at a multiple, with a line at each
 * start; a large cap is cut, since a page must be seen.
 */
function rowPagesFor(cap, pages) {
  let row = LEAST_ROW_PAGES;
  while (row < MOST_ROW_PAGES && pages / row > MOST_ROWS) row *= 2;
  return Math.max(row, Math.min(2 ** cap, 4 * MOST_ROW_PAGES));
}

/** Which pages stand in which row: each range from a row of its own, aligned by its pfn. */
function bitmapRows(area, rowPages) {
  const rows = [];
  for (const range of area.ranges) {
    const base = range.base - range.first;
    let page = range.first;
    while (page < range.end) {
      const shift = (page + base) % rowPages;
      const end = Math.min(range.end, page + rowPages - shift);
      rows.push({ page, end, shift, pfn: page + base - shift, begins: page === range.first });
      page = end;
    }
  }
  return rows;
}

function bitmapLayout(width, rows, rowPages) {
  const gutter = width < NARROW_PX ? 62 : BITMAP_GUTTER_PX;
  const cell = (width - gutter - 2) / rowPages;
  const fitting = Math.floor(BITMAP_PX / rows.length);
  const high = Math.max(4, Math.min(16, Math.max(fitting, Math.min(cell, 16))));
  const height = Math.min(BITMAP_PX, Math.ceil(high * rows.length));
  return { gutter, cell, high, height, whole: Math.ceil(high * rows.length), width };
}

/** Draws the rows from `scrolled` pixels on; `paint` says the look of a page. */
function drawBitmap(canvas, layout, rows, scrolled, scale, paint) {
  canvas.width = Math.round(layout.width * scale);
  canvas.height = Math.round(layout.height * scale);
  canvas.style.height = `${layout.height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  const first = Math.floor(scrolled / layout.high);
  const last = Math.min(rows.length, Math.ceil((scrolled + layout.height) / layout.high));
  for (let k = first; k < last; k += 1) {
    drawRow(context, layout, rows[k], k * layout.high - scrolled, paint);
  }
  drawStarts(context, layout, paint);
  labelRows(context, layout, rows, first, last, scrolled, paint.shown);
}

/** A row by runs of pages that look alike, over the hatch that shows where they leave it. */
function drawRow(context, layout, row, y, paint) {
  const high = layout.high - (layout.high >= 6 ? 1 : 0.5);
  const xOf = (page) => layout.gutter + (row.shift + page - row.page) * layout.cell;
  context.fillStyle = paint.fill(HATCHED);
  context.fillRect(xOf(row.page), y, (row.end - row.page) * layout.cell, high);
  for (let start = row.page; start < row.end;) {
    const look = paint.lookOf(start);
    const placed = paint.isPlaced(start);
    const alike = (at) => paint.lookOf(at) === look && paint.isPlaced(at) === placed;
    let end = start + 1;
    while (end < row.end && alike(end)) end += 1;
    const run = { x: xOf(start), y, width: (end - start) * layout.cell, high, look, placed };
    drawRun(context, layout, run, paint, paint.startsAt(start));
    start = end;
  }
}

function drawRun(context, layout, run, paint, starts) {
  const { x, y, width, high } = run;
  if (run.look !== HATCHED) {
    context.fillStyle = paint.fill(run.look);
    context.fillRect(x, y, width, high);
  }
  if (run.placed) {
    const thick = high < 7 ? 1 : 2;
    context.fillStyle = paint.shown.miss;
    context.fillRect(x, y + high - thick, width, thick);
  }
  if (!starts) return;
  context.fillStyle = paint.shown.paper;
  context.fillRect(x, y, Math.min(1, layout.cell / 2), high);
}

/** Lines at the starts of the cap, where a row has several and there is room for them. */
function drawStarts(context, layout, paint) {
  const step = paint.startEvery * layout.cell;
  if (step < 5) return;
  context.fillStyle = paint.shown.soft;
  context.globalAlpha = 0.5;
  for (let x = step; x < layout.width - layout.gutter - 4; x += step) {
    context.fillRect(layout.gutter + x - 0.25, 0, 0.5, layout.height);
  }
  context.globalAlpha = 1;
}

function labelRows(context, layout, rows, first, last, scrolled, shown) {
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = shown.soft;
  context.textAlign = "right";
  context.textBaseline = "middle";
  let lowest = -Infinity;
  for (let k = first; k < last; k += 1) {
    const y = (k + 0.5) * layout.high - scrolled;
    if (y - lowest < 15 || y < 6 || y > layout.height - 6) continue;
    context.fillText(String(rows[k].pfn), layout.gutter - 8, y);
    lowest = y;
  }
}

/** The page at a point of the bitmap, or -1. */
function bitmapPage(layout, rows, x, y) {
  const row = rows[Math.floor(y / layout.high)];
  if (!row || x < layout.gutter) return -1;
  const page = row.page + Math.floor((x - layout.gutter) / layout.cell) - row.shift;
  return page >= row.page && page < row.end ? page : -1;
}

/** The row of a page. */
function bitmapRowOf(rows, page) {
  return rows.findIndex((row) => page < row.end);
}
