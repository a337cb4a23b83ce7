// Free pages, the longest hole and the longest usable one, over the same x as the map. The scale is
// logarithmic: what is free and what is usable differ by three powers of ten.

function curveScale(layout, area) {
  const top = Math.log2(area.pages) + 0.3;
  const { top: high, height } = layout.curves;
  return (pages) =>
    high + height - (pages < 1 ? 0 : ((Math.log2(pages) + 0.7) / (top + 0.7)) * height);
}

function curveLabels(context, layout, area, y, shown, pageBytes) {
  const most = Math.floor(Math.log2(area.pages));
  const step = Math.max(1, Math.ceil(most / 5));
  context.textBaseline = "middle";
  context.lineWidth = 1;
  for (let power = 0; power <= most; power += step) {
    const at = y(2 ** power);
    context.strokeStyle = shown.line;
    context.beginPath();
    context.moveTo(layout.left, at);
    context.lineTo(layout.left + layout.plot, at);
    context.stroke();
    context.fillStyle = shown.soft;
    context.textAlign = "right";
    context.fillText(grouped(2 ** power), layout.left - 7, at);
    context.textAlign = "left";
    context.fillText(bytesWords(2 ** power * pageBytes), layout.left + layout.plot + 7, at);
  }
}

/** Reddens what is below a request that finds no place: where the answer is. */
function shadeMisses(context, layout, window, seen, need, shown) {
  context.fillStyle = shown.miss;
  const { top, height } = layout.curves;
  let since = -1;
  for (let column = 0; column <= seen.width; column += 1) {
    const misses = column < seen.width && seen.usable[column] < need;
    if (misses && since < 0) since = column;
    if (misses || since < 0) continue;
    const left = columnX(layout, window, seen, since);
    const right = columnX(layout, window, seen, column);
    context.globalAlpha = 0.14;
    context.fillRect(left, top, right - left, height);
    context.globalAlpha = 1;
    context.fillRect(left, top + height - 3, right - left, 3);
    since = -1;
  }
}

function columnX(layout, window, seen, column) {
  const { from, to } = seen.window;
  return xAt(layout, window, from + (column * (to - from)) / seen.width);
}

function drawLine(context, layout, window, seen, values, y, style) {
  context.strokeStyle = style.colour;
  context.lineWidth = style.width;
  context.setLineDash(style.dash || []);
  context.beginPath();
  for (let column = 0; column < seen.width; column += 1) {
    const at = y(values[column]);
    context.lineTo(columnX(layout, window, seen, column), at);
    context.lineTo(columnX(layout, window, seen, column + 1), at);
  }
  context.stroke();
  context.setLineDash([]);
}

function curveStyles(shown) {
  return [
    { name: "free", words: "free", colour: shown.soft, width: 1.25 },
    { name: "longest", words: "longest hole", colour: shown.take, width: 1.25 },
    { name: "usable", words: "longest usable hole", colour: shown.good, width: 2 },
  ];
}

function requestStyle(shown) {
  return { words: "the request", colour: shown.miss, width: 1.5, dash: [5, 3] };
}

function drawCurves(context, layout, window, panel, seen, request, shown, pageBytes) {
  const y = curveScale(layout, panel.area);
  const need = roundUp(request.count, panel.area.granule);
  context.save();
  curveLabels(context, layout, panel.area, y, shown, pageBytes);
  context.beginPath();
  context.rect(layout.left, layout.curves.top, layout.plot, layout.curves.height);
  context.clip();
  shadeMisses(context, layout, window, seen, need, shown);
  for (const style of curveStyles(shown)) {
    drawLine(context, layout, window, seen, seen[style.name], y, style);
  }
  const style = requestStyle(shown);
  context.strokeStyle = style.colour;
  context.lineWidth = style.width;
  context.setLineDash(style.dash);
  context.beginPath();
  context.moveTo(layout.left, y(request.count));
  context.lineTo(layout.left + layout.plot, y(request.count));
  context.stroke();
  context.restore();
}
