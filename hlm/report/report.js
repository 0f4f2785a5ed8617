"use strict";
// Tables sort by a heading, by numbers where a column has some; all else works without a script.
(() => {
  const order = new Intl.Collator("en", { numeric: true });
  const number = (text) => {
    const plain = text.replace(/\u2212/g, "-").replace(/,/g, "");
    if (plain.startsWith("\u221e")) return Infinity;
    return plain.startsWith("-\u221e") ? -Infinity : Number.parseFloat(plain);
  };

  function sort(table, place, heading) {
    const body = table.tBodies[0];
    const rising = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const rows = [...body.rows].map((row, at) => {
      const text = row.cells[place].textContent.trim();
      return { row, at, text, value: number(text), none: text === "" || text === "\u2013" };
    });
    const numbers = rows.every((one) => one.none || !Number.isNaN(one.value));
    const sign = rising ? 1 : -1;
    rows.sort((a, b) => {
      if (a.none !== b.none) return a.none ? 1 : -1; // what is not there comes last, either way
      const gap = numbers ? a.value - b.value : order.compare(a.text, b.text);
      return sign * (gap || 0) || a.at - b.at;
    });
    body.replaceChildren(...rows.map((one) => one.row));
  }

  for (const table of document.querySelectorAll("#tables .scroll table")) {
    // Above the last row of headings are those that span columns.
    [...[...table.tHead.rows].at(-1).cells].forEach((heading, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.addEventListener("click", () => sort(table, place, heading));
      heading.replaceChildren(button);
    });
  }

  // What is wider than the page scrolls in a box that keys reach.
  for (const wide of document.querySelectorAll("#methods-and-measures table, pre, .equation")) {
    const box = document.createElement("div");
    box.className = "wide";
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", wide.caption?.textContent || "Wide contents");
    wide.replaceWith(box);
    box.append(wide);
  }

  const folded = [...document.querySelectorAll("details")];
  const tables = folded.filter((one) => one.closest("#tables"));
  const all = document.getElementById("all");
  all.hidden = false;
  all.addEventListener("click", () => {
    const open = tables.some((one) => !one.open);
    for (const one of tables) one.open = open;
    all.textContent = open ? "Close all tables" : "Open all tables";
  });

  const unfold = () => {
    const there = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!there) return;
    const one = there.closest("details") || there.querySelector(":scope > details");
    if (one && one.closest("section").querySelectorAll("details").length === 1) one.open = true;
    if (one === there) one.open = true;
    there.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  unfold();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = folded.filter((one) => !one.open);
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
  });
})();
