// Pages of an area, and who owns them: states, holes, and what is usable of a hole.

/** Ranges with their pages by number. Less than a bit at the end of one can never be given out. */
function makeArea(area) {
  const granule = 2 ** area.order_per_bit;
  let first = 0;
  const ranges = area.ranges.map(({ base_pfn: base, pages }) => {
    const made = {
      first,
      end: first + Math.floor(pages / granule) * granule,
      base,
      pages,
      starts: [],
    };
    first += pages;
    return made;
  });
  return { name: area.name, bitOrder: area.order_per_bit, granule, ranges, pages: first };
}

function rangeOf(area, page) {
  const { ranges } = area;
  return ranges.find(({ first, pages }) => page < first + pages) || ranges[ranges.length - 1];
}

function pfnOf(area, page) {
  const range = rangeOf(area, page);
  return range.base + page - range.first;
}

/**
 * The first page from `page` on, within its range, at which a buffer of the order may start; it may
 * be the end of the range or beyond. As cma_bitmap_aligned_offset() has it: by whole bits, with the
 * base's own offset.
 */
function alignedFrom(area, range, page, order) {
  const { step, offset } = (range.starts[order] ||= startsOf(area, range, order));
  const over = (page - range.first + offset) % step;
  return over ? page + step - over : page;
}

/** Pages from start to start at an order, and of the first page of the range past one. */
function startsOf(area, range, order) {
  return {
    step: 2 ** Math.max(order, area.bitOrder),
    offset: Math.floor((range.base % 2 ** order) / area.granule) * area.granule,
  };
}

/** Pages of the hole [start, start + pages) from its first aligned one on. */
function usablePages(area, start, pages, order) {
  const from = alignedFrom(area, rangeOf(area, start), start, order);
  return Math.max(0, start + pages - from);
}

/** Pages that a buffer takes of the bitmap: whole bits. */
function takenPages(panel, grant) {
  return roundUp(panel.count[grant], panel.area.granule);
}

/** The number of the last event that is not after `value` in a column that never falls; or -1. */
function lastUpTo(column, value) {
  let [low, high] = [0, column.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (column[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The column of x: microseconds or operations. */
function columnOf(panel, name) {
  return name === "time" ? panel.at : panel.op;
}

/** The buffers that live after an event, in the order of their grants. */
function liveAt(panel, event) {
  const { frames, kind, about, end } = panel;
  let frame = frames.length - 1;
  while (frames[frame].event > event) frame -= 1;
  const live = [];
  for (const grant of frames[frame].live) if (end[grant] > event) live.push(grant);
  for (let e = frames[frame].event + 1; e <= event; e += 1) {
    if (kind[e] === GRANT || kind[e] === LIVE_BEFORE) {
      if (end[about[e]] > event) live.push(about[e]);
    }
  }
  return live;
}

/** What is left of [start, end) without some runs, which may come in any order. */
function without(start, end, runs) {
  const left = [];
  let at = start;
  for (const [from, to] of runs.sort((a, b) => a[0] - b[0])) {
    if (at < from) left.push([at, from]);
    at = Math.max(at, to);
  }
  if (at < end) left.push([at, end]);
  return left;
}

/** Calls `each` with what is freed of a buffer up to an event, but for its end. */
function eachPart(panel, grant, event, each) {
  for (const part of panel.parts.get(grant) || []) {
    if (part.event > event) return;
    each(part);
  }
}

/** The runs that a buffer still has in the bitmap after an event: see `Parted`. */
function piecesOf(panel, grant, event) {
  if (panel.end[grant] <= event) return [];
  const page = panel.page[grant];
  const gone = [];
  eachPart(panel, grant, event, ({ cleared, lost }) => gone.push(...cleared, ...lost));
  return without(page, page + takenPages(panel, grant), gone);
}

/** The runs whose pages a buffer still holds, as whole bits: what stands in the way of a claim. */
function standingOf(panel, grant, event) {
  if (panel.end[grant] <= event) return [];
  const { granule } = panel.area;
  const page = panel.page[grant];
  const gone = [];
  eachPart(panel, grant, event, ({ offset, count }) => gone.push([offset, offset + count]));
  return without(0, panel.count[grant], gone).map(([start, end]) => [
    page + Math.floor(start / granule) * granule,
    page + roundUp(end, granule),
  ]);
}

/** In place of a buffer's number: a page that is free, and one of a bit that is set for nobody. */
const FREE_PAGE = -1;
const NOBODYS = -2;

/** Of each page after an event, the number of the buffer that owns it, or one of the above. */
function ownersAt(panel, event) {
  if (panel.ownerEvent === event) return panel.owner;
  const owner = panel.owner.fill(FREE_PAGE);
  for (const run of panel.lost) {
    if (run.event > event) break;
    owner.fill(NOBODYS, run.start, run.end);
  }
  // The oldest first: what has come into a part that was freed is younger.
  for (const grant of liveAt(panel, event)) {
    const page = panel.page[grant];
    owner.fill(grant, page, page + takenPages(panel, grant));
    eachPart(panel, grant, event, ({ cleared, lost }) => {
      for (const [start, end] of cleared) owner.fill(FREE_PAGE, start, end);
      for (const [start, end] of lost) owner.fill(NOBODYS, start, end);
    });
  }
  panel.ownerEvent = event;
  return owner;
}

/** The same of pages that are held, though the bitmap may call some free: see `piecesOf`. */
function holdersAt(panel, event) {
  const owner = ownersAt(panel, event);
  if (panel.area.granule === 1 || !panel.parts.size) return owner;
  const holder = owner.slice();
  for (const grant of liveAt(panel, event)) {
    if (!panel.parts.has(grant)) continue;
    for (const [start, end] of standingOf(panel, grant, event)) {
      for (let page = start; page < end; page += 1) if (holder[page] < 0) holder[page] = grant;
    }
  }
  return holder;
}

/** Calls `hole(start, end, range)` for each maximal free run; none crosses the end of a range. */
function eachHole(panel, event, hole) {
  const owner = ownersAt(panel, event);
  for (const range of panel.area.ranges) {
    const { end } = range;
    let page = range.first;
    while (page < end) {
      while (page < end && owner[page] !== FREE_PAGE) page += 1;
      const start = page;
      while (page < end && owner[page] === FREE_PAGE) page += 1;
      if (start < page) hole(start, page, range);
    }
  }
}

/** The holes after an event, as [start, pages]. */
function holesAt(panel, event) {
  const holes = [];
  eachHole(panel, event, (start, end) => holes.push([start, end - start]));
  return holes;
}

/** What of a hole a request can use starts here; at its end if it cannot use any. */
function usefulFrom(area, range, start, end, request, need) {
  if (end - start < need) return end;
  const from = alignedFrom(area, range, start, request.order);
  return end - from < need ? end : from;
}

/** What the curves show, after one event; `dead` are free pages that the request cannot use. */
function numbersAt(panel, event, request) {
  const seen = { free: 0, longest: 0, usable: 0, dead: 0, holes: 0 };
  const { area } = panel;
  const need = roundUp(request.count, area.granule);
  eachHole(panel, event, (start, end, range) => {
    seen.holes += 1;
    seen.free += end - start;
    seen.longest = Math.max(seen.longest, end - start);
    if (end - start > seen.usable) {
      const from = alignedFrom(area, range, start, request.order);
      seen.usable = Math.max(seen.usable, end - from);
    }
    seen.dead += usefulFrom(area, range, start, end, request, need) - start;
  });
  return seen;
}

/** Free pages behind a buffer up to the next start of the order, within the hole there. */
function strandedBehind(panel, event, grant, order) {
  const owner = ownersAt(panel, event);
  const area = panel.area;
  const range = rangeOf(area, panel.page[grant]);
  let last = panel.page[grant] + takenPages(panel, grant);
  while (last > panel.page[grant] && owner[last - 1] !== grant) last -= 1;
  const limit = Math.min(alignedFrom(area, range, last, order), range.end);
  let page = last;
  while (page < limit && owner[page] === FREE_PAGE) page += 1;
  return page - last;
}
