// What moves above a plot: the cursor, the selected refusal and when it was doomed, a buffer, a
// place.

function drawOverlay(context, take, shown) {
  const { page } = take;
  drawDoom(context, take, shown);
  if (take.place) drawPlace(context, take, shown);
  if (take.buffer !== null) drawBuffer(context, take, shown);
  drawCursor(context, take, page, shown);
}

function clipped(layout, x) {
  return Math.min(layout.left + layout.plot, Math.max(layout.left, x));
}

function eventX(take, event) {
  const { page, panel, layout } = take;
  const domain = page.domain();
  const column = columnOf(panel, page.axis);
  const value = event < 0 ? domain.from : event >= panel.events ? domain.to : column[event];
  return xAt(layout, page.window, value);
}

function strokeLine(context, x, from, to) {
  context.beginPath();
  context.moveTo(x, from);
  context.lineTo(x, to);
  context.stroke();
}

/** The refusal as a line, and the stretch before it in which it was already without a place. */
function drawDoom(context, take, shown) {
  const refusal = take.refusal;
  if (refusal < 0) return;
  const { layout, panel } = take;
  const refused = panel.refusals.event[refusal];
  const doomed = doomedEvent(panel, refusal);
  const right = eventX(take, refused);
  const low = layout.axis;
  context.strokeStyle = shown.miss;
  context.lineWidth = 1.5;
  if (right >= layout.left && right <= layout.left + layout.plot) {
    strokeLine(context, right, layout.map.top, low);
  }
  if (doomed === null) return;
  const left = eventX(take, doomed);
  const [from, to] = [clipped(layout, left), clipped(layout, right)];
  context.fillStyle = shown.miss;
  if (to > from) context.fillRect(from, layout.ticks.top + layout.ticks.height - 4, to - from, 4);
  if (left < layout.left || left > layout.left + layout.plot) return;
  context.setLineDash([4, 3]);
  strokeLine(context, left, layout.map.top, low);
  context.setLineDash([]);
  wordAt(context, layout, left, layout.map.top + 10, "no place from here", shown.miss, shown);
}

/** A word beside a line, on the side that has room. */
function wordAt(context, layout, x, y, text, colour, shown) {
  const width = context.measureText(text).width + 8;
  const toLeft = x + width + 4 > layout.left + layout.plot;
  const left = Math.max(layout.left, toLeft ? x - width - 2 : x + 2);
  context.fillStyle = shown.paper;
  context.globalAlpha = 0.88;
  context.fillRect(left, y - 8, width, 16);
  context.globalAlpha = 1;
  context.fillStyle = colour;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(text, left + 4, y);
}

/** A rectangle of pages and events, within the map. */
function outline(context, take, box, colour, width) {
  const { layout, page } = take;
  const { map } = layout;
  const x0 = clipped(layout, box.left);
  const x1 = clipped(layout, box.right);
  const y0 = Math.max(map.top, yAt(layout, page.window, box.end));
  const y1 = Math.min(map.top + map.height, yAt(layout, page.window, box.start));
  if (x1 <= x0 && (box.right < layout.left || box.left > layout.left + layout.plot)) return;
  if (y1 <= y0) return;
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.strokeRect(x0, y0, Math.max(2, x1 - x0), Math.max(2, y1 - y0));
}

function drawBuffer(context, take, shown) {
  const { panel, buffer } = take;
  const start = panel.page[buffer];
  const box = {
    left: eventX(take, panel.begin[buffer]),
    right: eventX(take, panel.end[buffer]),
    start,
    end: start + takenPages(panel, buffer),
  };
  outline(context, take, box, shown.paper, 4);
  outline(context, take, box, shown.text, 1.75);
}

/** The place that would do, at the refusal: a bracket that points at it from the right. */
function drawPlace(context, take, shown) {
  const refusal = take.refusal;
  if (refusal < 0) return;
  const { layout, page, place } = take;
  const x = eventX(take, take.panel.refusals.event[refusal]);
  if (x < layout.left || x > layout.left + layout.plot) return;
  const high = yAt(layout, page.window, place.start + place.pages);
  const low = yAt(layout, page.window, place.start);
  if (low < layout.map.top || high > layout.map.top + layout.map.height) return;
  const middle = Math.max(layout.map.top + 4, (high + low) / 2);
  context.fillStyle = shown.miss;
  context.strokeStyle = shown.paper;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x, middle);
  context.lineTo(x + 9, middle - 5);
  context.lineTo(x + 9, middle + 5);
  context.closePath();
  context.fill();
  context.stroke();
  if (low - high <= 4) return;
  const { start, pages } = place;
  const edge = { left: x - 3, right: x, start, end: start + pages };
  outline(context, take, edge, shown.miss, 1.5);
}

function drawCursor(context, take, page, shown) {
  const { layout } = take;
  const x = xAt(layout, page.window, page.cursorX());
  if (x < layout.left - 1 || x > layout.left + layout.plot + 1) return;
  context.strokeStyle = shown.cursor;
  context.lineWidth = 1;
  strokeLine(context, x, layout.map.top, layout.axis + 4);
  context.fillStyle = shown.cursor;
  context.beginPath();
  context.moveTo(x - 5, layout.map.top - 6);
  context.lineTo(x + 5, layout.map.top - 6);
  context.lineTo(x, layout.map.top + 1);
  context.closePath();
  context.fill();
  const text = page.cursorShort();
  const width = context.measureText(text).width + 10;
  const left = Math.min(layout.width - width, Math.max(0, x - width / 2));
  context.fillRect(left, layout.axis + 4, width, 17);
  context.fillStyle = shown.paper;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(text, left + 5, layout.axis + 13);
}

const MOST_EDGES = 1500;
const LEAST_EDGE_PX = 4;

/** The buffers in a window, unless they are too many to tell apart. */
function buffersIn(take) {
  const { panel, page, layout } = take;
  const { from, to, first, end } = page.window;
  const column = columnOf(panel, page.axis);
  const [low, high] = [lastUpTo(column, from - 1), lastUpTo(column, to)];
  const leastPages = (LEAST_EDGE_PX * (end - first)) / layout.map.height;
  const found = [];
  for (let grant = 0; grant < panel.id.length; grant += 1) {
    if (panel.begin[grant] > high || panel.end[grant] < low) continue;
    const page0 = panel.page[grant];
    if (page0 >= end || page0 + panel.count[grant] <= first) continue;
    if (panel.count[grant] < leastPages || panel.parts.has(grant)) continue;
    if (found.push(grant) > MOST_EDGES) return [];
  }
  return found;
}

/** Where buffers are tall enough to tell apart: their edges, and names where there is room. */
function drawEdges(context, take, shown) {
  const { panel, layout, page } = take;
  if (!take.seen) return;
  context.save();
  context.beginPath();
  context.rect(layout.left, layout.map.top, layout.plot, layout.map.height);
  context.clip();
  context.strokeStyle = shown.paper;
  context.lineWidth = 1;
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const grant of buffersIn(take)) {
    const start = panel.page[grant];
    const [left, right] = [eventX(take, panel.begin[grant]), eventX(take, panel.end[grant])];
    const high = yAt(layout, page.window, start + takenPages(panel, grant));
    const low = yAt(layout, page.window, start);
    context.strokeRect(left, high, right - left, low - high);
    if (panel.snapshots || low - high < 13) continue;
    nameBuffer(context, take, grant, { left, right, high, low }, shown);
  }
  context.restore();
}

/** Id and client, or the id alone, in the part of a buffer that is seen. */
function nameBuffer(context, take, grant, box, shown) {
  const { panel, layout, page } = take;
  const { map } = layout;
  const left = Math.max(box.left, layout.left) + 4;
  const room = Math.min(box.right, layout.left + layout.plot) - left - 4;
  const client = page.speaker.client(panel.client[grant]);
  const names = [client ? `${panel.id[grant]} ${client}` : "", String(panel.id[grant])];
  const fitting = names.find((name) => name && context.measureText(name).width <= room);
  if (!fitting) return;
  const high = Math.max(box.high, map.top);
  const low = Math.min(box.low, map.top + map.height);
  context.fillStyle = shown.onBuffer;
  context.fillText(fitting, left, (high + low) / 2);
}
