// The space-time map, the ticks of refusals and the curves of a take: one canvas, all on one x. A
// second one above it has what moves: cursor, buffer, places.

const NARROW_PX = 560;
const TICKS_PX = 20;
const AXIS_PX = 26;
const MOST_COLUMNS = 1600;
const TALL_PX = 760;
const MOST_AXIS_TICKS = 100;

/** Where what is, in CSS pixels; the labels at the left are page numbers. */
function plotLayout(width, area) {
  const narrow = width < NARROW_PX;
  const digits = Math.max(...area.ranges.map(({ base, pages }) => String(base + pages).length));
  const left = Math.max(narrow ? 52 : 64, 7 * digits + 11);
  const right = narrow ? 56 : 60;
  const map = { top: 6, height: narrow ? 230 : width < TALL_PX ? 300 : 360 };
  const ticks = { top: map.top + map.height + 2, height: TICKS_PX };
  const curves = { top: ticks.top + TICKS_PX + 8, height: narrow ? 130 : 150 };
  const axis = curves.top + curves.height;
  return {
    narrow,
    width,
    left,
    plot: Math.max(40, width - left - right),
    map,
    ticks,
    curves,
    axis,
    height: axis + AXIS_PX,
  };
}

/** Where an x of the window is, in CSS pixels. */
function xAt(layout, window, value) {
  return layout.left + ((value - window.from) / (window.to - window.from)) * layout.plot;
}

/** Where the lower edge of a page is: low pages are at the bottom. */
function yAt(layout, window, page) {
  const share = (page - window.first) / (window.end - window.first);
  return layout.map.top + (1 - share) * layout.map.height;
}

function sizeCanvas(canvas, layout, scale) {
  const [width, height] = [Math.round(layout.width * scale), Math.round(layout.height * scale)];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    canvas.style.height = `${layout.height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, layout.width, layout.height);
  context.font = "11px system-ui, sans-serif";
  return context;
}

/** The picture of an overview, on a canvas of its own. */
function pictureOf(seen, height, shades, shown, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = seen.width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const thick = Math.max(1, Math.round(scale));
  const image = context.createImageData(seen.width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const table = shadeTable(shades, shown);
  const rows = seen.rows.length;
  for (let y = 0; y < height; y += 1) {
    const row = Math.floor(((height - 1 - y) * rows) / height);
    for (let x = 0; x < seen.width; x += 1) {
      const cell = x * rows + row;
      const at = seen.classes[cell] * table.levels + table.level(seen.cover[cell]);
      const dead = seen.dead[cell];
      pixels[y * seen.width + x] =
        dead && isHatch(x, y, thick)
          ? table.hatched[at * table.levels + table.level(dead)]
          : table.plain[at];
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The picture, moved and stretched to where its window is in the one that is shown. */
function drawPicture(context, layout, window, seen, picture) {
  const [left, right] = [
    xAt(layout, window, seen.window.from),
    xAt(layout, window, seen.window.to),
  ];
  const [top, low] = [yAt(layout, window, seen.window.end), yAt(layout, window, seen.window.first)];
  context.save();
  context.beginPath();
  context.rect(layout.left, layout.map.top, layout.plot, layout.map.height);
  context.clip();
  context.imageSmoothingEnabled = false;
  context.drawImage(picture, left, top, right - left, low - top);
  context.restore();
}

function drawFrame(context, layout, shown) {
  context.strokeStyle = shown.line;
  context.lineWidth = 1;
  for (const part of [layout.map, layout.curves]) {
    context.strokeRect(layout.left - 0.5, part.top - 0.5, layout.plot + 1, part.height + 1);
  }
}

/** Page numbers at the left, MiB at the right, and where a range begins. */
function drawPages(context, layout, window, area, shown, pageBytes) {
  const step = binaryStep(window.end - window.first, layout.map.height / 44);
  context.textBaseline = "middle";
  for (const range of area.ranges) {
    const low = Math.max(range.first, window.first);
    const high = Math.min(range.end, window.end);
    if (low >= high) continue;
    const base = range.base - range.first;
    for (let pfn = roundUp(low + base, step); pfn <= high + base; pfn += step) {
      const y = yAt(layout, window, pfn - base);
      pageLabel(context, layout, y, grouped(pfn), bytesWords((pfn - base) * pageBytes), shown);
    }
    if (range.first <= window.first) continue;
    drawBorder(context, layout, yAt(layout, window, range.first), shown);
  }
}

function pageLabel(context, layout, y, left, right, shown) {
  context.fillStyle = shown.soft;
  context.strokeStyle = shown.line;
  const at = Math.min(layout.map.top + layout.map.height - 5, Math.max(layout.map.top + 5, y));
  context.textAlign = "right";
  context.fillText(left.replaceAll(",", ""), layout.left - 7, at);
  context.textAlign = "left";
  context.fillText(right, layout.left + layout.plot + 7, at);
  context.beginPath();
  context.moveTo(layout.left - 4, y);
  context.lineTo(layout.left, y);
  context.moveTo(layout.left + layout.plot, y);
  context.lineTo(layout.left + layout.plot + 4, y);
  context.stroke();
}

function drawBorder(context, layout, y, shown) {
  context.strokeStyle = shown.text;
  context.setLineDash([6, 3]);
  context.beginPath();
  context.moveTo(layout.left, y);
  context.lineTo(layout.left + layout.plot, y);
  context.stroke();
  context.setLineDash([]);
}

function secondsLabel(clock, us, digits) {
  const seconds = clock.seconds(us, digits);
  return `${digits ? seconds : grouped(BigInt(seconds))}${NBSP}s`;
}

/**
 * Where the ticks of an axis are: at whole steps of its stamps. They are counted beforehand, since
 * adding a step to a large number may not move it.
 */
function axisTicks(window, step, start) {
  const offset = Number(start % BigInt(step));
  const first = Math.ceil((window.from + offset) / step) * step - offset;
  const many = Math.max(0, Math.floor((window.to - first) / step) + 1);
  return Array.from({ length: Math.min(many, MOST_AXIS_TICKS) }, (_, k) => first + k * step);
}

/** Seconds or operations, below all. */
function drawAxis(context, layout, window, axis, shown, clock) {
  const isTime = axis === "time";
  const step = Math.max(1, Math.round(niceStep(window.to - window.from, layout.plot / 84)));
  const digits = Math.max(0, 6 - Math.floor(Math.log10(step)));
  context.textBaseline = "top";
  context.textAlign = "center";
  context.fillStyle = shown.soft;
  context.strokeStyle = shown.line;
  for (const at of axisTicks(window, step, isTime ? clock.start : 0n)) {
    const x = xAt(layout, window, at);
    context.beginPath();
    context.moveTo(x, layout.axis);
    context.lineTo(x, layout.axis + 4);
    context.stroke();
    const text = isTime ? secondsLabel(clock, at, digits) : grouped(at);
    if (x < layout.left + layout.plot - 12) context.fillText(text, x, layout.axis + 7);
  }
  context.textAlign = "right";
  if (!isTime) context.fillText("operation", layout.width - 2, layout.axis + 7);
}

/** A tick for each refusal, or for each pixel with some. */
function drawTicks(context, layout, window, panel, axis, shown) {
  const x = axis === "time" ? panel.at : panel.op;
  const { event } = panel.refusals;
  context.fillStyle = shown.miss;
  let before = -1;
  for (let refusal = 0; refusal < event.length; refusal += 1) {
    const at = Math.round(xAt(layout, window, x[event[refusal]]));
    if (at === before || at < layout.left || at > layout.left + layout.plot) continue;
    before = at;
    context.fillRect(at - 0.5, layout.ticks.top + 3, 1.5, layout.ticks.height - 6);
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.fillText("refused", layout.left - 7, layout.ticks.top + layout.ticks.height / 2);
}
