// The keys of the page.

const KEYS = [
  ["← →", "the operation before, the next one (with Shift: ten at a time)"],
  ["Home End", "the start, the end"],
  ["n p", "the next refusal, the one before"],
  ["r", "rewind to where the selected refusal lost its last place"],
  ["d", "the first answer that differs between the two takes"],
  ["space", "play, pause"],
  ["+ -", "zoom in and out along x, around the cursor"],
  ["] [", "zoom in and out along the pages"],
  ["↑ ↓", "move along the pages (map in focus)"],
  [", .", "move along x"],
  ["0", "all of it"],
  ["x", "time or operations along x"],
  ["c", "the next way to colour"],
  ["Esc", "mark no buffer"],
  ["?", "this list"],
];

function pressed(controls, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || controls.help.open) return;
  const { target } = event;
  const isField = target.matches("input[type=number], select, textarea");
  if (
    isField ||
    (target.matches("input[type=range]") && /^(Arrow|Home|End|Page)/.test(event.key))
  ) {
    return;
  }
  if (event.key === " " && target.matches("button, summary, a")) return;
  const act = actionOf(controls, event);
  if (!act) return;
  event.preventDefault();
  act();
}

function actionOf(controls, event) {
  const { page } = controls;
  const onMap = event.target.matches("canvas.over");
  const step = (by) => () => {
    for (let k = 0; k < (event.shiftKey ? 10 : 1); k += 1) page.step(by);
  };
  const scrolls = event.target.matches(".scroller") && /^(Arrow[UD]|Home|End)/.test(event.key);
  if (scrolls) return null;
  const actions = {
    ArrowLeft: step(-1),
    ArrowRight: step(1),
    ArrowUp: onMap ? () => page.pan(0, 0.2) : null,
    ArrowDown: onMap ? () => page.pan(0, -0.2) : null,
    Home: () => page.seekOp(0),
    End: () => page.seekOp(page.lastOp),
    n: () => page.nextRefusal(1),
    p: () => page.nextRefusal(-1),
    r: () => page.rewindSelected(),
    d: () => page.toDifference(),
    " ": () => controls.play(),
    "+": () => page.zoomX(1 / 2),
    "=": () => page.zoomX(1 / 2),
    "-": () => page.zoomX(2),
    "]": () => page.zoomPages(1 / 2),
    "[": () => page.zoomPages(2),
    ",": () => page.pan(-0.2, 0),
    ".": () => page.pan(0.2, 0),
    0: () => page.whole(),
    x: () => page.setAxis(page.axis === "time" ? "op" : "time"),
    c: () => page.setColour(nextOf(Object.keys(page.ways), page.colour)),
    Escape: () => controls.clear(),
    "?": () => controls.help.showModal(),
  };
  return actions[event.key] || null;
}

function nextOf(names, name) {
  return names[(names.indexOf(name) + 1) % names.length];
}
