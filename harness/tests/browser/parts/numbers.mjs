// What the page works out, held against a naive area.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KINDS, random, replay } from "../naive.mjs";
import { on, samples } from "../samples.mjs";

/** Some events of a list: the ends, and others by a seed. */
function someEvents(list, many, seed) {
  const dice = random(seed);
  const found = Array.from({ length: many }, () => dice.below(list.length));
  return [-1, 0, list.length - 1, ...found];
}

/** Calls `check` with each panel of the samples, its area and its events. */
async function eachPanel(check) {
  for (const name of ["odd", "bits"]) {
    const { head, lists } = samples[name];
    await on(name, {}, async (page) => {
      for (const [k, list] of lists.entries()) {
        await check(page, k, head.areas[head.panels[k].area], list);
      }
    });
  }
}

describe("what it works out", () => {
  test("the state at an event is that of a naive replay", () =>
    eachPanel(async (page, k, area, list) => {
      for (const event of someEvents(list, 40, k)) {
        const naive = replay(area, list, event);
        const state = await page.evaluate(([p, e]) => window.cmalab.stateAt(p, e), [k, event]);
        const owners = new Array(naive.owner.length).fill(null);
        for (const { id, pieces } of state) {
          for (const [start, end] of pieces) owners.fill(id, start, end);
        }
        assert.deepEqual(
          owners,
          naive.owner.map((one) => one && one.id),
          `event ${event}`,
        );
      }
    }));

  test("holes, and what is usable of them, are those of a naive search", () =>
    eachPanel(async (page, k, area, list) => {
      for (const event of someEvents(list, 15, k + 10)) {
        const naive = replay(area, list, event);
        const runs = naive.freeRuns();
        for (const order of [0, 1, 3, 8]) {
          const [holes, usable] = await page.evaluate(
            ([p, e, o]) => [window.cmalab.holes(p, e), window.cmalab.usable(p, e, o)],
            [k, event, order],
          );
          assert.deepEqual(holes, runs);
          assert.deepEqual(
            usable,
            runs.map((run) => naiveUsable(naive, run, order)),
          );
        }
      }
    }));

  test("free pages that a request cannot use", () =>
    eachPanel(async (page, k, area, list) => {
      for (const event of someEvents(list, 10, k + 20)) {
        const naive = replay(area, list, event);
        for (const request of [
          { count: 5, order: 2 },
          { count: 1, order: 4 },
          { count: 30, order: 0 },
        ]) {
          const dead = await page.evaluate(
            ([p, e, r]) => window.cmalab.dead(p, e, r),
            [k, event, request],
          );
          assert.deepEqual(dead, naiveDead(naive, request), `event ${event}`);
        }
      }
    }));

  test("the places that would do, and who stands in them", () =>
    eachPanel(async (page, k, area, list) => {
      const refusals = list
        .map((event, at) => ({ ...event, at }))
        .filter((event) => event.kind === KINDS.refusal);
      assert.ok(refusals.length > 3);
      for (const [refusal, { at, count, align }] of refusals.entries()) {
        const places = replay(area, list, at).places(count, align);
        const best = places
          .sort(
            (a, b) => a.pages - b.pages || a.owners.length - b.owners.length || a.start - b.start,
          )
          .slice(0, 5);
        const expected = best.map(({ start, pages, owners }) => ({
          start,
          inTheWay: pages,
          ids: owners.sort((a, b) => a.grant - b.grant).map((one) => one.id),
        }));
        const said = await page.evaluate(
          ([p, r]) => ({
            all: window.cmalab.places(p, r),
            found: window.cmalab.blockers(p, r).map(({ start, inTheWay, buffers }) => ({
              start,
              inTheWay,
              ids: buffers.map(({ id }) => id),
            })),
          }),
          [k, refusal],
        );
        assert.deepEqual(said, { all: places.length, found: expected });
      }
    }));

  test("from the doomed event on there is no place, and before it there is one", () =>
    eachPanel(async (page, k, area, list) => {
      const refusals = list.filter((event) => event.kind === KINDS.refusal);
      for (const [refusal, event] of refusals.entries()) {
        const doomed = await page.evaluate(([p, r]) => window.cmalab.doomed(p, r), [k, refusal]);
        const fits = (at) => replay(area, list, at).find(event.count, event.align) >= 0;
        assert.notEqual(doomed, null);
        for (let at = doomed; at <= list.indexOf(event); at += 1) assert.ok(!fits(at));
        if (doomed >= 0) assert.ok(fits(doomed - 1));
      }
    }));

  test("curves and the map show each column at a refusal, else at its end", () =>
    eachPanel(async (page, k, area, list) => {
      const last = list[list.length - 1].op + 1;
      const request = { count: 9, order: 3 };
      const spec = {
        axis: "op",
        width: 60,
        height: area.pages,
        request,
        window: { from: 0, to: last, first: 0, end: area.pages },
      };
      const seen = await page.evaluate(scan, [k, spec]);
      assert.equal(seen.rows, area.pages);
      for (let column = 0; column < spec.width; column += 1) {
        const [from, to] = [column, column + 1].map((c) => (c * last) / spec.width);
        const event = seen.events[column];
        const refused = list.filter(
          ({ op, kind }) => op >= from && op < to && kind === KINDS.refusal,
        );
        if (refused.length) assert.ok(refused.includes(list[event]));
        else assert.equal(event, list.filter(({ op }) => op < to).length - 1);
        const naive = replay(area, list, event);
        const runs = naive.freeRuns();
        const pages = runs.map((run) => run[1]);
        assert.equal(
          seen.free[column],
          pages.reduce((a, b) => a + b, 0),
        );
        assert.equal(seen.longest[column], Math.max(0, ...pages));
        assert.equal(
          seen.usable[column],
          Math.max(0, ...runs.map((run) => naiveUsable(naive, run, request.order))),
        );
        const cells = (all) => all.slice(column * seen.rows, (column + 1) * seen.rows);
        assert.deepEqual(
          cells(seen.cover),
          naive.owner.map((one) => (one ? 255 : 0)),
        );
        assert.deepEqual(
          cells(seen.dead),
          naiveDead(naive, request).map((one) => one * 255),
        );
      }
    }));
});

/** In the page: a scan, as plain lists. */
function scan([panel, spec]) {
  const found = window.cmalab.curves(panel, spec);
  const lists = Object.entries(found).map(([key, all]) => [key, all.length ? [...all] : all]);
  return Object.fromEntries(lists);
}

/** 1 for each free page outside the usable part of its hole, or in a hole that is too short. */
function naiveDead(naive, { count, order }) {
  const dead = new Array(naive.owner.length).fill(0);
  for (const [start, pages] of naive.freeRuns()) {
    const usable = naiveUsable(naive, [start, pages], order);
    dead.fill(1, start, usable < count ? start + pages : start + pages - usable);
  }
  return dead;
}

/** Pages of a run from its first start on. */
function naiveUsable(naive, [start, pages], order) {
  const range = naive.ranges.find(({ end }) => start < end);
  for (let at = start; at < start + pages; at += 1) {
    if (naive.isStart(range, at, order)) return start + pages - at;
  }
  return 0;
}
