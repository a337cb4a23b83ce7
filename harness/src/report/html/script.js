"use strict";
// What the page gains with a script: points that say their numbers, lines that can be switched off
// in all pictures at once, tables that can be sorted. All else is there without it.
(() => {
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const tip = document.getElementById("tip");

  const hide = () => {
    tip.hidden = true;
    all(".p.on").forEach((point) => point.classList.remove("on"));
  };
  const show = (point) => {
    hide();
    point.classList.add("on");
    tip.textContent = point.getAttribute("aria-label");
    tip.hidden = false;
    const box = point.querySelector(".m").getBoundingClientRect();
    const width = tip.offsetWidth;
    const left = Math.min(box.left + 14, document.documentElement.clientWidth - width - 8);
    const above = box.top - tip.offsetHeight - 10;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = (above > 4 ? above : box.bottom + 10) + "px";
  };

  // One tab stop for each picture; arrows go along a line, and from one to the next.
  all(".plot .wide").forEach((plot) => {
    const points = all(".p", plot);
    points.forEach((point) => {
      const title = point.querySelector("title");
      point.setAttribute("role", "img");
      point.setAttribute("aria-label", title.textContent);
      title.remove();
      point.addEventListener("pointerenter", () => show(point));
      point.addEventListener("pointerleave", hide);
      point.addEventListener("click", () => show(point));
    });
    let at = -1;
    plot.addEventListener("keydown", (event) => {
      const shown = points.filter((point) => !point.closest(".off"));
      const line = (index) => shown[index] && shown[index].parentNode;
      const nextLine = (step) => {
        let to = Math.max(at, 0);
        while (shown[to] && line(to) === line(Math.max(at, 0))) to += step;
        return to;
      };
      let to;
      if (event.key === "ArrowRight") to = at + 1;
      else if (event.key === "ArrowLeft") to = at - 1;
      else if (event.key === "ArrowDown") to = nextLine(1);
      else if (event.key === "ArrowUp") to = nextLine(-1);
      else if (event.key === "Escape") { hide(); return; }
      else return;
      event.preventDefault();
      at = Math.min(Math.max(to, 0), shown.length - 1);
      if (shown[at]) {
        shown[at].scrollIntoView({ block: "nearest", inline: "nearest" });
        show(shown[at]);
      }
    });
    plot.addEventListener("blur", hide);
  });
  addEventListener("scroll", hide, { passive: true });

  const off = new Set();
  const apply = () => {
    all(".plot .s").forEach((line) => line.classList.toggle("off", off.has(line.dataset.s)));
    all(".plot .legend li").forEach((item) => {
      item.firstChild.setAttribute("aria-pressed", String(!off.has(item.dataset.s)));
    });
  };
  all(".plot .legend li").forEach((item) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.title = "Show or hide this line in every picture";
    button.append(...item.childNodes);
    item.append(button);
    button.addEventListener("click", () => {
      const line = item.dataset.s;
      if (!off.delete(line)) off.add(line);
      apply();
    });
  });

  const key = (cell) => {
    const value = cell.dataset.v;
    if (value === undefined) return cell.textContent;
    return value === "inf" ? Infinity : Number(value);
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? (a < b ? -1 : a > b ? 1 : 0)
      : String(a).localeCompare(String(b), "en", { numeric: true });
  all(".wide table").forEach((table) => {
    const heads = all("thead th", table);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = Array.from(body.rows);
        rows.sort((a, b) => {
          const order = compare(key(a.cells[column]), key(b.cells[column]));
          return down ? -order : order;
        });
        body.append(...rows);
      });
    });
  });

  // Paper shows what is short, and what somebody has opened. Afterwards it is as it was.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details.short").filter((details) => !details.open);
    opened.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => {
    opened.forEach((details) => { details.open = false; });
  });

  // A link to a folded section opens it.
  const unfold = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) return;
    const details = target.querySelector(":scope > details") || target.closest("details");
    if (details) details.open = true;
  };
  addEventListener("hashchange", unfold);
  unfold();
})();
