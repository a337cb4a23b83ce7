// The address, and the start.

/** The state that an address can hold, as `#t=20.5&x=op&colour=age…`. */
function writeAddress(page) {
  const { window: shown, cursor, axis: name } = page;
  const words = new URLSearchParams();
  const byTime = name === "time" && page.opAt(cursor.at) === cursor.op;
  if (byTime) words.set("t", page.clock.exact(cursor.at));
  else words.set("op", String(cursor.op));
  if (page.head.has_time && name === "op") words.set("x", "op");
  if (page.area) words.set("area", String(page.area));
  if (page.showing.join() !== "0,1" && page.showing.join() !== "0") {
    words.set("takes", page.showing.join());
  }
  words.set("colour", page.colour);
  words.set("request", `${page.request.count},${page.request.order}`);
  if (isZoomed(page)) {
    const said = (x) => (name === "time" ? page.clock.stamp(x) : Number(x.toFixed(1)));
    words.set("zoom", [shown.from, shown.to].map(said).join());
    words.set("pages", `${shown.first},${shown.end}`);
  }
  const text = `#${words.toString().replaceAll("%2C", ",")}`;
  if (text === location.hash) return;
  page.written = text;
  history.replaceState(null, "", text);
}

/** Finite numbers of a list, exactly so many; else null. */
function numbersOf(text, many) {
  if (text === null || !/^[-+.\deE,]+$/.test(text)) return null;
  const found = text.split(",").map(Number);
  return found.length === many && found.every(Number.isFinite) ? found : null;
}

/** Takes from an address what makes sense, and leaves the rest. */
function readAddress(page) {
  if (location.hash === page.written) return;
  const words = new URLSearchParams(location.hash.slice(1));
  readPlace(page, words);
  if (words.get("x") === "op") page.setAxis("op");
  page.setColour(words.get("colour"));
  const request = numbersOf(words.get("request"), 2);
  if (request && request[0] >= 1 && request[1] >= 0 && request[1] <= 32) {
    page.setRequest({ count: Math.floor(request[0]), order: Math.floor(request[1]) });
  }
  readZoom(page, words.get("zoom"));
  const pages = numbersOf(words.get("pages"), 2);
  if (pages && pages[0] < pages[1]) page.zoomTo({ first: pages[0], end: pages[1] });
  const seconds = numbersOf(words.get("t"), 1);
  const op = numbersOf(words.get("op"), 1);
  if (seconds && page.head.has_time) page.seekUs(page.clock.ofSeconds(words.get("t")));
  else if (op) page.seekOp(op[0]);
}

function readZoom(page, text) {
  const read = numbersOf(text, 2);
  if (!read) return;
  const inside = (word) => page.clock.ofStamp(word);
  const [from, to] = page.axis === "time" ? text.split(",").map(inside) : read;
  if (from < to) page.zoomTo({ from, to });
}

function readPlace(page, words) {
  const area = numbersOf(words.get("area"), 1);
  const takes = numbersOf(words.get("takes"), page.showing.length);
  const has = (take, where) =>
    page.panels.some((one) => one.take === take && one.areaIndex === where);
  const change = {};
  if (takes && takes.every((take) => has(take, page.area))) change.showing = takes;
  if (area && has((change.showing || page.showing)[0], area[0])) [change.area] = area;
  if (Object.keys(change).length) page.show(change);
}

/** Functions without effect, for tests and for the curious at a console. */
function publish(page) {
  const of = (panel) => page.panels[panel];
  window.cmalab = {
    head: page.head,
    page,
    timing: page.timing,
    settled: () => page.settled(),
    seek: (seconds) => page.seekUs(page.clock.ofSeconds(String(seconds))),
    seekOp: (op) => page.seekOp(op),
    stateAt: (panel, event) =>
      liveAt(of(panel), event).map((grant) => ({
        id: plainId(of(panel).id[grant]),
        pieces: piecesOf(of(panel), grant, event),
        client: of(panel).client[grant],
      })),
    owners: (panel, event) => [...ownersAt(of(panel), event)],
    holes: (panel, event) => holesAt(of(panel), event),
    usable: (panel, event, order) =>
      holesAt(of(panel), event).map(([start, pages]) =>
        usablePages(of(panel).area, start, pages, order),
      ),
    dead: (panel, event, request) => [...deadPages(of(panel), event, request)],
    numbers: (panel, event, request) => numbersAt(of(panel), event, request),
    blockers: (panel, refusal, limit) =>
      placesAtRefusal(of(panel), refusal, limit).places.map((place) => ({
        start: place.start,
        inTheWay: place.inTheWay,
        buffers: place.buffers.map((grant) => ({
          id: plainId(of(panel).id[grant]),
          client: of(panel).client[grant],
          page: of(panel).page[grant],
          count: of(panel).count[grant],
          begin: of(panel).begin[grant],
        })),
      })),
    places: (panel, refusal) => placesAtRefusal(of(panel), refusal, 1).all,
    stranded: (panel, event, k, order) =>
      strandedBehind(of(panel), event, liveAt(of(panel), event)[k], order),
    doomed: (panel, refusal) => doomedEvent(of(panel), refusal),
    curves: (panel, spec) => scanned(page, of(panel), spec),
  };
}

/** What a scan of a window finds: curves, and the cells of a picture `height` rows high. */
function scanned(page, panel, spec) {
  const work = scan(panel, {
    axis: spec.axis || page.axis,
    window: { ...page.window, ...spec.window },
    width: spec.width,
    height: spec.height || 1,
    request: spec.request || page.request,
    colours: page.coloursOf(panel),
  });
  for (;;) {
    const { done, value } = work.next();
    if (!done) continue;
    const { events, free, longest, usable, cover, dead, rows } = value;
    return { events, free, longest, usable, cover, dead, rows: rows.length };
  }
}

/** Dark or light, paper, and another width draw all anew. */
function watch(page) {
  const repaint = () => {
    page.controls.drawLegend();
    for (const take of page.takes) {
      take.paint();
      take.atCursor();
    }
  };
  darkWanted.addEventListener("change", repaint);
  const paper = (isOn) => {
    onPaper.now = isOn;
    page.controls.drawLegend();
    page.redrawNow();
  };
  window.addEventListener("beforeprint", () => paper(true));
  window.addEventListener("afterprint", () => paper(false));
  matchMedia("print").addEventListener("change", (event) => paper(event.matches));
  let width = window.innerWidth;
  let later = 0;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    clearTimeout(later);
    later = setTimeout(() => {
      page.rescan();
      for (const take of page.takes) take.atCursor();
    }, 120);
  });
  window.addEventListener("hashchange", () => readAddress(page));
}

async function startPage() {
  const root = document.getElementById("view");
  try {
    const text = document.getElementById("head").textContent;
    const head = JSON.parse(text);
    const events = head.panels.reduce((all, panel) => all + panel.events, 0);
    const reading = make("p", { class: "sub" }, `Reading ${counted(events, "event")} …`);
    root.append(reading);
    const page = new Page(head, await readPanels(head), new Clock(text));
    reading.remove();
    page.tip = new Tip();
    page.root = make("div", { class: "takes" });
    page.controls = new Controls(page);
    root.append(page.controls.node, page.root);
    page.build(page.root);
    page.controls.drawLegend();
    page.controls.atCursor();
    publish(page);
    // What is there for those without a script is said above now.
    document.body.classList.add("drawn");
    watch(page);
    if (location.hash.length > 1) readAddress(page);
  } catch (error) {
    root.append(
      make(
        "p",
        { class: "failed", role: "alert" },
        `This page could not be drawn: ${error.message}`,
      ),
    );
    throw error;
  }
}

startPage();
