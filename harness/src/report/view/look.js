// How pages look in the bitmap.

/** How the pages of the bitmap look: owned by a class, nobody's, free, of no use, marked. */
function bitmapLook({ panel, event, page, buffer: marked, place, take }) {
  const owner = ownersAt(panel, event);
  const shown = theme();
  const colours = page.coloursOf(panel);
  const shades = page.coloured().shades(shown);
  const dead = deadPages(panel, event, page.requestFor(take));
  const now = event < 0 ? 0 : panel.at[event];
  const hatch = hatchPattern(shown);
  const classOf = (grant) =>
    colours.byAge ? colours.ageClass(now - panel.at[panel.begin[grant]]) : colours.classOf[grant];
  return {
    shown,
    startEvery: 2 ** take.cap,
    lookOf: (at) => {
      if (owner[at] === NOBODYS) return STUCK;
      return owner[at] >= 0 ? owner[at] : dead[at] ? HATCHED : USABLE;
    },
    fill: (look) => {
      if (look === USABLE) return shown.free;
      if (look === HATCHED) return hatch;
      if (look === STUCK) return shown.nobody;
      return look === marked ? shown.text : shades[classOf(look)];
    },
    startsAt: (at) => owner[at] >= 0 && panel.page[owner[at]] === at,
    isPlaced: (at) => place !== null && at >= place.start && at < place.start + place.pages,
  };
}

/** Free pages that a request cannot use, as a byte each. */
function deadPages(panel, event, request) {
  const dead = (panel.dead ||= new Uint8Array(panel.area.pages));
  dead.fill(0);
  const need = roundUp(request.count, panel.area.granule);
  eachHole(panel, event, (start, end, range) => {
    dead.fill(1, start, usefulFrom(panel.area, range, start, end, request, need));
  });
  return dead;
}

const patterns = new Map();

function hatchPattern(shown) {
  if (patterns.has(shown)) return patterns.get(shown);
  const tile = document.createElement("canvas");
  tile.width = 6;
  tile.height = 6;
  const context = tile.getContext("2d");
  context.fillStyle = shown.free;
  context.fillRect(0, 0, 6, 6);
  context.strokeStyle = shown.hatch;
  context.lineWidth = 1.4;
  for (const shift of [-6, 0, 6]) {
    context.beginPath();
    context.moveTo(shift - 1, 7);
    context.lineTo(shift + 7, -1);
    context.stroke();
  }
  const pattern = context.createPattern(tile, "repeat");
  patterns.set(shown, pattern);
  return pattern;
}
