// The page: what all takes share (axis, window, cursor, request, colours, the selected refusal).

class Page {
  constructor(head, panels, clock) {
    this.head = head;
    this.panels = panels;
    this.clock = clock;
    this.speaker = new Speaker(head, clock);
    this.timing = { open_ms: null, seek_ms: null, redraw_ms: null };
    this.axis = head.has_time ? "time" : "op";
    this.waiting = [];
    // A message to itself comes at once, and after what the user did meanwhile; a timer waits.
    this.pump = new MessageChannel();
    this.pump.port1.onmessage = () => this.drawOn();
    this.takes = [];
    this.cursor = { op: 0, at: 0 };
    this.showing = head.takes.length > 1 ? [0, 1] : [0];
    this.startAt(head.first.find((answer) => Number.isInteger(answer.refusal)));
  }

  /** The area and the request of the first refusal that is told of, or of any. */
  startAt(answer) {
    const of = (take, area) => this.panels.find((p) => p.take === take && p.areaIndex === area);
    const panel = answer
      ? of(answer.take, answer.area)
      : this.panels.find((one) => one.refusals.length) || this.panels[0];
    if (answer && !this.showing.includes(answer.take)) this.showing[0] = answer.take;
    this.area = panel.areaIndex;
    const refusal = answer ? answer.refusal : 0;
    this.selected = panel.refusals.length ? { panel, refusal } : null;
    this.request = this.selected ? requestOf(panel, refusal) : this.plainRequest(panel);
    this.changeArea();
    if (this.selected) this.setCursor(panel.op[panel.refusals.event[refusal]]);
  }

  /** Where nothing was refused: a page at the cap, or at what the area has room for. */
  plainRequest(panel) {
    const roomy = Math.floor(Math.log2(panel.area.pages)) - 1;
    return { count: 1, order: Math.max(0, Math.min(this.head.takes[panel.take].cap, roomy)) };
  }

  changeArea() {
    this.shown = this.showing
      .map((take) =>
        this.panels.find((panel) => panel.take === take && panel.areaIndex === this.area),
      )
      .filter(Boolean);
    // Operations are counted in each area of a trace for itself.
    this.lastOp = Math.max(0, ...this.shown.map((panel) => panel.op[panel.events - 1] ?? 0));
    this.ops = this.head.areas.length > 1 ? this.lastOp + 1 : this.head.ops;
    const alike = this.panels.filter((panel) => panel.areaIndex === this.area);
    this.ways = colourings(this.head, alike, this.clock);
    this.colour = this.colour || (this.ways.client.tellsApart ? "client" : "size");
    this.colourCache = new Map();
    this.window = { ...this.domain(), first: 0, end: this.shown[0].area.pages };
  }

  coloured() {
    return this.ways[this.colour];
  }

  coloursOf(panel) {
    const key = `${this.panels.indexOf(panel)} ${this.colour}`;
    if (!this.colourCache.has(key)) {
      const whole = Math.max(1, this.clock.span);
      this.colourCache.set(key, coloursFor(panel, this.colour, this.coloured(), whole));
    }
    return this.colourCache.get(key);
  }

  /** The whole of x: half-open, so that the last moment is within. */
  domain() {
    if (this.axis === "time") return { from: 0, to: this.clock.span + 1 };
    return { from: 0, to: Math.max(this.ops, this.lastOp + 1) };
  }

  // The cursor. Its operation says the state; its time may lie between two of them.

  timeOf(op) {
    return this.shown.reduce((latest, panel) => {
      const event = lastUpTo(panel.op, op);
      return event < 0 ? latest : Math.max(latest, panel.at[event]);
    }, 0);
  }

  opAt(us) {
    return this.shown.reduce((latest, panel) => {
      const event = lastUpTo(panel.at, us);
      return event < 0 ? latest : Math.max(latest, panel.op[event]);
    }, 0);
  }

  setCursor(op) {
    const clamped = Math.min(this.lastOp, Math.max(0, Math.round(op)));
    this.cursor = { op: clamped, at: this.timeOf(clamped) };
  }

  /** The request that is asked about, as it is under the cap of a take. */
  requestFor(take) {
    const { takes } = this.head;
    const { count, order } = this.request;
    const caps = new Set(takes.map(({ cap }) => cap));
    return caps.size > 1 ? { count, order: Math.min(order, take.cap) } : this.request;
  }

  cursorX() {
    return this.axis === "time" ? this.cursor.at : this.cursor.op;
  }

  cursorWords() {
    const { op: cursor } = this.cursor;
    const op = this.panels[0].snapshots
      ? `moment ${grouped(cursor + 1)} of ${grouped(this.ops)}`
      : `operation ${grouped(cursor)} of ${grouped(this.ops)}`;
    return this.head.has_time ? `${this.clock.exact(this.cursor.at)} s, ${op}` : op;
  }

  cursorShort() {
    if (this.axis !== "time") return grouped(this.cursor.op);
    const { from, to } = this.window;
    return `${this.clock.words(this.cursor.at, to - from)} s`;
  }

  seekOp(op) {
    const started = performance.now();
    this.setCursor(op);
    this.moved(started);
  }

  /** To a moment, in us from the start on: the state is that after the last operation up to it. */
  seekUs(us) {
    const started = performance.now();
    const at = Math.min(this.clock.span, Math.max(0, us));
    this.cursor = { op: this.opAt(at), at };
    this.moved(started);
  }

  seekX(x) {
    if (this.axis === "time") this.seekUs(x);
    else this.seekOp(Math.floor(x));
  }

  moved(started) {
    this.follow();
    for (const take of this.takes) take.atCursor();
    this.controls.atCursor();
    this.timing.seek_ms = performance.now() - started;
  }

  /** Moves the window where the cursor has left it. */
  follow() {
    const x = this.cursorX();
    const { from, to } = this.window;
    if (x >= from && x < to) return;
    this.zoomTo({ from: x - (to - from) / 3, to: x + ((to - from) * 2) / 3 });
  }

  step(by) {
    const op = this.cursor.op;
    const found = this.shown
      .map((panel) => {
        const event = lastUpTo(panel.op, by > 0 ? op : op - 1) + (by > 0 ? 1 : 0);
        return panel.op[event];
      })
      .filter((next) => next !== undefined);
    if (found.length) this.seekOp(by > 0 ? Math.min(...found) : Math.max(...found));
  }

  // Refusals.

  select(panel, refusal) {
    this.selected = { panel, refusal };
    const request = requestOf(panel, refusal);
    const { count, order } = this.request;
    const same = request.count === count && request.order === order;
    this.request = request;
    for (const take of this.takes) take.showWho();
    this.seekOp(panel.op[panel.refusals.event[refusal]]);
    this.controls.chosen();
    if (!same) this.rescan();
  }

  /** The next refusal of what is shown, or the one before. */
  nextRefusal(by) {
    let best = null;
    for (const panel of this.shown) {
      const ops = (panel.refusalOps ||= Float64Array.from(
        panel.refusals.event,
        (e) => panel.op[e],
      ));
      const refusal =
        by > 0 ? lastUpTo(ops, this.cursor.op) + 1 : lastUpTo(ops, this.cursor.op - 1);
      if (refusal < 0 || refusal >= ops.length) continue;
      const nearer = !best || (ops[refusal] - best.op) * by < 0;
      if (nearer) best = { panel, refusal, op: ops[refusal] };
    }
    if (best) this.select(best.panel, best.refusal);
  }

  rewind(panel, refusal) {
    const doomed = doomedEvent(panel, refusal);
    if (doomed !== null) this.seekOp(doomed < 0 ? 0 : panel.op[doomed]);
  }

  rewindSelected() {
    if (this.selected) this.rewind(this.selected.panel, this.selected.refusal);
  }

  toDifference() {
    const { difference } = this.head;
    if (!difference) return;
    const area = difference.area ?? this.area;
    const showing = [0, 1];
    if (area !== this.area || this.showing.join() !== showing.join()) this.show({ area, showing });
    this.seekOp(difference.op);
  }

  setRequest(request) {
    this.request = request;
    for (const take of this.takes) take.atCursor();
    this.controls.chosen();
    this.rescan();
  }

  // The window.

  zoomTo(window) {
    const all = this.domain();
    const pages = this.shown[0].area.pages;
    const next = { ...this.window, ...window };
    const fit = (from, to, low, high, least) => {
      const span = Math.min(high - low, Math.max(least, to - from));
      const start = Math.min(high - span, Math.max(low, (from + to - span) / 2));
      return [start, start + span];
    };
    [next.from, next.to] = fit(next.from, next.to, all.from, all.to, 1);
    [next.first, next.end] = fit(Math.floor(next.first), Math.ceil(next.end), 0, pages, 1).map(
      Math.round,
    );
    this.window = next;
    this.rescan();
    this.controls.zoomed();
  }

  zoomX(factor, around = this.cursorX()) {
    const { from, to } = this.window;
    const at = around >= from && around <= to ? around : (from + to) / 2;
    this.zoomTo({ from: at - (at - from) * factor, to: at + (to - at) * factor });
  }

  zoomPages(factor, around) {
    const { first, end } = this.window;
    const at = around ?? (first + end) / 2;
    const span = end - first;
    // By a page at least: never stuck between two whole ones.
    const next = factor < 1 ? Math.min(span - 1, span * factor) : Math.max(span + 1, span * factor);
    const low = Math.round(at - ((at - first) * next) / span);
    this.zoomTo({ first: low, end: low + Math.max(1, Math.round(next)) });
  }

  pan(x, pages) {
    const { from, to, first, end } = this.window;
    const moved = Math.round(pages * (end - first));
    this.zoomTo({
      from: from + x * (to - from),
      to: to + x * (to - from),
      first: first + moved,
      end: end + moved,
    });
  }

  whole() {
    this.zoomTo({ ...this.domain(), first: 0, end: this.shown[0].area.pages });
  }

  setAxis(name) {
    if (name === this.axis || (name === "time" && !this.head.has_time)) return;
    const { from, to } = this.window;
    const map = name === "time" ? (x) => this.timeOf(x) : (x) => this.opAt(x);
    const all = this.domain();
    const isWhole = from <= all.from && to >= all.to;
    this.axis = name;
    if (isWhole) this.zoomTo(this.domain());
    else this.zoomTo({ from: map(from), to: map(to) + 1 });
    this.controls.chosen();
    this.moved(performance.now());
  }

  setColour(name) {
    if (!Object.hasOwn(this.ways, name)) return;
    this.colour = name;
    this.controls.chosen();
    this.rescan();
    for (const take of this.takes) take.drawBits();
  }

  // Drawing.

  rescan() {
    this.rescanStarted = performance.now();
    for (const take of this.takes) take.rescan();
    this.pumpSoon();
  }

  pumpSoon() {
    if (this.pumping) return;
    this.pumping = true;
    this.pump.port2.postMessage(null);
  }

  drawOn() {
    this.pumping = false;
    const done = this.takes.map((take) => take.goOn(SLICE_MS)).every(Boolean);
    if (done) this.settle();
    else this.pumpSoon();
  }

  settle() {
    const now = performance.now();
    this.timing.redraw_ms = now - this.rescanStarted;
    this.timing.open_ms ??= now;
    for (const done of this.waiting.splice(0)) done();
  }

  settled() {
    if (!this.pumping) return Promise.resolve();
    return new Promise((done) => {
      this.waiting.push(done);
    });
  }

  /** All of it, now: for paper, which does not wait. */
  redrawNow() {
    for (const take of this.takes) {
      take.rescan();
      take.goOn(Infinity);
      take.atCursor();
    }
  }

  /** Makes the takes of the area that is chosen. */
  build(root) {
    this.takes = this.shown.map((panel) => new Take(this, panel));
    root.replaceChildren(...this.takes.map((take) => take.section));
    root.classList.toggle("two", this.takes.length > 1);
    for (const take of this.takes) {
      take.measure();
      take.atCursor();
      take.showWho();
      take.atCursor();
      listen(this, take);
    }
    this.rescan();
  }

  show(change) {
    Object.assign(this, change);
    this.changeArea();
    const panel = this.shown.find((one) => one.refusals.length);
    this.selected = panel ? { panel, refusal: 0 } : null;
    if (this.selected) this.request = requestOf(panel, 0);
    this.build(this.root);
    this.controls.chosen();
    if (this.selected) this.seekOp(panel.op[panel.refusals.event[0]]);
    else this.seekUs(this.cursor.at);
  }
}
