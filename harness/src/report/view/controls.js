// The controls above the takes, and the keys.

const PLAY_SECONDS = [5, 20, 60, 300];
const ORDERS = 13;
const LOSS = "alignment loss";

class Controls {
  constructor(page) {
    this.page = page;
    this.playing = null;
    this.said = make("output", { class: "at" });
    this.quiet = make("p", { class: "unseen", "aria-live": "polite" });
    this.range = make("input", {
      type: "range",
      "aria-label": "the cursor, from start to end",
      input: () => page.seekX(this.fromRange()),
    });
    this.playButton = make("button", { type: "button", click: () => this.play() }, "▶ play");
    this.help = this.makeHelp();
    this.legend = make("p", { class: "legend" });
    const { difference } = page.head;
    this.node = make(
      "div",
      { class: "controls" },
      this.transport(),
      this.choices(),
      this.legend,
      difference ? make("p", { class: "sub" }, difference.text) : null,
      this.help,
      this.quiet,
    );
    this.chosen();
    document.addEventListener("keydown", (event) => pressed(this, event));
  }

  // What is there to choose.

  choices() {
    const { page } = this;
    const { head } = page;
    const row = block("choices");
    const areas = [...new Set(page.panels.map((panel) => panel.areaIndex))];
    if (areas.length > 1) {
      const names = areas.map((k) => [k, head.areas[k].name]);
      const change = (value) => page.show({ area: Number(value) });
      this.areaSelect = this.select("area", names, page.area, change);
      row.append(this.areaSelect);
    }
    this.takeSelects = head.takes.length > 2 ? this.makeTakeSelects() : [];
    row.append(...this.takeSelects);
    const axes = Object.entries({ time: "time", op: "operations" });
    this.axisSelect = this.select("along x", axes, page.axis, (value) => page.setAxis(value));
    if (head.has_time) row.append(this.axisSelect);
    const ways = Object.keys(page.ways).map((way) => [way, way === "loss" ? LOSS : way]);
    this.colourSelect = this.select("colour by", ways, page.colour, (way) => page.setColour(way));
    const zoom = make(
      "span",
      { class: "zoom" },
      button("−", "zoom out along x (-)", () => page.zoomX(2), "out"),
      button("+", "zoom in along x (+)", () => page.zoomX(1 / 2), "in"),
      button("all", "all of it (0)", () => page.whole(), "all"),
      button("?", "keys and gestures (?)", () => this.help.showModal(), "help"),
    );
    row.append(this.colourSelect, this.requestFields(), zoom);
    // Folded where it would push the map below the first sight.
    const open = !matchMedia("(max-width: 34rem)").matches;
    return make(
      "details",
      { class: "settings", open },
      make("summary", {}, "colour, request, zoom"),
      row,
    );
  }

  /** Which two of more takes are shown. */
  makeTakeSelects() {
    const { page } = this;
    const names = page.head.takes.map((one, k) => [k, one.name]);
    return page.showing.map((take, side) =>
      this.select(side ? "beside" : "take", names, take, (value) => {
        const showing = [...page.showing];
        showing[side] = Number(value);
        page.show({ showing });
      }),
    );
  }

  select(words, options, value, change) {
    const list = make(
      "select",
      { change: () => change(list.value) },
      ...options.map(([key, text]) =>
        make("option", { value: key, selected: key === value }, text),
      ),
    );
    return make("label", {}, make("span", {}, words), list);
  }

  requestFields() {
    const { page } = this;
    this.count = make("input", {
      type: "number",
      min: "1",
      "aria-label": "pages of the request",
      inputmode: "numeric",
    });
    const orders = Array.from({ length: ORDERS }, (_, order) =>
      make("option", { value: order }, order),
    );
    this.order = make("select", { "aria-label": "order of the request" }, ...orders);
    const change = () => {
      const count = Math.floor(Number(this.count.value));
      if (!(count >= 1)) return this.chosen();
      return page.setRequest({ count, order: Number(this.order.value) });
    };
    this.count.addEventListener("change", change);
    this.order.addEventListener("change", change);
    return make(
      "span",
      { class: "request" },
      make("span", {}, "request of"),
      this.count,
      make("span", {}, "pages at order"),
      this.order,
    );
  }

  transport() {
    const { page } = this;
    const times = PLAY_SECONDS.map((s) => [s, `all in ${s < 60 ? `${s} s` : `${s / 60} min`}`]);
    this.speed = this.select("speed", times, PLAY_SECONDS[1], () => this.restart());
    const { difference } = page.head;
    return make(
      "div",
      { class: "transport" },
      make(
        "div",
        { class: "buttons" },
        this.playButton,
        this.speed,
        button("◀ refusal", "the refusal before (p)", () => page.nextRefusal(-1), "before"),
        button("refusal ▶", "the next refusal (n)", () => page.nextRefusal(1), "next"),
        button(
          "rewind",
          "to where the refusal lost its last place (r)",
          () => page.rewindSelected(),
          "rewind",
        ),
        difference
          ? button(
              "first difference",
              "the first answer that differs (d)",
              () => page.toDifference(),
              "difference",
            )
          : null,
      ),
      make("div", { class: "scrub" }, this.range, this.said),
    );
  }

  makeHelp() {
    const close = make("button", { type: "button", click: () => this.help.close() }, "close");
    return make(
      "dialog",
      { class: "help", "aria-label": "keys and gestures" },
      make("h2", {}, "Keys"),
      make(
        "dl",
        {},
        ...KEYS.flatMap(([key, words]) => [
          make("dt", {}, make("kbd", {}, key)),
          make("dd", {}, words),
        ]),
      ),
      make("h2", {}, "Pointer and fingers"),
      make(
        "p",
        {},
        "Click: cursor and buffer. Click on a tick: that refusal. Wheel: zoom along x, " +
          "with Shift along the pages. Two fingers: both. Drag: in the map what is zoomed moves, else " +
          "and below the map the cursor.",
      ),
      close,
    );
  }

  // What follows the page.

  fromRange() {
    const { from, to } = this.page.domain();
    return from + (Number(this.range.value) / 1e6) * (to - 1 - from);
  }

  atCursor() {
    const { page } = this;
    const { from, to } = page.domain();
    const span = Math.max(1, to - 1 - from);
    this.range.min = "0";
    this.range.max = "1000000";
    this.range.step = String(Math.max(1, Math.min(1000, Math.floor(1e6 / span))));
    this.range.step = "any";
    this.range.value = String(((page.cursorX() - from) / span) * 1e6);
    const words = page.cursorWords();
    this.range.setAttribute("aria-valuetext", words);
    this.said.textContent = words;
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      writeAddress(page);
      const said = page.takes.map((take) => take.said && `${take.take.name}: ${take.said.verdict}`);
      if (!this.playing) this.quiet.textContent = `${words}. ${said.filter(Boolean).join(". ")}`;
    }, 250);
  }

  zoomed() {
    clearTimeout(this.laterZoom);
    this.laterZoom = setTimeout(() => writeAddress(this.page), 250);
  }

  chosen() {
    const { page } = this;
    this.count.value = String(page.request.count);
    this.count.max = String(page.shown[0].area.pages);
    if (page.request.order >= this.order.options.length) {
      for (let k = this.order.options.length; k <= page.request.order; k += 1) {
        this.order.append(make("option", { value: k }, k));
      }
    }
    this.order.value = String(page.request.order);
    const show = (label, value) => {
      if (label) label.querySelector("select").value = String(value);
    };
    show(this.axisSelect, page.axis);
    show(this.colourSelect, page.colour);
    show(this.areaSelect, page.area);
    this.takeSelects.forEach((label, side) => show(label, page.showing[side]));
    this.drawLegend();
    this.zoomed();
  }

  drawLegend() {
    const { page } = this;
    const shown = theme();
    const coloured = page.coloured();
    const shades = coloured.shades(shown);
    const key = (swatch, text) => make("span", { class: "key" }, swatch, ` ${text}`);
    const square = (colour) => {
      const swatch = make("i", { class: "swatch" });
      swatch.style.background = colour;
      return swatch;
    };
    const hatched = make("i", { class: "swatch" });
    hatched.style.background =
      `repeating-linear-gradient(135deg, ${shown.hatch} 0 1.5px, ` + `${shown.free} 1.5px 4px)`;
    const curve = (style) => {
      const swatch = make("i", { class: "dash" });
      swatch.style.borderTop = `${Math.max(2, style.width)}px ${style.dash ? "dashed" : "solid"} ${style.colour}`;
      return swatch;
    };
    this.legend.replaceChildren(
      make("span", { class: "key" }, `Colour: ${coloured.title}`),
      ...coloured.names.map((name, k) => (coloured.isUsed(k) ? key(square(shades[k]), name) : "")),
      page.shown.some((panel) => panel.lost.length) ? key(square(shown.nobody), NOBODYS_WORDS) : "",
      key(square(shown.free), "free"),
      key(hatched, `free, of no use to ${page.speaker.request(page.request)}`),
    );
    const styles = [...curveStyles(shown), requestStyle(shown)];
    for (const take of page.takes || []) {
      take.legend.replaceChildren(
        ...styles.map((style) => key(curve(style), style.words)),
        key(square(`${shown.miss}33`), "no place for it"),
      );
    }
  }

  clear() {
    this.page.tip.hide();
    for (const take of this.page.takes) take.clear();
  }

  // Play.

  play() {
    if (this.playing) {
      cancelAnimationFrame(this.playing.frame);
      this.playing = null;
      this.playButton.textContent = "▶ play";
      this.atCursor();
      return;
    }
    const { page } = this;
    if (page.cursor.op >= page.lastOp) page.seekX(page.domain().from);
    this.playing = {};
    this.playButton.textContent = "❚❚ pause";
    this.restart();
  }

  restart() {
    if (!this.playing) return;
    const { page } = this;
    cancelAnimationFrame(this.playing.frame);
    const { from, to } = page.domain();
    const rate = (to - from) / (Number(this.speed.querySelector("select").value) * 1000);
    const start = { x: page.cursorX(), at: performance.now() };
    const frame = (now) => {
      const x = start.x + (now - start.at) * rate;
      page.seekX(Math.min(x, to - 1));
      if (x >= to - 1) this.play();
      else this.playing.frame = requestAnimationFrame(frame);
    };
    this.playing.frame = requestAnimationFrame(frame);
  }
}

function button(text, label, click, id) {
  return make(
    "button",
    { type: "button", title: label, "aria-label": label, click, "data-do": id },
    text,
  );
}
