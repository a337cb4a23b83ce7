// A naive area: every page is an entry of an array, every search tries every start. Written apart
// from the page's own script, and slow on purpose: what the page says is held against it.

export const KINDS = { grant: 0, free: 1, part: 2, refusal: 3, before: 4 };

// Randomness with a seed: splitmix.
export function random(seed) {
  let state = BigInt(seed);
  const next = () => {
    state = (state + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & 0xffffffffffffffffn;
    return Number((z ^ (z >> 31n)) >> 11n) / 2 ** 53;
  };
  return { below: (n) => Math.floor(next() * n), next };
}

/** Owns what is set in the bitmap though no buffer has a page of it. */
export const NOBODY = { id: "nobody" };

const up = (count, step) => Math.ceil(count / step) * step;

/** An area where every page is a byte, and every search tries every start. */
export class Naive {
  constructor(area) {
    this.area = area;
    this.granule = 2 ** area.order_per_bit;
    this.ranges = [];
    let first = 0;
    for (const { base_pfn: base, pages } of area.ranges) {
      const whole = Math.floor(pages / this.granule) * this.granule;
      this.ranges.push({ first, end: first + whole, base });
      first += pages;
    }
    this.owner = new Array(first).fill(null);
    this.held = new Map();
  }

  /** Is the page, by the kernel's arithmetic over bits, a start at this order? */
  isStart(range, at, order) {
    if ((at - range.first) % this.granule) return false;
    const bit = (at - range.first) / this.granule;
    const mask = 2 ** Math.max(0, order - this.area.order_per_bit);
    const offset = Math.floor((range.base % 2 ** order) / this.granule);
    return (bit + offset) % mask === 0;
  }

  /** Every place of a request, with who stands in it. */
  places(count, order) {
    const need = up(count, this.granule);
    const found = [];
    for (const range of this.ranges) {
      for (let start = range.first; start + need <= range.end; start += 1) {
        if (!this.isStart(range, start, order)) continue;
        const set = this.owner.slice(start, start + need).filter((one) => one !== null);
        const inside = set.filter((one) => one !== NOBODY);
        const isFree = set.length === 0;
        found.push({ start, isFree, pages: set.length, owners: [...new Set(inside)] });
      }
    }
    return found;
  }

  find(count, order) {
    const place = this.places(count, order).find((one) => one.isFree);
    return place ? place.start : -1;
  }

  take(start, count, owner) {
    this.owner.fill(owner, start, start + up(count, this.granule));
    this.held.set(owner, new Set(Array.from({ length: count }, (_, k) => start + k)));
  }

  /** As the kernel: each run of pages that is left is freed for itself. */
  release(owner) {
    const held = this.held.get(owner);
    for (const page of [...held].sort((a, b) => a - b)) {
      if (!held.has(page)) continue;
      let end = page;
      while (held.has(end)) end += 1;
      this.releasePart(page, end - page, owner);
    }
  }

  /** Clears as many bits as the pages take, from that of the first; some may stay set. */
  releasePart(start, count, owner) {
    const range = this.ranges.find(({ end }) => start < end);
    const first = start - ((start - range.first) % this.granule);
    this.owner.fill(null, first, first + up(count, this.granule));
    const held = this.held.get(owner);
    for (let page = start; page < start + count; page += 1) held.delete(page);
    for (let bit = first; bit < start + count; bit += this.granule) {
      const pages = Array.from({ length: this.granule }, (_, k) => bit + k);
      if (this.owner[bit] !== owner || pages.some((page) => held.has(page))) continue;
      this.owner.fill(NOBODY, bit, bit + this.granule);
    }
  }

  freeRuns() {
    const runs = [];
    for (const range of this.ranges) {
      let since = -1;
      for (let at = range.first; at <= range.end; at += 1) {
        const free = at < range.end && this.owner[at] === null;
        if (free && since < 0) since = at;
        if (!free && since >= 0) {
          runs.push([since, at - since]);
          since = -1;
        }
      }
    }
    return runs;
  }
}

/** Runs a made-up stream under first fit with a cap; leaves the events of each area. */
export function events(areas, cap, stream) {
  const panels = areas.map((area) => ({ naive: new Naive(area), events: [], live: [] }));
  let grants = 0;
  for (const step of stream) {
    const panel = panels[step.area ?? 0];
    const { naive, live } = panel;
    const event = { at: step.at, op: step.op };
    const mine = live.find((one) => one.id === step.id);
    if (step.what === "alloc" || step.what === "before") {
      const order = step.align ?? Math.min(cap, Math.ceil(Math.log2(step.count)));
      const about = { id: step.id, count: step.count, align: order, client: step.client };
      const page = naive.find(step.count, order);
      if (page < 0) {
        if (step.what === "alloc") panel.events.push({ ...event, kind: KINDS.refusal, ...about });
        continue;
      }
      const buffer = { ...about, page, grant: grants };
      grants += 1;
      naive.take(page, step.count, buffer);
      live.push(buffer);
      const kind = step.what === "before" ? KINDS.before : KINDS.grant;
      panel.events.push({ ...event, kind, ...about, page, buffer });
    } else if (mine && step.what === "free") {
      naive.release(mine);
      live.splice(live.indexOf(mine), 1);
      panel.events.push({ ...event, kind: KINDS.free, buffer: mine });
    } else if (mine && step.what === "part") {
      const { granule } = naive;
      const bits = Math.floor(mine.count / granule);
      if (bits < 2 || mine.parted) continue;
      const offset = Math.floor(bits / 3) * granule;
      const count = Math.max(1, Math.floor(bits / 3)) * granule;
      mine.parted = true;
      naive.releasePart(mine.page + offset, count, mine);
      panel.events.push({ ...event, kind: KINDS.part, buffer: mine, offset, count });
    }
  }
  return panels.map((panel) => panel.events);
}

/** Replays events up to one of them, included. */
export function replay(area, list, until) {
  const naive = new Naive(area);
  for (const event of list.slice(0, until + 1)) {
    if (event.kind === KINDS.grant || event.kind === KINDS.before) {
      naive.take(event.page, event.count, event.buffer);
    } else if (event.kind === KINDS.free) naive.release(event.buffer);
    else if (event.kind === KINDS.part) {
      naive.releasePart(event.buffer.page + event.offset, event.count, event.buffer);
    }
  }
  return naive;
}

/** As the format has it: 0 for a place that was free, else how far back the last place went. */
export function doomed(area, list, index) {
  const { count, align } = list[index];
  for (let event = index; event >= -1; event -= 1) {
    if (replay(area, list, event).find(count, align) >= 0) {
      return index === event ? 0 : index - event - 1;
    }
  }
  return index + 1;
}

export function causeOf(area, list, index) {
  const naive = replay(area, list, index);
  const { count } = list[index];
  const runs = naive.freeRuns().map(([, pages]) => pages);
  if (count > naive.owner.length) return 0;
  if (runs.reduce((sum, pages) => sum + pages, 0) < count) return 1;
  return Math.max(...runs) < count ? 2 : 3;
}
