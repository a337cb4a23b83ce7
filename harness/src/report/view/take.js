// One take: a panel with its plot, its bitmap and its words.

const SLICE_MS = 14;
const PAPER_PX = 700;
const SNAPSHOTS_NOTE =
  "Bitmaps read at some moments: what lies between two of them is not known, " +
  "and what is called in use here may be several buffers.";

class Take {
  constructor(page, panel) {
    this.page = page;
    this.panel = panel;
    this.take = page.head.takes[panel.take];
    this.seen = null;
    this.picture = null;
    this.scanning = null;
    this.event = -1;
    this.place = null;
    this.buffer = null;
    this.refusal = -1;
    this.rowPages = rowPagesFor(this.take.cap, panel.area.pages);
    this.rows = bitmapRows(panel.area, this.rowPages);
    this.build();
  }

  build() {
    this.base = make("canvas", { class: "base" });
    this.over = make("canvas", { class: "over", tabindex: "0", role: "img" });
    this.plot = block("plot", this.base, this.over);
    this.state = block("state");
    this.who = block("who");
    this.details = block("details");
    this.legend = make("p", { class: "legend" });
    const heading = (text, ...more) => make("h3", {}, text, ...more);
    this.section = make(
      "section",
      { class: "take" },
      make("h2", {}, this.take.name, make("small", {}, ` ${this.counts()}`)),
      this.panel.snapshots ? make("p", { class: "note" }, SNAPSHOTS_NOTE) : null,
      block(
        "parts",
        block("pictures", this.plot, this.legend),
        block(
          "aside",
          heading("Who blocks"),
          this.who,
          heading("At the cursor"),
          this.state,
          block("about", heading("Buffer"), this.details),
        ),
        this.buildBits(heading),
      ),
    );
    this.showDetails(["Point at a buffer, or choose one above."]);
  }

  buildBits(heading) {
    this.bitmap = make("canvas", { role: "img" });
    this.spacer = block("spacer", this.bitmap);
    const look = { class: "scroller", tabindex: "0", "aria-label": "bitmap at the cursor" };
    this.scroller = make("div", look, this.spacer);
    this.scroller.addEventListener("scroll", () => this.drawBits());
    const row = counted(this.rowPages, "page");
    const starts = 2 ** this.take.cap;
    const lines = this.rowPages > starts ? `, a line each ${starts}` : "";
    const how = make("small", {}, ` ${row} a row${lines}; low pages first, at the left the pfn`);
    return block("bits", heading("Bitmap at the cursor", how), this.scroller);
  }

  counts() {
    const { counts, refusals, snapshots } = this.panel;
    if (snapshots) return "";
    const said = [counted(counts.grants, "grant"), counted(counts.frees, "free")];
    if (counts.parts) said.push(counted(counts.parts, "free of a part", "frees of a part"));
    if (counts.before) said.push(`${counted(counts.before, "buffer")} from before`);
    return [...said, counted(refusals.length, "refusal")].join(", ");
  }

  // Pictures.

  measure() {
    const width = onPaper.now ? PAPER_PX : Math.floor(this.plot.clientWidth);
    this.layout = plotLayout(Math.max(300, width), this.panel.area);
    this.scale = Math.min(2, window.devicePixelRatio || 1);
  }

  /** Scans again, in slices; what was there stays, moved and stretched, until it is done. */
  rescan() {
    this.measure();
    const { page } = this;
    const spec = {
      axis: page.axis,
      window: { ...page.window },
      width: Math.min(MOST_COLUMNS, Math.round(this.layout.plot * this.scale)),
      height: this.rowCount(),
      request: page.requestFor(this.take),
      colours: page.coloursOf(this.panel),
    };
    this.scanning = { work: scan(this.panel, spec), spec };
    this.draw();
  }

  /** Rows of the picture: of two pixels where each holds many pages, which is calmer to look at. */
  rowCount() {
    const { first, end } = this.page.window;
    const { height } = this.layout.map;
    return end - first > 4 * height ? height / 2 : height;
  }

  /** Goes on with a scan for a while; true once there is nothing to do. */
  goOn(budgetMs) {
    if (!this.scanning) return true;
    const until = performance.now() + budgetMs;
    do {
      const { done, value } = this.scanning.work.next();
      if (!done) continue;
      this.seen = value;
      this.scanning = null;
      this.paint();
      return true;
    } while (performance.now() < until);
    return false;
  }

  paint() {
    if (!this.seen) return;
    const shades = [...this.page.coloured().shades(theme()), theme().nobody];
    const height = Math.round(this.layout.map.height * this.scale);
    this.picture = pictureOf(this.seen, height, shades, theme(), this.scale);
    this.draw();
  }

  draw() {
    const { page, layout, panel } = this;
    const shown = theme();
    const context = sizeCanvas(this.base, layout, this.scale);
    const { window: shownWindow, axis } = page;
    const bytes = page.head.page_bytes;
    if (this.seen && this.seen.axis === axis) {
      drawPicture(context, layout, shownWindow, this.seen, this.picture);
      const request = page.requestFor(this.take);
      drawCurves(context, layout, shownWindow, panel, this.seen, request, shown, bytes);
    }
    drawEdges(context, this, shown);
    drawFrame(context, layout, shown);
    drawPages(context, layout, shownWindow, panel.area, shown, bytes);
    drawTicks(context, layout, shownWindow, panel, axis, shown);
    drawAxis(context, layout, shownWindow, axis, shown, page.clock);
    this.drawOver();
  }

  /** Above the rest; on paper in it, since a canvas that is printed hides what is below. */
  drawOver() {
    if (onPaper.now) {
      drawOverlay(this.base.getContext("2d"), this, theme());
      return;
    }
    const context = sizeCanvas(this.over, this.layout, this.scale);
    drawOverlay(context, this, theme());
  }

  // The cursor.

  atCursor() {
    const { page, panel } = this;
    this.event = lastUpTo(panel.op, page.cursor.op);
    const said = page.speaker.state(panel, this.event, page.requestFor(this.take));
    this.said = said;
    this.state.replaceChildren(
      make("p", { class: "when" }, page.cursorWords()),
      make("p", { class: said.fits ? "fits" : "misses" }, said.verdict),
      make("p", {}, said.free),
      make("p", {}, said.longest),
      said.dead ? make("p", {}, said.dead) : "",
    );
    this.over.setAttribute(
      "aria-label",
      `${this.take.name}, ${page.cursorWords()}: ${said.free}; ${said.longest}. ${said.verdict}`,
    );
    this.drawOver();
    this.drawBits();
  }

  drawBits() {
    const { page } = this;
    const width = onPaper.now ? PAPER_PX : Math.max(260, this.scroller.clientWidth);
    const layout = bitmapLayout(width, this.rows, this.rowPages);
    this.bits = layout;
    this.scroller.style.height = `${layout.height}px`;
    this.spacer.style.height = `${layout.whole}px`;
    const look = bitmapLook(this);
    drawBitmap(this.bitmap, layout, this.rows, this.scroller.scrollTop, this.scale, look);
    this.bitmap.setAttribute(
      "aria-label",
      `${this.take.name}, the area page by page at ` +
        `${page.cursorWords()}: ${this.said ? this.said.free : ""}`,
    );
  }

  scrollTo(pageNumber) {
    const row = bitmapRowOf(this.rows, pageNumber);
    this.scroller.scrollTop = Math.max(0, (row + 0.5) * this.bits.high - this.bits.height / 2);
  }

  // Who blocks, and buffers.

  /** The refusal of this take at the selected operation, or -1. */
  findRefusal() {
    const { selected } = this.page;
    if (!selected) return -1;
    if (selected.panel === this.panel) return selected.refusal;
    const op = selected.panel.op[selected.panel.refusals.event[selected.refusal]];
    return this.panel.refusals.event.findIndex((event) => this.panel.op[event] === op);
  }

  showWho() {
    const refusal = this.findRefusal();
    this.refusal = refusal;
    this.place = null;
    if (refusal < 0) {
      this.who.replaceChildren(make("p", {}, this.noRefusal()));
      return;
    }
    const actions = {
      rewind: () => this.page.rewind(this.panel, refusal),
      showBuffer: (grant, pinned) =>
        this.showBuffer(grant, pinned, this.panel.refusals.event[refusal]),
      showPlace: (place) => this.showPlace(place),
      zoomTo: (place) => this.zoomToPlace(place, refusal),
    };
    this.who.replaceChildren(...whoBlocks(this.page.speaker, this.panel, refusal, actions));
    this.place = placesAtRefusal(this.panel, refusal, 1).places[0] || null;
    if (this.place && this.bits) this.scrollTo(this.place.start);
  }

  noRefusal() {
    const { selected, speaker } = this.page;
    if (!this.panel.refusals.length) return "Nothing was refused in this take.";
    if (!selected) return "Choose a refusal: a tick below the map, or the key n.";
    const op = selected.panel.op[selected.panel.refusals.event[selected.refusal]];
    const event = this.panel.op.indexOf(op);
    if (event < 0 || this.panel.kind[event] !== GRANT) return "This take did not refuse it.";
    const grant = this.panel.about[event];
    return (
      `Granted here: ${speaker.bufferName(this.panel, grant)}, at pfn ` +
      `${pfnOf(this.panel.area, this.panel.page[grant])}.`
    );
  }

  showPlace(place) {
    this.place = place;
    this.drawOver();
    this.scrollTo(place.start);
    this.drawBits();
  }

  /** The place with as much around it, from its oldest buffer on until after the refusal. */
  zoomToPlace(place, refusal) {
    const { panel, page } = this;
    const column = columnOf(panel, page.axis);
    const refused = column[panel.refusals.event[refusal]];
    const doomed = doomedEvent(panel, refusal);
    const since = Math.min(
      refused,
      ...place.buffers.map((grant) => column[panel.begin[grant]]),
      column[Math.max(0, doomed ?? 0)],
    );
    const span = Math.max(refused - since, (page.domain().to - page.domain().from) / 1000);
    page.zoomTo({
      from: since - span / 8,
      to: refused + span / 4,
      first: place.start - place.pages,
      end: place.start + 2 * place.pages,
    });
  }

  showBuffer(grant, pinned, event) {
    this.buffer = grant;
    const { page, panel } = this;
    const { order } = page.requestFor(this.take);
    this.showDetails(page.speaker.buffer(panel, grant, event, order));
    if (pinned) this.scrollTo(this.panel.page[grant]);
    this.drawOver();
    this.drawBits();
  }

  clear() {
    this.buffer = null;
    this.drawOver();
    this.drawBits();
  }

  showDetails(lines) {
    this.details.replaceChildren(
      ...lines.map((line, k) =>
        make("p", {}, k || lines.length === 1 ? line : make("b", {}, line)),
      ),
    );
  }

  /** What is under a point of the plot: x in the axis' unit, the event shown there, the page. */
  under(x, y) {
    const { layout, page, seen } = this;
    const { from, to, first, end } = page.window;
    const share = (x - layout.left) / layout.plot;
    const at = from + Math.min(1, Math.max(0, share)) * (to - from);
    const inside = share >= 0 && share <= 1;
    const inMap = inside && y >= layout.map.top && y < layout.map.top + layout.map.height;
    const low = end - ((y - layout.map.top) / layout.map.height) * (end - first);
    const pageAt = inMap ? Math.min(end - 1, Math.max(first, Math.floor(low))) : -1;
    const column = columnOf(this.panel, page.axis);
    let event = lastUpTo(column, at);
    if (seen && seen.axis === page.axis) {
      const k = Math.floor(
        ((at - seen.window.from) / (seen.window.to - seen.window.from)) * seen.width,
      );
      if (k >= 0 && k < seen.width) event = seen.events[k];
    }
    const inTicks = inside && y >= layout.ticks.top && y < layout.ticks.top + layout.ticks.height;
    return { at, event, page: pageAt, inMap, inTicks, inside };
  }

  /** The buffer at a page after an event, or one that shares its row; -1 where all is free. */
  bufferAt(event, pageAt) {
    const owner = ownersAt(this.panel, event);
    if (owner[pageAt] >= 0 || !this.seen) return owner[pageAt];
    const { rows } = this.seen;
    const row = rows.rowOf(pageAt);
    for (let page = rows.startOf(row); page < rows.startOf(row + 1); page += 1) {
      if (owner[page] >= 0) return owner[page];
    }
    return -1;
  }
}
