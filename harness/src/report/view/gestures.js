// Pointer, wheel and fingers over a plot and a bitmap.

const CLICK_PX = 5;
const TICK_REACH_PX = 8;

/** Listens to the plot and the bitmap of a take. */
function listen(page, take) {
  const held = new Map();
  const drag = { moved: false, start: null, pinch: null };
  const on = (name, handle) => take.over.addEventListener(name, handle);
  on("pointerdown", (event) => {
    held.set(event.pointerId, pointOf(take.over, event));
    take.over.setPointerCapture(event.pointerId);
    drag.moved = held.size > 1;
    drag.start = { ...pointOf(take.over, event), window: page.window };
    drag.pinch = held.size === 2 ? { points: [...held.values()], window: page.window } : null;
  });
  on("pointermove", (event) => {
    const point = pointOf(take.over, event);
    if (!held.has(event.pointerId)) return hover(page, take, event, point);
    held.set(event.pointerId, point);
    if (drag.pinch && held.size === 2) return pinch(page, take, drag.pinch, [...held.values()]);
    return dragged(page, take, drag, point);
  });
  const lift = (event) => {
    const point = pointOf(take.over, event);
    if (held.delete(event.pointerId) && !drag.moved && event.type === "pointerup") {
      clicked(page, take, event, point);
    }
    if (!held.size) drag.start = null;
  };
  on("pointerup", lift);
  on("pointercancel", lift);
  // A finger that is lifted leaves too; what it asked for stays to be read.
  on("pointerleave", (event) => event.pointerType === "mouse" && page.tip.hide());
  on("wheel", (event) => wheeled(page, take, event));
  on("dblclick", (event) => {
    const { at } = take.under(...Object.values(pointOf(take.over, event)));
    page.zoomX(1 / 4, at);
  });
  listenToBits(page, take);
}

function pointOf(node, event) {
  const box = node.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function isZoomed(page) {
  const all = page.domain();
  const { from, to, first, end } = page.window;
  return from > all.from || to < all.to || first > 0 || end < page.shown[0].area.pages;
}

/** A drag moves a map that is zoomed, else the cursor. */
function dragged(page, take, drag, point) {
  const [dx, dy] = [point.x - drag.start.x, point.y - drag.start.y];
  if (!drag.moved && Math.hypot(dx, dy) < CLICK_PX) return;
  drag.moved = true;
  page.tip.hide();
  const { layout } = take;
  const inMap = drag.start.y < layout.map.top + layout.map.height;
  if (!inMap || !isZoomed(page)) {
    page.seekX(take.under(point.x, point.y).at);
    return;
  }
  const { from, to, first, end } = drag.start.window;
  const x = (-dx / layout.plot) * (to - from);
  const pages = Math.round((dy / layout.map.height) * (end - first));
  page.zoomTo({ from: from + x, to: to + x, first: first + pages, end: end + pages });
}

/** Two fingers: what is between them stays there; each of x and pages follows their spread. */
function pinch(page, take, start, now) {
  const { layout } = take;
  const { window } = start;
  const [a, b] = start.points;
  const [c, d] = now;
  const spread = (p, q, key) => Math.max(20, Math.abs(p[key] - q[key]));
  const factor = {
    x: spread(a, b, "x") / spread(c, d, "x"),
    y: spread(a, b, "y") / spread(c, d, "y"),
  };
  const share = {
    x: ((a.x + b.x) / 2 - layout.left) / layout.plot,
    y: 1 - ((a.y + b.y) / 2 - layout.map.top) / layout.map.height,
  };
  const around = (low, high, at, by) => {
    const middle = low + at * (high - low);
    return [middle - (middle - low) * by, middle + (high - middle) * by];
  };
  const [from, to] = around(window.from, window.to, share.x, factor.x);
  const [first, end] = around(window.first, window.end, share.y, factor.y);
  page.zoomTo({ from, to, first, end });
}

function wheeled(page, take, event) {
  const point = pointOf(take.over, event);
  const under = take.under(point.x, point.y);
  const factor = Math.exp(Math.max(-80, Math.min(80, event.deltaY || event.deltaX)) / 250);
  // Out of what is whole already: the wheel is the page's.
  if (factor > 1 && !isZoomed(page)) return;
  event.preventDefault();
  if (event.shiftKey) page.zoomPages(factor, under.page < 0 ? undefined : under.page);
  else page.zoomX(factor, under.at);
}

/** The refusal nearest to a point of the ticks, within reach. */
function refusalNear(page, take, x) {
  const { panel, layout } = take;
  const column = columnOf(panel, page.axis);
  let best = -1;
  let nearest = TICK_REACH_PX;
  panel.refusals.event.forEach((event, refusal) => {
    const away = Math.abs(xAt(layout, page.window, column[event]) - x);
    if (away < nearest) [best, nearest] = [refusal, away];
  });
  return best;
}

function clicked(page, take, event, point) {
  const under = take.under(point.x, point.y);
  if (under.inTicks) {
    const refusal = refusalNear(page, take, point.x);
    if (refusal >= 0) {
      page.select(take.panel, refusal);
      return;
    }
  }
  if (!under.inside) return;
  if (under.inMap) hover(page, take, event, point, true);
  if (under.event >= 0 && page.axis !== "time") page.seekOp(take.panel.op[under.event]);
  else page.seekX(under.at);
}

function hover(page, take, event, point, pinned = false) {
  const under = take.under(point.x, point.y);
  take.over.style.cursor = under.inTicks ? "pointer" : "crosshair";
  if (under.inTicks) return tickTip(page, take, event, point);
  if (!under.inMap) return page.tip.hide();
  return tellPage(page, take, event, { event: under.event, page: under.page, near: true, pinned });
}

function tickTip(page, take, event, point) {
  const refusal = refusalNear(page, take, point.x);
  if (refusal < 0) return page.tip.hide();
  const { panel } = take;
  const at = panel.refusals.event[refusal];
  return page.tip.show(event, [
    `refused: ${page.speaker.request(requestOf(panel, refusal))}`,
    page.speaker.moment(panel, at),
    causeWords(page.head.causes[panel.refusals.cause[refusal]]),
  ]);
}

/** Says what is at a page after an event: its buffer, or the hole that it is of. */
function tellPage(page, take, event, what) {
  const { panel } = take;
  const { order } = page.requestFor(take.take);
  const grant = what.near
    ? take.bufferAt(what.event, what.page)
    : ownersAt(panel, what.event)[what.page];
  if (grant < 0) {
    page.tip.show(event, page.speaker.hole(panel, what.page, what.event, order));
    return;
  }
  page.tip.show(event, page.speaker.buffer(panel, grant, what.event, order));
  if (what.pinned) {
    take.showBuffer(grant, true, what.event);
    return;
  }
  if (take.buffer === grant) return;
  take.buffer = grant;
  take.drawOver();
}

function listenToBits(page, take) {
  const tell = (event, pinned) => {
    const point = pointOf(take.spacer, event);
    const at = bitmapPage(take.bits, take.rows, point.x, point.y);
    if (at < 0) page.tip.hide();
    else tellPage(page, take, event, { event: take.event, page: at, near: false, pinned });
  };
  take.spacer.addEventListener("pointermove", (event) => tell(event, false));
  take.spacer.addEventListener("click", (event) => tell(event, true));
  take.spacer.addEventListener("pointerleave", () => page.tip.hide());
}

/** The small box beside the pointer. */
class Tip {
  constructor() {
    this.node = make("div", { class: "tip", role: "tooltip", hidden: true });
    document.body.append(this.node);
    document.addEventListener("pointerdown", () => this.hide());
    document.addEventListener("scroll", () => this.hide(), { passive: true });
  }

  show(event, lines) {
    const { node } = this;
    node.replaceChildren(...lines.map((text, k) => make(k ? "p" : "b", {}, text)));
    node.hidden = false;
    const { clientWidth, clientHeight } = document.documentElement;
    const [width, height] = [node.offsetWidth, node.offsetHeight];
    const left =
      event.clientX + 16 + width > clientWidth ? event.clientX - width - 12 : event.clientX + 16;
    const top =
      event.clientY + 16 + height > clientHeight ? event.clientY - height - 12 : event.clientY + 16;
    node.style.left = `${Math.max(6, Math.min(left, clientWidth - width - 6))}px`;
    node.style.top = `${Math.max(6, top)}px`;
  }

  hide() {
    this.node.hidden = true;
  }
}
