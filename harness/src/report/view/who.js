// Words about refusals and buffers: who blocks, since when it was doomed, what a buffer is.

const NOBODYS_WORDS = "held by nobody (a bit that a partial free left set)";

/** An element; text is always text, since names come from logs. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A div of a class. */
function block(name, ...children) {
  return make("div", { class: name }, ...children);
}

/** What the words need besides a panel. */
class Speaker {
  constructor(head, clock) {
    this.head = head;
    this.clock = clock;
  }

  pages(pages) {
    return pagesWords(pages, this.head.page_bytes);
  }

  client(number) {
    return number ? this.head.clients[number - 1] : null;
  }

  /** "operation 561 (20.500 s)" */
  moment(panel, event) {
    const op = panel.snapshots
      ? `moment${NBSP}${grouped(panel.op[event] + 1)}`
      : `operation${NBSP}${grouped(panel.op[event])}`;
    return this.head.has_time ? `${op} (${this.clock.exact(panel.at[event])}${NBSP}s)` : op;
  }

  /** How long it is from one event to another. */
  between(panel, from, to) {
    if (this.head.has_time) return spanWords(panel.at[to] - panel.at[from]);
    return counted(panel.op[to] - panel.op[from], "operation");
  }

  request(request) {
    return `${this.pages(request.count)} at order ${request.order}`;
  }

  bufferName(panel, grant) {
    const client = this.client(panel.client[grant]);
    if (panel.snapshots) return client ? `pages of ${client}` : "pages in use";
    return client ? `buffer ${panel.id[grant]} of ${client}` : `buffer ${panel.id[grant]}`;
  }

  since(panel, grant) {
    const event = panel.begin[grant];
    if (panel.kind[event] === LIVE_BEFORE) {
      return panel.snapshots ? "seen at the first moment" : "there before the start";
    }
    return panel.snapshots
      ? `seen from ${this.moment(panel, event)} on`
      : `since ${this.moment(panel, event)}`;
  }

  until(panel, grant) {
    const event = panel.end[grant];
    if (event >= panel.events) return panel.snapshots ? "and at the last" : "stays to the end";
    return `goes at ${this.moment(panel, event)}`;
  }

  /** All that is known of a buffer, line by line. */
  buffer(panel, grant, event, order) {
    const page = panel.page[grant];
    const lines = [
      this.bufferName(panel, grant),
      `${this.pages(panel.count[grant])}, order ${panel.align[grant]}`,
      `pfn ${pfnOf(panel.area, page)} to ${pfnOf(panel.area, page) + panel.count[grant] - 1}`,
      this.since(panel, grant),
      this.until(panel, grant),
    ];
    if (panel.parts.has(grant)) lines.push("freed in parts");
    const stranded = strandedBehind(panel, event, grant, order);
    lines.push(
      stranded
        ? `strands ${this.pages(stranded)} behind it up to the next start at order ${order}`
        : `strands nothing behind it at order ${order}`,
    );
    return lines;
  }

  /** A page without a buffer: its hole. */
  hole(panel, page, event, order) {
    const owner = ownersAt(panel, event);
    if (owner[page] === NOBODYS) return [NOBODYS_WORDS];
    const range = rangeOf(panel.area, page);
    let [start, end] = [page, page + 1];
    while (start > range.first && owner[start - 1] === FREE_PAGE) start -= 1;
    while (end < range.end && owner[end] === FREE_PAGE) end += 1;
    const usable = usablePages(panel.area, start, end - start, order);
    return [
      "free",
      `a hole of ${this.pages(end - start)} at pfn ${pfnOf(panel.area, start)}`,
      `usable at order ${order}: ${this.pages(usable)}`,
    ];
  }

  /** The state after an event. */
  state(panel, event, request) {
    const seen = numbersAt(panel, event, request);
    const { pages } = panel.area;
    const need = roundUp(request.count, panel.area.granule);
    const fits = seen.usable >= need;
    const { count } = request;
    const free = this.pages(seen.free);
    return {
      seen,
      fits,
      free: `${free} free, ${percentWords(seen.free, pages)}, in ` + counted(seen.holes, "hole"),
      longest:
        `longest hole ${this.pages(seen.longest)}; usable at order ${request.order}: ` +
        this.pages(seen.usable),
      verdict: fits
        ? `${this.request(request)} would find a place`
        : `${this.request(request)} would find no place${
            seen.free >= count ? `, though ${free} are free` : ""
          }`,
      dead: fits && seen.dead ? `of no use to it: ${this.pages(seen.dead)} of what is free` : "",
    };
  }

  /** From when on a refused request had no place, as a sentence. */
  doom(panel, refusal) {
    const event = doomedEvent(panel, refusal);
    if (event === null) return this.passedOver(panel, refusal);
    if (event < 0 && panel.snapshots) return "No place for it was seen at any moment up to then.";
    if (event < 0) return "There never was a place for it in this stream.";
    const refused = panel.refusals.event[refusal];
    const moment = this.moment(panel, event);
    return (
      `No place was left from ${moment} on, ${this.between(panel, event, refused)} before it ` +
      `was asked for: ${this.doing(panel, event)}.`
    );
  }

  doing(panel, event) {
    const grant = panel.about[event];
    const what = panel.kind[event];
    if (what === REFUSAL) return "a refusal";
    const { area } = panel;
    const name = `${this.bufferName(panel, grant)}, ${this.pages(panel.count[grant])},`;
    const at = `at pfn ${pfnOf(area, panel.page[grant])}`;
    if (what === GRANT) return `${name} came to stand ${at}`;
    if (what === LIVE_BEFORE) return `${name} was there before the start, ${at}`;
    return `${name} went`;
  }

  passedOver(panel, refusal) {
    const cause = causeWords(this.head.causes[panel.refusals.cause[refusal]]);
    return `A place was free: it was refused all the same (${cause}).`;
  }
}

/** The buffers of a place, as buttons that show them in the map. */
function bufferList(speaker, panel, buffers, most, show) {
  const list = make("ol", { class: "buffers" });
  for (const grant of buffers.slice(0, most)) {
    const name = make(
      "button",
      {
        type: "button",
        class: "link",
        click: () => show(grant, true),
        focus: () => show(grant, false),
        pointerenter: () => show(grant, false),
      },
      speaker.bufferName(panel, grant),
    );
    list.append(
      make(
        "li",
        {},
        name,
        ` ${speaker.pages(panel.count[grant])}, `,
        make("small", {}, `${speaker.since(panel, grant)}; ${speaker.until(panel, grant)}`),
      ),
    );
  }
  if (buffers.length > most) {
    list.append(
      make("li", { class: "more" }, `and ${grouped(buffers.length - most)} more, younger`),
    );
  }
  return list;
}

/** The places that would do, the best first. */
function placeList(speaker, panel, found, actions) {
  return found.places.map((place, k) => {
    const { area } = panel;
    const head =
      place.inTheWay === 0
        ? "nothing stands in it"
        : `${counted(place.inTheWay, "page")} of ${counted(place.buffers.length, "buffer")} in the way`;
    return make(
      "details",
      {
        class: "place",
        open: k === 0,
        pointerenter: () => actions.showPlace(place),
        focusin: () => actions.showPlace(place),
      },
      make("summary", {}, make("b", {}, `pfn ${pfnOf(area, place.start)}`), ` ${head}`),
      bufferList(speaker, panel, place.buffers, 6, actions.showBuffer),
      make(
        "button",
        { type: "button", class: "link zoomto", click: () => actions.zoomTo(place) },
        "zoom the map to this place",
      ),
    );
  });
}

/** The box that says who blocks a refused request. */
function whoBlocks(speaker, panel, refusal, actions) {
  const { refusals } = panel;
  const request = requestOf(panel, refusal);
  const event = refusals.event[refusal];
  const client = speaker.client(refusals.client[refusal]);
  const found = placesAtRefusal(panel, refusal);
  const who = client ? ` for ${client}` : "";
  const said = [
    make(
      "p",
      { class: "asked" },
      make("b", {}, speaker.request(request)),
      `${who}, refused at ` +
        `${speaker.moment(panel, event)}: ${causeWords(speaker.head.causes[refusals.cause[refusal]])}`,
    ),
    make("p", {}, speaker.doom(panel, refusal)),
  ];
  const doomed = doomedEvent(panel, refusal);
  if (doomed !== null && doomed >= 0) {
    said.push(
      make(
        "p",
        {},
        make("button", { type: "button", click: () => actions.rewind() }, "rewind to there"),
      ),
    );
  }
  said.push(
    make(
      "p",
      { class: "places" },
      found.all
        ? `${counted(found.all, "place")} of this length and order in the area; those with the least in ` +
            "the way, oldest buffer first:"
        : "This area has no place for it at that order, even if all of it were free.",
    ),
  );
  return [...said, ...placeList(speaker, panel, found, actions)];
}
