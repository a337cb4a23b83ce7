// Who stands in the way of a request: each place that would do, and the buffers in it.

const PLACES_SHOWN = 5;

/** Less in the way is better: pages, then buffers, then the lower place. */
function better(a, b) {
  return a.pages - b.pages || a.buffers - b.buffers || a.start - b.start;
}

/** Keeps the best few places of all that come. */
class Best {
  constructor(limit) {
    this.limit = limit;
    this.places = [];
  }

  offer(start, pages, buffers) {
    const { places } = this;
    const place = { start, pages, buffers };
    if (places.length === this.limit && better(places[this.limit - 1], place) < 0) return;
    places.push(place);
    places.sort(better);
    if (places.length > this.limit) places.pop();
  }
}

/** Pages owned in a slider that moves up, and how many buffers own them. */
class Slider {
  constructor(panel, owner) {
    this.owner = owner;
    // Of each buffer, its pages within; all zero again once the slider is empty.
    this.inside = panel.inside ||= new Uint32Array(panel.id.length);
    this.from = 0;
    this.to = 0;
    this.pages = 0;
    this.buffers = 0;
  }

  moveTo(from, to) {
    const { owner, inside } = this;
    for (; this.from < Math.min(from, this.to); this.from += 1) {
      const grant = owner[this.from];
      if (grant === FREE_PAGE) continue;
      this.pages -= 1;
      // What is nobody's is in the way too.
      if (grant < 0) continue;
      inside[grant] -= 1;
      if (inside[grant] === 0) this.buffers -= 1;
    }
    this.from = from;
    for (this.to = Math.max(this.to, from); this.to < to; this.to += 1) {
      const grant = owner[this.to];
      if (grant === FREE_PAGE) continue;
      this.pages += 1;
      if (grant < 0) continue;
      if (inside[grant] === 0) this.buffers += 1;
      inside[grant] += 1;
    }
  }
}

/** Offers each place of a range that is aligned and long enough; returns how many there are. */
function slide(panel, range, request, slider, best) {
  const need = roundUp(request.count, panel.area.granule);
  const step = 2 ** Math.max(request.order, panel.area.bitOrder);
  let starts = 0;
  let start = alignedFrom(panel.area, range, range.first, request.order);
  for (; start + need <= range.end; start += step) {
    slider.moveTo(start, start + need);
    best.offer(start, slider.pages, slider.buffers);
    starts += 1;
  }
  slider.moveTo(range.end, range.end);
  return starts;
}

/** The best places for a request after an event, and how many places there are in all. */
function placesAt(panel, event, request, limit = PLACES_SHOWN) {
  const owner = holdersAt(panel, event);
  const best = new Best(limit);
  const slider = new Slider(panel, owner);
  let all = 0;
  for (const range of panel.area.ranges) all += slide(panel, range, request, slider, best);
  const need = roundUp(request.count, panel.area.granule);
  const places = best.places.map((place) => ({
    start: place.start,
    pages: need,
    inTheWay: place.pages,
    buffers: standingIn(owner, place.start, need),
  }));
  return { all, places };
}

/** The buffers with a page in a run, the oldest first. */
function standingIn(owner, start, pages) {
  const found = new Set();
  for (let page = start; page < start + pages; page += 1) {
    if (owner[page] >= 0) found.add(owner[page]);
  }
  return [...found].sort((a, b) => a - b);
}

function requestOf(panel, refusal) {
  return { count: panel.refusals.count[refusal], order: panel.refusals.align[refusal] };
}

/** The places for a refused request, as it was when it was refused. */
function placesAtRefusal(panel, refusal, limit = PLACES_SHOWN) {
  return placesAt(panel, panel.refusals.event[refusal], requestOf(panel, refusal), limit);
}

/**
 * The event after which no place was left for a refused request: -1 if there never was one, null
 * if there was one when it was refused.
 */
function doomedEvent(panel, refusal) {
  const before = panel.refusals.doomed[refusal];
  return before ? panel.refusals.event[refusal] - before : null;
}
