// Reading a picture: by pointer, by keys, as a table, as files.

const byId = (id) => document.getElementById(id);

function node(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in made && typeof value !== "string") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// The points of the picture that is shown, and the one that is being read.
const reading = { choice: null, points: [], places: null, at: -1 };

function readFrom(choice, points) {
  Object.assign(reading, { choice, points, places: null, at: -1 });
  byId("tip").hidden = true;
}

// The middles of all marks in the chart, found when they are first asked for.
function placesOf() {
  if (!reading.places) {
    const chart = byId("chart");
    const { left, top } = chart.getBoundingClientRect();
    reading.places = reading.points.map(({ mark }) => {
      const box = mark.getBoundingClientRect();
      return [box.left + box.width / 2 - left + chart.scrollLeft, box.top + box.height / 2 - top];
    });
  }
  return reading.places;
}

function tipOf(point) {
  const { choice } = reading;
  if ("centile" in point) {
    const lines = [`${fixed(point.low, null)} to ${fixed(point.high, null)}`, point.covers ? "covers the true value" : "misses the true value", `true value ${fixed(point.row.true, null)}`, `centile ${point.centile}`];
    return [node("b", {}, lines[0]), ...lines.slice(1).map((line) => node("div", {}, line)), ...placeOf(choice, point.row).map((line) => node("div", {}, line))];
  }
  const said = numbersOf(choice, point.row);
  const lines = [`MCSE ${said.mcse}, n ${said.n}`];
  if (said.bar) lines.push(`95%: ${said.bar}`);
  if (Number.isFinite(point.row.true)) lines.push(`True value: ${fixed(point.row.true, null)}`);
  return [node("b", {}, said.value), ...[...lines, ...placeOf(choice, point.row)].map((line) => node("div", {}, line))];
}

function show(at, aloud) {
  const tip = byId("tip");
  reading.points[reading.at]?.mark.removeAttribute("data-read");
  for (const ring of byId("chart").querySelectorAll(".ring")) ring.remove();
  reading.at = at;
  const point = reading.points[at];
  tip.hidden = !point;
  if (!point) return;
  point.mark.setAttribute("data-read", "");
  const chart = byId("chart");
  const [x, y] = placesOf()[at];
  const picture = chart.querySelector("svg");
  picture.append(element("circle", { class: "ring", cx: x, cy: y, r: 8, fill: "none", stroke: "currentColor", "stroke-width": 2, "aria-hidden": "true" }));
  tip.replaceChildren(...tipOf(point));
  const left = x - chart.scrollLeft + chart.offsetLeft;
  const room = chart.parentElement.clientWidth;
  tip.style.left = `${Math.max(0, left + 14 + tip.offsetWidth > room ? left - tip.offsetWidth - 14 : left + 14)}px`;
  tip.style.top = `${chart.offsetTop + y + 14}px`;
  if (aloud) {
    byId("said").textContent = sentenceOf(reading.choice, point);
    if (x < chart.scrollLeft || x > chart.scrollLeft + chart.clientWidth) chart.scrollLeft = x - chart.clientWidth / 2;
  }
}

const NEAR = 30; // pixels

function pointed(event) {
  const chart = byId("chart");
  const { left, top } = chart.getBoundingClientRect();
  const [x, y] = [event.clientX - left + chart.scrollLeft, event.clientY - top];
  let [nearest, least] = [-1, NEAR * NEAR];
  for (const [i, [a, b]] of placesOf().entries()) {
    const far = (a - x) ** 2 + (b - y) ** 2;
    if (far < least) [nearest, least] = [i, far];
  }
  if (nearest !== reading.at) show(nearest, false);
}

// Left and right go along the points as they are drawn, up and down to the next one above or below.
function keyed(event) {
  const last = reading.points.length - 1;
  if (last < 0) return;
  const at = reading.at;
  const next = { ArrowRight: Math.min(at + 1, last), ArrowLeft: Math.max(at - 1, 0), Home: 0, End: last, ArrowUp: vertical(-1), ArrowDown: vertical(1), Escape: -1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  show(next, true);
}

function vertical(way) {
  if (reading.at < 0) return 0;
  const places = placesOf();
  const [x, y] = places[reading.at];
  let [best, least] = [reading.at, Infinity];
  for (const [i, [a, b]] of places.entries()) {
    const far = 4 * Math.abs(a - x) + Math.abs(b - y);
    if ((b - y) * way > 0.5 && far < least) [best, least] = [i, far];
  }
  return best;
}

// The columns of a table of rows: names, how a row fills them, and whether they hold numbers.
function columnsFor(choice, rows) {
  const about = aboutOf(choice);
  const scale = scaleOf(about);
  const decimals = decimalsOf(scale * (d3.max(rows, (row) => row.mcse) || 0));
  const number = (read) => ({ sorts: read, words: (row) => fixed(scale * read(row), decimals), number: true });
  const unit = scale === 100 ? " (%)" : "";
  return [
    ...varying(choice, rows).map((variable) => ({ heading: title(variable), sorts: (row) => codeOf(row, variable), words: (row) => wordsOf(row, variable) })),
    { heading: (about.words || about.label) + unit, ...number((row) => row.value) },
    { heading: `MCSE${unit}`, ...number((row) => row.mcse) },
    { heading: `95% from${unit}`, ...number((row) => row.low) },
    { heading: `to${unit}`, ...number((row) => row.high) },
    { heading: "n", sorts: (row) => row.n, words: (row) => whole(row.n), number: true },
  ];
}

const PAGE_ROWS = 500;

// A table that sorts by any column, so many rows at a time.
function tableOf(choice, rows, sort = null, most = PAGE_ROWS) {
  const columns = columnsFor(choice, rows);
  const sorted = sort ? [...rows].sort((a, b) => sort.way * d3.ascending(columns[sort.by].sorts(a), columns[sort.by].sorts(b))) : rows;
  const again = (nextSort, nextMost, focus) => {
    const fresh = tableOf(choice, rows, nextSort, nextMost);
    outer.replaceWith(fresh);
    fresh.querySelectorAll("button")[focus]?.focus();
  };
  const heads = columns.map((column, i) => {
    const way = sort?.by === i ? sort.way : 0;
    const click = () => again({ by: i, way: way === 1 ? -1 : 1 }, most, i);
    const arrow = way ? (way > 0 ? " \u2191" : " \u2193") : "";
    const cell = node("th", { scope: "col", class: column.number ? "number" : "" }, node("button", { type: "button", onclick: click }, column.heading + arrow));
    cell.setAttribute("aria-sort", way ? (way > 0 ? "ascending" : "descending") : "none");
    return cell;
  });
  const body = node("tbody");
  for (const row of sorted.slice(0, most)) {
    const line = node("tr", {}, ...columns.map((column) => node("td", { class: column.number ? "number" : "" }, column.words(row))));
    [line.dataset.value, line.dataset.scenario, line.dataset.series] = [row.value, head.scenarios[row.s], row.number];
    body.append(line);
  }
  const table = node("table", {}, node("caption", {}, [labelOf(choice, rows), ...sameOf(choice, rows)].join(" \u00b7 ")), node("thead", {}, node("tr", {}, ...heads)), body);
  const scroll = node("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The numbers" }, table);
  const outer = node("div", {}, scroll);
  if (rows.length > most) {
    const more = node("button", { type: "button", onclick: () => again(sort, most + PAGE_ROWS, columns.length) }, `${PAGE_ROWS} more`);
    outer.append(node("p", {}, `${whole(most)} of ${whole(rows.length)} rows are shown; the CSV has all. `, more));
  }
  return outer;
}

// The numbers of a choice as CSV, with all digits.
function csvOf(choice, rows) {
  const keys = variablesOf(choice.table, choice.measure).map((one) => one.variable);
  const names = keys.map((variable) => (isFactor(variable) ? variable : keyOf(variable)));
  const plain = (variable, row) => options(variable)[codeOf(row, variable)].value;
  const cells = rows.map((row) => [
    head.scenarios[row.s], ...keys.map((variable) => plain(variable, row)), choice.measure,
    row.true, row.value, row.mcse, row.low, row.high, row.n,
  ]);
  const header = ["scenario", ...names, "measure", "true", choice.table === "differences" ? "difference" : "estimate", "mcse", "lower", "upper", "n"];
  const write = (cell) => {
    const text = Number.isNaN(cell) ? "" : String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [header, ...cells].map((line) => line.map(write).join(",")).join("\r\n") + "\r\n";
}

function save(text, kind, ending) {
  const link = node("a", { download: `${head.study}-${currentChoice().measure}.${ending}`, href: URL.createObjectURL(new Blob([text], { type: kind })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
