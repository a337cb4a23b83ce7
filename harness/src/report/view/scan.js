// The overview: one walk over the events of a window gives the picture and the curves of each
// column. It is cut in slices, so that a page with a million events stays awake meanwhile.

/** The free pages of an area as bits of words, each range from a word of its own. */
class FreeBits {
  constructor(area) {
    this.area = area;
    let words = 0;
    this.ranges = area.ranges.map((range) => {
      const made = { range, word: words, bits: (range.end - range.first) / area.granule };
      words += Math.ceil(made.bits / 32);
      return made;
    });
    this.words = new Uint32Array(words);
    for (const { range } of this.ranges) this.set(range.first, range.end, true);
  }

  set(start, end, free) {
    const home = this.homeOf(start);
    const { granule } = this.area;
    const { first } = home.range;
    const from = (start - first) / granule;
    const to = Math.min(Math.ceil((end - first) / granule), home.bits);
    if (from >= to) return;
    const [low, high] = [home.word + (from >>> 5), home.word + ((to - 1) >>> 5)];
    const head = -1 << (from & 31);
    const tail = -1 >>> (31 - ((to - 1) & 31));
    if (low === high) {
      this.mask(low, head & tail, free);
      return;
    }
    this.mask(low, head, free);
    this.words.fill(free ? -1 : 0, low + 1, high);
    this.mask(high, tail, free);
  }

  mask(word, bits, free) {
    if (free) this.words[word] |= bits;
    else this.words[word] &= ~bits;
  }

  homeOf(page) {
    const { ranges } = this;
    let k = 0;
    while (k + 1 < ranges.length && page >= ranges[k].range.end) k += 1;
    return ranges[k];
  }

  /** Calls `hole(start, end, range)` for each maximal free run. */
  each(hole) {
    for (const home of this.ranges) this.eachOf(home, hole);
  }

  eachOf({ range, word, bits }, hole) {
    const { words, area } = this;
    const page = (bit) => range.first + Math.min(bit, bits) * area.granule;
    let since = -1;
    for (let at = 0; at < bits; at += 32) {
      const value = words[word + (at >>> 5)];
      if (value === 0xffffffff) {
        if (since < 0) since = at;
        continue;
      }
      if (value === 0) {
        if (since >= 0) hole(page(since), page(at), range);
        since = -1;
        continue;
      }
      // Turned so that the next change is the lowest bit that is set.
      let bit = 0;
      while (bit < 32) {
        const turned = (since < 0 ? value : ~value) >>> bit;
        if (turned === 0) break;
        bit += 31 - Math.clz32(turned & -turned);
        if (since < 0) since = at + bit;
        else {
          hole(page(since), page(at + bit), range);
          since = -1;
        }
      }
    }
    if (since >= 0) hole(page(since), page(bits), range);
  }
}

/** Rows of a picture, each some pages (never none) of a window of pages. */
class Rows {
  constructor(first, end, most) {
    this.first = first;
    this.pages = end - first;
    this.length = Math.max(1, Math.min(most, this.pages));
  }

  startOf(row) {
    return this.first + Math.floor((row * this.pages) / this.length);
  }

  rowOf(page) {
    return Math.floor(((page - this.first + 1) * this.length - 1) / this.pages);
  }

  /** Adds `weight` a page to what each row has of the run. */
  add(into, start, end, weight, stride = 1, slot = 0) {
    const from = Math.max(start, this.first);
    const to = Math.min(end, this.first + this.pages);
    if (from >= to) return;
    const last = this.rowOf(to - 1);
    let at = from;
    for (let row = this.rowOf(from); row <= last; row += 1) {
      const next = Math.min(to, this.startOf(row + 1));
      into[row * stride + slot] += (next - at) * weight;
      at = next;
    }
  }
}

/** Adds up pages by row, of runs that come in rising order, as holes do: no row is looked up. */
class Rising {
  constructor(rows, into) {
    this.rows = rows;
    this.into = into;
    this.row = 0;
    this.next = rows.startOf(1);
    this.end = rows.first + rows.pages;
  }

  add(start, end) {
    let at = Math.max(start, this.rows.first);
    const to = Math.min(end, this.end);
    while (at < to) {
      while (this.next <= at) {
        this.row += 1;
        this.next = this.rows.startOf(this.row + 1);
      }
      const stop = Math.min(to, this.next);
      this.into[this.row] += stop - at;
      at = stop;
    }
  }
}

/** The columns of a window: of each, the event that it shows. */
function columnEvents(panel, axis, window, width, request) {
  const x = axis === "time" ? panel.at : panel.op;
  const events = new Int32Array(width);
  const refused = refusedIn(panel, x, window, width, request);
  let low = lastUpTo(x, window.from) + 1;
  while (low > 0 && x[low - 1] >= window.from) low -= 1;
  for (let column = 0; column < width; column += 1) {
    const limit = window.from + ((column + 1) * (window.to - window.from)) / width;
    while (low < x.length && x[low] < limit) {
      // Whole stretches at a time: most columns of a long stream have thousands of events.
      const far = low + 512;
      low = far < x.length && x[far] < limit ? far : low + 1;
    }
    events[column] = refused[column] >= 0 ? refused[column] : low - 1;
  }
  return events;
}

/**
 * The refusal that a column shows, an event or -1: a curve must be seen below the request where one
 * was refused, however short that was. One of the selected size and order comes first.
 */
function refusedIn(panel, x, window, width, request) {
  const shown = new Int32Array(width).fill(-1);
  const alike = new Uint8Array(width);
  const { event, count, align } = panel.refusals;
  const scale = width / (window.to - window.from);
  for (let refusal = 0; refusal < event.length; refusal += 1) {
    const column = Math.floor((x[event[refusal]] - window.from) * scale);
    if (column < 0 || column >= width) continue;
    const same = count[refusal] === request.count && align[refusal] === request.order;
    if (shown[column] >= 0 && alike[column] && !same) continue;
    shown[column] = event[refusal];
    alike[column] = same ? 1 : 0;
  }
  return shown;
}

/** What a walk carries along: the bits, and of each row its pages by class and by age. */
class Walk {
  constructor(panel, rows, colours) {
    this.panel = panel;
    this.rows = rows;
    this.colours = colours;
    this.bits = new FreeBits(panel.area);
    // One more than the colours have where there are bits that are nobody's.
    this.classes = colours.classes + (panel.lost.length ? 1 : 0);
    this.byClass = new Int32Array(rows.length * this.classes);
    this.bornSum = colours.byAge ? new Float64Array(rows.length) : null;
    this.event = -1;
  }

  startAt(event) {
    for (const grant of liveAt(this.panel, event)) {
      for (const [start, end] of piecesOf(this.panel, grant, event)) {
        this.run(grant, start, end, 1);
      }
    }
    for (const { event: since, start, end } of this.panel.lost) {
      if (since > event) break;
      this.bits.set(start, end, false);
      this.ofNobody(start, end);
    }
    this.event = event;
  }

  /** The class of what is nobody's comes behind those of the colours. */
  ofNobody(start, end) {
    this.rows.add(this.byClass, start, end, 1, this.classes, this.colours.classes);
  }

  run(grant, start, end, sign) {
    this.bits.set(start, end, sign < 0);
    this.count(grant, start, end, sign);
  }

  count(grant, start, end, sign) {
    const { rows, colours, panel } = this;
    rows.add(this.byClass, start, end, sign, this.classes, colours.classOf[grant]);
    if (this.bornSum) rows.add(this.bornSum, start, end, sign * panel.at[panel.begin[grant]]);
  }

  moveTo(event) {
    while (this.event < event) this.step(this.event + 1);
  }

  step(event) {
    const { panel } = this;
    const grant = panel.about[event];
    const what = panel.kind[event];
    this.event = event;
    if (what === REFUSAL) return;
    if (what === GRANT || what === LIVE_BEFORE || !panel.parts.has(grant)) {
      const page = panel.page[grant];
      const granted = what === GRANT || what === LIVE_BEFORE;
      this.run(grant, page, page + takenPages(panel, grant), granted ? 1 : -1);
      return;
    }
    const change = panel.changes.get(event);
    if (!change) return;
    for (const [start, end] of change.cleared) this.run(grant, start, end, -1);
    for (const [start, end] of change.lost) {
      this.count(grant, start, end, -1);
      this.ofNobody(start, end);
    }
  }
}

/** What a scan leaves: of each column its numbers, of each cell of the picture what is in it. */
class Overview {
  constructor(spec, rows, events) {
    this.window = spec.window;
    this.axis = spec.axis;
    this.rows = rows;
    this.width = events.length;
    this.events = events;
    const cells = rows.length * events.length;
    this.classes = new Uint8Array(cells);
    this.cover = new Uint8Array(cells);
    this.dead = new Uint8Array(cells);
    this.free = new Float64Array(events.length);
    this.longest = new Float64Array(events.length);
    this.usable = new Float64Array(events.length);
  }

  repeat(column) {
    const rows = this.rows.length;
    for (const cells of [this.classes, this.cover, this.dead]) {
      cells.copyWithin(column * rows, (column - 1) * rows, column * rows);
    }
    for (const line of [this.free, this.longest, this.usable]) line[column] = line[column - 1];
  }
}

/**
 * Scans a window: `spec` has axis, window (from, to of x; first, end of pages), width and height in
 * pixels, request, colours. Yields now and then, and returns the overview.
 */
function* scan(panel, spec) {
  const rows = new Rows(spec.window.first, spec.window.end, spec.height);
  const events = columnEvents(panel, spec.axis, spec.window, spec.width, spec.request);
  const seen = new Overview(spec, rows, events);
  const walk = new Walk(panel, rows, spec.colours);
  const dead = new Int32Array(rows.length);
  walk.startAt(events[0]);
  for (let column = 0; column < events.length; column += 1) {
    if (column > 0 && events[column] === events[column - 1] && !spec.colours.byAge) {
      seen.repeat(column);
    } else {
      walk.moveTo(events[column]);
      lookAt(walk, seen, column, dead, spec);
    }
    if (column % 8 === 7) yield column;
  }
  return seen;
}

/** Fills a column: its holes, then its cells. */
function lookAt(walk, seen, column, dead, spec) {
  const { area } = walk.panel;
  const { count, order } = spec.request;
  const need = roundUp(count, area.granule);
  let [free, longest, usable] = [0, 0, 0];
  dead.fill(0);
  const sum = new Rising(seen.rows, dead);
  walk.bits.each((start, end, range) => {
    const pages = end - start;
    free += pages;
    if (pages > longest) longest = pages;
    if (pages > usable) usable = Math.max(usable, end - alignedFrom(area, range, start, order));
    sum.add(start, usefulFrom(area, range, start, end, spec.request, need));
  });
  seen.free[column] = free;
  seen.longest[column] = longest;
  seen.usable[column] = usable;
  fillCells(walk, seen, column, dead, spec.colours);
}

function fillCells(walk, seen, column, dead, colours) {
  const { rows } = seen;
  const { byClass, classes } = walk;
  const now = walk.event < 0 ? 0 : walk.panel.at[walk.event];
  for (let row = 0; row < rows.length; row += 1) {
    let [pages, most, best] = [0, 0, 0];
    for (let k = 0, at = row * classes; k < classes; k += 1, at += 1) {
      pages += byClass[at];
      if (byClass[at] > most) [most, best] = [byClass[at], k];
    }
    const cell = column * rows.length + row;
    const all = rows.startOf(row + 1) - rows.startOf(row);
    // By age all buffers are of one class at first.
    if (walk.bornSum && most > 0 && best === 0) {
      best = colours.ageClass(now - walk.bornSum[row] / most);
    }
    seen.classes[cell] = best;
    seen.cover[cell] = Math.ceil((pages * 255) / all);
    seen.dead[cell] = Math.ceil((dead[row] * 255) / all);
  }
}
