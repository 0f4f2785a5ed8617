// The forms of a picture. Each takes the choice and its rows, and returns charts (SVGs of Plot),
// the points that can be read in them, entries of a legend, and notes on what is not drawn.

const MOST_MARKS = 3000; // a browser is slow with more
const MOST_PANELS = 60;
const MOST_BARS = 150; // categories of a lollipop
const MOST_ZIPS = 12;
const NARROWEST = 120; // pixels of a panel

const TICK = { fontSize: 11 };

// The value of an estimator without fault, for a line: of tests only where the hypothesis is true.
function nominalOf(choice, rows) {
  const about = aboutOf(choice);
  if (choice.table === "differences" || about.nominal === "zero") return [0];
  if (about.nominal === "level") return levelsOf(rows);
  if (about.nominal === "alpha" && rows.some((row) => row.true === 0)) return levelsOf(rows).map((level) => 1 - level);
  return [];
}

const isRate = (choice) => choice.table !== "differences" && ["level", "alpha"].includes(aboutOf(choice).nominal);

// Where 95% of estimated shares lie if the share is the nominal one.
function bandOf(choice, rows) {
  const [level, ...others] = nominalOf(choice, rows);
  if (level === undefined || others.length || !isRate(choice)) return null;
  const n = d3.min(rows, (row) => head.replicates[row.s]);
  const half = Z * Math.sqrt((level * (1 - level)) / n);
  return [Math.max(level - half, 0), Math.min(level + half, 1)];
}

function nominalNote(choice, rows, hasBand = true) {
  if (!isRate(choice) || !nominalOf(choice, rows).length) return [];
  const levels = nominalOf(choice, rows).map(percent).join(" or ");
  const band = hasBand && bandOf(choice, rows) ? "; grey band: 1.96 Monte Carlo standard errors of a share of that size" : "";
  const test = aboutOf(choice).nominal === "alpha" ? ", which a test should have where the true value is 0" : "";
  return [`Dashed line: ${levels}${test}${band}.`];
}

function domainOf(choice, rows, hasBars) {
  const about = aboutOf(choice);
  const nominal = nominalOf(choice, rows);
  const ends = rows.flatMap((row) => (hasBars ? [row.value, row.low, row.high] : [row.value])).filter(Number.isFinite);
  let [low, high] = d3.extent([...ends, ...nominal, ...(bandOf(choice, rows) ?? [])]);
  if (about.kind === "size" && choice.table !== "differences") low = Math.min(low, 0);
  const room = 0.04 * (high - low || Math.abs(high) || 1);
  return [low - room, high + room];
}

// The scale of values, with relative errors in per cent.
function valueScale(choice, rows, hasBars = true) {
  const scale = scaleOf(aboutOf(choice));
  const write = d3.format(".6~g");
  return {
    domain: domainOf(choice, rows, hasBars),
    label: labelOf(choice, rows),
    tickFormat: (value) => write(scale * value).replace("\u2212", MINUS),
  };
}

// Of rows in groups keep whole groups, evenly, as many as there is room for.
function thinned(groups, what) {
  const all = d3.sum(groups, (group) => group.length);
  const step = Math.ceil(all / MOST_MARKS);
  if (step < 2) return { kept: groups, notes: [] };
  const kept = groups.filter((_, place) => place % step === 0);
  const drawn = d3.sum(kept, (group) => group.length);
  const note = `Drawn: ${whole(drawn)} of ${whole(all)} numbers, those of every ${ordinal(step)} ${what}. Filters, a nested loop, the table and the CSV show the others.`;
  return { kept, notes: [note] };
}

const ordinal = (n) => `${n}${n % 100 > 10 && n % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][n % 10] ?? "th"}`;

// Those variables that vary and that the picture does not show apart.
function unplaced(choice, rows, places) {
  const placed = new Set(places.map((place) => choice[place]));
  return varying(choice, rows).filter((variable) => !placed.has(variable));
}

function listed(words) {
  return words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words.join("");
}

// The panels: side by side where there is room, else one below the other. `across` and `below` are
// the codes of the panels, `acrossOf` and `belowOf` tell in which a row is.
function panelsOf(choice, rows, width) {
  const [sides, downs] = [choice.columns, choice.rows].map((variable) => (variable === NONE ? [] : [variable]));
  const seen = (variables) => new Set(rows.map((row) => codesOf(row, variables).join())).size;
  const isNarrow = sides.length && (width - 150) / seen(sides) < NARROWEST;
  const across = panelAxis(rows, isNarrow ? [] : sides, MOST_PANELS);
  const below = panelAxis(rows, isNarrow ? [...sides, ...downs] : downs, Math.max(Math.floor(MOST_PANELS / Math.max(across.codes.length, 1)), 1));
  const drawn = Math.max(across.codes.length, 1) * Math.max(below.codes.length, 1);
  const all = Math.max(across.all, 1) * Math.max(below.all, 1);
  return {
    across: across.codes,
    below: below.codes,
    acrossOf: across.of,
    belowOf: below.of,
    acrossName: across.name,
    belowName: below.name,
    rows: rows.filter((row) => across.has(row) && below.has(row)),
    notes: drawn < all ? [`Drawn: ${drawn} of ${whole(all)} panels. Filters show the others.`] : [],
  };
}

const codesOf = (row, variables) => variables.map((variable) => codeOf(row, variable));

// The panels along one side: the values of a variable, or of two together.
function panelAxis(rows, variables, most) {
  const found = new Map(rows.map((row) => [codesOf(row, variables).join(), codesOf(row, variables)]));
  const sorted = [...found].sort(([, a], [, b]) => a[0] - b[0] || a[1] - b[1]).map(([key]) => key);
  const place = new Map(sorted.map((key, i) => [key, i]));
  const of = (row) => place.get(codesOf(row, variables).join());
  const codes = variables.length ? d3.range(Math.min(sorted.length, most)) : [];
  const name = (code) => found.get(sorted[code]).map((one, i) => namedOf(variables[i], one)).join(", ");
  return { codes, of, name, all: variables.length ? sorted.length : 0, has: (row) => !variables.length || of(row) < most };
}

// What all facets share: scales of panels, margins, size.
function frameOf(panels, { width, look, heights, marginLeft = 52, marginBottom = 40 }) {
  const { across, below, belowName } = panels;
  const right = below.length ? Math.min(Math.max(...below.map((code) => widthOf(belowName(code), 11))) + 14, width < 600 ? 100 : 140) : 12;
  const most = Math.max(width, marginLeft + right + NARROWEST * Math.max(across.length, 1));
  const top = across.length ? 24 : 12;
  const own = heights ?? (below.length < 2 ? 320 : below.length < 3 ? 210 : 165);
  return {
    width: most,
    height: top + marginBottom + own * Math.max(below.length, 1),
    marginLeft,
    marginRight: right,
    marginTop: top,
    marginBottom,
    style: { background: "transparent", color: look.ink, fontSize: "11px", fontFamily: FONT },
    color: { type: "identity" },
    ...(across.length ? { fx: { domain: across, axis: null, padding: 0.06 } } : {}),
    ...(below.length ? { fy: { domain: below, axis: null, padding: 0.08 } } : {}),
  };
}

// The width of one panel.
function roomOf(panels, width, left) {
  const right = panels.below.length ? 100 : 12;
  return Math.max((width - left - right) / Math.max(panels.across.length, 1), panels.across.length ? NARROWEST : 0) - 12;
}

// The names of the panels.
function panelMarks(panels, look, frame) {
  const { across, below, acrossName, belowName } = panels;
  const inner = frame.width - frame.marginLeft - frame.marginRight;
  return [
    across.length &&
      Plot.axisFx({ anchor: "top", tickFormat: acrossName, label: null, lineWidth: Math.max(inner / across.length / 12, 6), textOverflow: "ellipsis-end", ...TICK, color: look.ink }),
    below.length &&
      Plot.axisFy({ anchor: "right", tickFormat: belowName, label: null, lineWidth: (frame.marginRight - 12) / 11, tickSize: 0, ...TICK, color: look.ink }),
    Plot.frame({ stroke: look.soft, strokeOpacity: 0.5 }),
  ].filter(Boolean);
}

const facetOf = (panels) => ({
  ...(panels.across.length ? { fx: panels.acrossOf } : {}),
  ...(panels.below.length ? { fy: panels.belowOf } : {}),
});

function nominalMarks(choice, rows, look, span) {
  const band = bandOf(choice, rows);
  return [
    band && Plot.rect([band], { x1: span[0], x2: span[1], y1: (one) => one[0], y2: (one) => one[1], fill: look.soft, fillOpacity: 0.16 }),
    Plot.ruleY(nominalOf(choice, rows), { stroke: look.soft, strokeWidth: 1.2, strokeDasharray: "5 4" }),
  ].filter(Boolean);
}

// Dots of every symbol, marked so that each is found again by the place of its row.
function dotMarks(choice, rows, look, where, r = 3.6) {
  const places = new Map(rows.map((row, i) => [row, i]));
  const groups = d3.groups(rows, (row) => {
    const { symbol, hollow } = styleOf(choice, row, look);
    return `${symbol} ${hollow}`;
  });
  return groups.map(([name, own]) => {
    const [symbol, hollow] = name.split(" ");
    const colour = (row) => styleOf(choice, row, look).colour;
    return Plot.dot(own, {
      ...where, symbol, r, stroke: colour, strokeWidth: 1.3,
      fill: hollow === "true" ? look.paper : colour,
      ariaLabel: (row) => `@${places.get(row)}`,
    });
  });
}

function lineMarks(choice, rows, look, where, extra = {}) {
  return d3.groups(rows, (row) => styleOf(choice, row, look).dash).map(([dash, own]) =>
    Plot.line(own, { ...where, stroke: (row) => styleOf(choice, row, look).colour, strokeWidth: 1.3, strokeDasharray: dash || null, ...extra }),
  );
}

// Find the marks of points again and say what each is.
function readable(choice, svg, points) {
  const found = [];
  for (const mark of svg.querySelectorAll("[aria-label^='@']")) {
    const point = points[+mark.getAttribute("aria-label").slice(1)];
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", sentenceOf(choice, point));
    mark.dataset.scenario = head.scenarios[point.row.s];
    mark.dataset.series = point.row.number;
    if ("centile" in point) [mark.dataset.low, mark.dataset.high] = [point.low, point.high];
    else [mark.dataset.value, mark.dataset.mcse, mark.dataset.n] = [point.row.value, point.row.mcse, point.row.n];
    found.push({ ...point, mark });
  }
  return found;
}

const asPoints = (rows) => rows.map((row) => ({ row }));

// Groups of rows that one line joins.
function lineGroups(choice, rows, along) {
  const others = varying(choice, rows).filter((variable) => variable !== along);
  const key = (row) => others.map((variable) => codeOf(row, variable)).join();
  return d3.groups(rows, key).map(([name, own]) => {
    for (const row of own) row.line = name;
    return own;
  });
}

// Where the levels of a variable lie along an axis: at even steps, or by value if they are many.
function axisOf(variable, rows) {
  const codes = [...new Set(rows.map((row) => codeOf(row, variable)))].sort((a, b) => a - b);
  const byValue = isFactor(variable) && factors.get(variable).numeric && codes.length > 12;
  if (byValue) {
    const levels = factors.get(variable).levels;
    const [low, high] = [levels[codes[0]], levels[codes.at(-1)]];
    const room = 0.03 * (high - low);
    return { at: (row) => levels[codeOf(row, variable)], step: (high - low) / codes.length, scale: { domain: [low - room, high + room] } };
  }
  const place = new Map(codes.map((code, i) => [code, i]));
  return {
    at: (row) => place.get(codeOf(row, variable)),
    step: 1,
    words: codes.map((code) => options(variable)[code].words),
    scale: { domain: [-0.5, codes.length - 0.5] },
  };
}

function axisMarks(axis, room, look, label) {
  if (!axis.words) return { marks: [Plot.axisX({ anchor: "bottom", label, labelAnchor: "center", labelArrow: "none", ...TICK, color: look.ink })], bottom: 40 };
  const widest = Math.max(...axis.words.map((words) => widthOf(words, 11)));
  const fits = widest + 8 <= room / axis.words.length;
  const every = fits ? 1 : Math.max(1, Math.ceil((14 * axis.words.length) / room));
  const ticks = d3.range(0, axis.words.length, every);
  const tilted = fits ? {} : { tickRotate: -40, textAnchor: "end" };
  const bottom = fits ? 40 : 36 + Math.min(0.66 * widest + 6, 110);
  const shown = (words) => (fits || widthOf(words, 11) < 150 ? words : `${words.slice(0, 22)}\u2026`);
  return {
    marks: [Plot.axisX({ anchor: "bottom", ticks, tickFormat: (i) => shown(axis.words[i] ?? ""), label, labelAnchor: "center", labelArrow: "none", labelOffset: bottom - 6, ...tilted, ...TICK, color: look.ink })],
    bottom,
  };
}

function yAxis(look, label, ticks = 5) {
  return [
    Plot.gridY({ stroke: look.grid, strokeOpacity: 1, ticks }),
    Plot.axisY({ anchor: "left", label: null, ticks, ...TICK, color: look.ink }),
  ];
}

function lines(choice, allRows, { width, look }) {
  const panels = panelsOf(choice, allRows, width);
  const { kept, notes } = thinned(lineGroups(choice, panels.rows, choice.x), "line");
  const rows = kept.flat();
  const axis = axisOf(choice.x, rows);
  // Marks of one place stand beside each other.
  const style = (row) => [choice.colour, choice.mark].map((v) => (v === NONE ? 0 : codeOf(row, v))).join();
  const styles = [...new Set(rows.map(style))].sort((a, b) => d3.ascending(...[a, b].map((s) => +s.split(",")[0] * 1e3 + +s.split(",")[1])));
  const apart = axis.step * Math.min(0.1, 0.6 / styles.length);
  const shift = new Map(styles.map((one, i) => [one, (i - (styles.length - 1) / 2) * apart]));
  const where = { x: (row) => axis.at(row) + shift.get(style(row)), y: "value", ...facetOf(panels) };
  const bottom = axisMarks(axis, roomOf(panels, width, 52), look, title(choice.x));
  const frame = frameOf(panels, { width, look, marginBottom: bottom.bottom });
  const value = valueScale(choice, rows);
  const svg = Plot.plot({
    ...frame,
    x: axis.scale,
    y: value,
    marks: [
      ...yAxis(look, value.label),
      ...panelMarks(panels, look, frame),
      ...bottom.marks,
      ...nominalMarks(choice, rows, look, axis.scale.domain),
      Plot.ruleX(rows.filter((row) => Number.isFinite(row.low + row.high)), { ...where, y1: "low", y2: "high", y: undefined, stroke: (row) => styleOf(choice, row, look).colour }),
      ...lineMarks(choice, rows, look, where, { z: "line", sort: where.x }),
      ...dotMarks(choice, rows, look, where),
    ],
  });
  const more = unplaced(choice, allRows, ["x", "colour", "mark", "columns", "rows"]);
  if (more.length) notes.push(`Lines of one colour and dash differ in ${listed(more.map(title).map(lowered))}.`);
  return {
    charts: [svg],
    points: readable(choice, svg, asPoints(rows)),
    entries: legendOf(choice, rows, look),
    notes: [...panels.notes, ...notes, ...nominalNote(choice, rows)],
    bars: barsNote(choice, aboutOf(choice)),
  };
}

const lowered = (words) => (/^[A-Z][a-z]/.test(words) ? words[0].toLowerCase() + words.slice(1) : words);

// All scenarios along one axis, sorted by factor after factor, the one of the x axis last; below it
// the levels of the factors.
function nested(choice, allRows, { width, look }) {
  const wanted = [...head.factors].filter((factor) => new Set(allRows.map((row) => factor.of[row.s])).size > 1);
  wanted.sort((a, b) => (a.value === choice.x) - (b.value === choice.x));
  const only = { ...choice };
  for (const place of ["columns", "rows"]) if (choice[place] !== NONE && isFactor(choice[place])) only[place] = NONE;
  if (only.rows === NONE) [only.rows, only.columns] = [only.columns, NONE];
  const panels = panelsOf({ ...only, columns: NONE }, allRows, width);
  const order = [...new Set(panels.rows.map((row) => row.s))].sort((a, b) => {
    for (const factor of wanted) if (factor.of[a] !== factor.of[b]) return factor.of[a] - factor.of[b];
    return a - b;
  });
  const place = new Map(order.map((s, i) => [s, i]));
  const rows = panels.rows.sort((a, b) => a.number - b.number || place.get(a.s) - place.get(b.s));
  const { kept, notes } = thinned(rows.map((row) => [row]), "scenario");
  const dotted = kept.flat();
  if (notes.length) notes.splice(0, 1, `All ${whole(rows.length)} numbers are drawn; ${whole(dotted.length)} of them, evenly spread, have a mark to be read.`);
  const where = { x: (row) => place.get(row.s), y: "value", ...facetOf(panels) };
  const value = valueScale(choice, rows, false);
  const frame = frameOf(panels, { width, look, marginBottom: 6 });
  const domain = [-0.5, order.length - 0.5];
  const svg = Plot.plot({
    ...frame,
    x: { domain, axis: null },
    y: value,
    marks: [
      ...yAxis(look, value.label),
      ...panelMarks(panels, look, frame),
      ...nominalMarks(choice, rows, look, domain),
      ...lineMarks(choice, rows, look, where, { z: "number", curve: "step" }),
      ...dotMarks(choice, dotted, look, where, order.length > 60 ? 1.6 : 2.6),
    ],
  });
  const more = unplaced(only, allRows, ["colour", "mark", "rows"]).filter((variable) => !isFactor(variable));
  if (more.length) notes.push(`Lines of one colour and dash differ in ${listed(more.map(title).map(lowered))}.`);
  return {
    charts: [svg, strips(wanted, order, frame, look)],
    points: readable(choice, svg, asPoints(dotted)),
    entries: legendOf(choice, rows, look),
    notes: [...panels.notes, ...notes, ...nominalNote(choice, rows), "A nested loop has all factors along its axis, and no error bars: point at a mark for its error."],
    bars: "",
  };
}

// For each factor a line that steps with its level.
function strips(wanted, order, frame, look) {
  const HIGH = 38;
  const steps = wanted.flatMap((factor, f) => {
    const most = Math.max(factor.levels.length - 1, 1);
    return order.map((s, i) => ({ i, f, y: -f - 0.82 + (0.4 * factor.of[s]) / most }));
  });
  const names = wanted.map((factor, f) => {
    const labels = factor.labels.length > 8 ? [factor.labels[0], "\u2026", factor.labels.at(-1)] : factor.labels;
    return { f, words: `${factor.words}: ${labels.join(", ")}` };
  });
  return Plot.plot({
    width: frame.width,
    height: Math.max(HIGH * wanted.length, 4) + 6,
    marginLeft: frame.marginLeft,
    marginRight: frame.marginRight,
    marginTop: 2,
    marginBottom: 4,
    style: frame.style,
    x: { domain: [-0.5, order.length - 0.5], axis: null },
    y: { domain: [-wanted.length - 0.02, 0], axis: null },
    marks: [
      Plot.line(steps, { x: "i", y: "y", z: "f", curve: "step", stroke: look.ink, strokeWidth: 1 }),
      Plot.text(names, { frameAnchor: "left", y: (one) => -one.f - 0.22, text: "words", fill: look.soft, textAnchor: "start", fontSize: 11 }),
    ],
  });
}

// The categories of a vertical axis: all that varies and has no other place.
function categories(choice, rows, places, first) {
  const others = unplaced(choice, rows, places);
  const along = first === NONE ? others : [first, ...others.filter((variable) => variable !== first)];
  const vary = varying(choice, rows);
  const shown = along.filter((variable) => vary.includes(variable));
  const key = (row) => shown.map((variable) => codeOf(row, variable));
  const words = (row) => shown.map((variable) => namedOf(variable, codeOf(row, variable))).join(", ");
  const known = new Map();
  for (const row of rows) if (!known.has(key(row).join())) known.set(key(row).join(), { key: key(row), words: words(row) });
  const sorted = [...known.values()].sort((a, b) => {
    const at = a.key.findIndex((code, i) => code !== b.key[i]);
    return at < 0 ? 0 : a.key[at] - b.key[at];
  });
  const place = new Map(sorted.map((one, i) => [one.key.join(), i]));
  return { names: sorted.map((one) => one.words), at: (row) => place.get(key(row).join()), heading: listed(shown.map(title).map(lowered)) };
}

function categoryAxis(names, width, look) {
  const room = Math.min(Math.max(...names.map((words) => widthOf(words, 11)), 20) + 14, 0.42 * width);
  const fit = (words) => {
    if (widthOf(words, 11) <= room - 12) return words;
    let text = words;
    while (text.length > 4 && widthOf(`${text}\u2026`, 11) > room - 12) text = text.slice(0, -1);
    return `${text}\u2026`;
  };
  return { room, mark: Plot.axisY({ anchor: "left", ticks: d3.range(names.length), tickFormat: (i) => fit(names[i] ?? ""), label: null, tickSize: 0, ...TICK, color: look.ink }) };
}

function lollipop(choice, allRows, { width, look }) {
  const panels = panelsOf(choice, allRows, width);
  const { names, at, heading } = categories(choice, panels.rows, ["x", "colour", "mark", "columns", "rows"], choice.x);
  const most = Math.max(Math.min(MOST_BARS, Math.floor((MOST_MARKS * names.length) / panels.rows.length)), 1);
  const rows = panels.rows.filter((row) => at(row) < most);
  const shown = names.slice(0, most);
  const notes = shown.length < names.length ? [`Drawn: the first ${whole(most)} of ${whole(names.length)} rows. Filters, a nested loop, the table and the CSV show the others.`] : [];
  const style = (row) => [choice.colour, choice.mark].map((v) => (v === NONE ? 0 : codeOf(row, v))).join();
  const styles = [...new Set(rows.map(style))].sort();
  const shift = new Map(styles.map((one, i) => [one, ((i - (styles.length - 1) / 2) * 0.72) / Math.max(styles.length, 2)]));
  const axis = categoryAxis(shown, width, look);
  const frame = frameOf(panels, { width, look, marginLeft: axis.room, heights: Math.max(shown.length * Math.max(20, 9 * styles.length), 60) });
  const value = valueScale(choice, rows);
  const start = nominalOf(choice, rows)[0] ?? 0;
  const from = Math.min(Math.max(start, value.domain[0]), value.domain[1]);
  const where = { x: "value", y: (row) => at(row) + shift.get(style(row)), ...facetOf(panels) };
  const colour = (row) => styleOf(choice, row, look).colour;
  const svg = Plot.plot({
    ...frame,
    x: value,
    y: { domain: [shown.length - 0.5, -0.5] },
    marks: [
      Plot.gridX({ stroke: look.grid, strokeOpacity: 1, ticks: 5 }),
      Plot.axisX({ anchor: "bottom", label: value.label, labelAnchor: "center", labelArrow: "none", ticks: Math.max(2, Math.min(6, (frame.width - axis.room) / Math.max(panels.across.length, 1) / 60)), ...TICK, color: look.ink }),
      axis.mark,
      ...panelMarks(panels, look, frame),
      Plot.ruleX(nominalOf(choice, rows), { stroke: look.soft, strokeWidth: 1.2, strokeDasharray: "5 4" }),
      Plot.ruleY(rows, { ...where, x: undefined, x1: from, x2: "value", stroke: colour, strokeOpacity: 0.55, strokeWidth: 1 }),
      Plot.ruleY(rows.filter((row) => Number.isFinite(row.low + row.high)), { ...where, x: undefined, x1: "low", x2: "high", stroke: colour, strokeWidth: 2.2 }),
      ...dotMarks(choice, rows, look, where),
    ],
  });
  return {
    charts: [svg],
    points: readable(choice, svg, asPoints(rows)),
    entries: legendOf(choice, rows, look),
    notes: [...panels.notes, ...notes, ...(heading ? [`Rows: ${heading}.`] : []), ...nominalNote(choice, rows, false)],
    bars: barsNote(choice, aboutOf(choice)),
  };
}

function heat(choice, allRows, { width, look }) {
  const panels = panelsOf(choice, allRows, width);
  const { names, at, heading } = categories(choice, panels.rows, ["x", "colour", "columns", "rows"], choice.colour);
  const axis = axisOf(choice.x, panels.rows);
  const place = axis.words ? axis.at : (() => {
    const found = [...new Set(panels.rows.map(axis.at))].sort((a, b) => a - b);
    return (row) => found.indexOf(axis.at(row));
  })();
  const levels = [...new Set(panels.rows.map((row) => codeOf(row, choice.x)))].sort((a, b) => a - b);
  const words = levels.map((code) => options(choice.x)[code].words);
  const most = Math.max(Math.floor(MOST_MARKS / (words.length * Math.max(panels.across.length, 1) * Math.max(panels.below.length, 1))), 1);
  const shown = names.slice(0, most);
  const rows = panels.rows.filter((row) => at(row) < most);
  const notes = shown.length < names.length ? [`Drawn: the first ${whole(most)} of ${whole(names.length)} rows of cells. Filters, the table and the CSV show the others.`] : [];
  const left = categoryAxis(shown, width, look);
  const room = roomOf(panels, width, left.room);
  const bottom = axisMarks({ words }, room, look, title(choice.x));
  const frame = frameOf(panels, { width, look, marginLeft: left.room, marginBottom: bottom.bottom, heights: Math.max(shown.length * 26, 40) });
  const nominal = nominalOf(choice, rows)[0];
  const about = aboutOf(choice);
  const colours = heatColours(rows, nominal, look);
  const places = new Map(rows.map((row, i) => [row, i]));
  const scale = scaleOf(about);
  const decimals = decimalsOf(scale * (d3.median(rows, (row) => row.mcse) || 0));
  const cell = { x1: (row) => place(row) - 0.5, x2: (row) => place(row) + 0.5, y1: (row) => at(row) - 0.5, y2: (row) => at(row) + 0.5, inset: 0.5, ...facetOf(panels) };
  const fits = room / words.length > (d3.max(rows, (row) => widthOf(fixed(scale * row.value, decimals), 11)) ?? 0) + 6;
  const svg = Plot.plot({
    ...frame,
    x: { domain: [-0.5, words.length - 0.5] },
    y: { domain: [shown.length - 0.5, -0.5] },
    marks: [
      ...bottom.marks,
      left.mark,
      ...panelMarks(panels, look, frame),
      Plot.rect(rows, { ...cell, fill: (row) => colours(row.value), ariaLabel: (row) => `@${places.get(row)}` }),
      Plot.text(fits ? rows : [], { x: place, y: at, ...facetOf(panels), text: (row) => fixed(scale * row.value, decimals), fill: (row) => inkOn(colours(row.value)), fontSize: 11 }),
    ],
  });
  return {
    charts: [heatLegend(choice, rows, colours, width, look), svg],
    points: readable(choice, svg, asPoints(rows)),
    entries: [],
    notes: [...panels.notes, ...notes, ...(heading ? [`Rows: ${heading}.`] : [])],
    bars: "",
  };
}

// Two colours away from the nominal value, or one scale where there is none.
function heatColours(rows, nominal, look) {
  const [low, high] = d3.extent(rows, (row) => row.value);
  if (nominal === undefined) {
    const scale = d3.scaleSequential(d3.interpolateViridis).domain(low === high ? [low - 1, high] : [low, high]);
    return Object.assign((value) => d3.color(scale(value)).formatHex(), { ends: [low, high] });
  }
  const far = Math.max(Math.abs(low - nominal), Math.abs(high - nominal)) || 1;
  const scale = d3.scaleDiverging((t) => d3.interpolatePuOr(0.08 + 0.84 * t)).domain([nominal - far, nominal, nominal + far]);
  return Object.assign((value) => d3.color(scale(value)).formatHex(), { ends: [Math.min(low, nominal), Math.max(high, nominal)] });
}

function inkOn(colour) {
  const { r, g, b } = d3.rgb(colour);
  const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.03928 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z > 0.18 ? "#000000" : "#ffffff";
}

function heatLegend(choice, rows, colours, width, look) {
  const wide = Math.min(300, width - 20);
  const [low, high] = colours.ends;
  const scale = scaleOf(aboutOf(choice));
  const svg = element("svg", { width, height: 46 });
  for (let i = 0; i < 60; i++) {
    svg.append(element("rect", { x: (i * wide) / 60, y: 4, width: wide / 60 + 0.5, height: 12, fill: colours(low + ((high - low) * (i + 0.5)) / 60) }));
  }
  for (const [i, value] of d3.ticks(low, high, 4).entries()) {
    const x = high > low ? (wide * (value - low)) / (high - low) : 0;
    svg.append(element("text", { x, y: 32, fill: look.ink, "font-size": 11, "text-anchor": i === 0 && x < 12 ? "start" : "middle" }, d3.format(".4~g")(scale * value)));
  }
  return svg;
}

// A panel for each series and scenario, with the intervals of a hundred replicates.
function zip(choice, allRows, { width, look }) {
  const full = allRows.map((row) => ({ row, intervals: intervalsOf(row) })).filter((one) => one.intervals.length);
  const shown = full.slice(0, MOST_ZIPS);
  const notes = [];
  if (!head.zip) notes.push("This page has no intervals of replicates: those of so many scenarios would make it too large.");
  else if (!full.length) notes.push("A zip plot needs intervals and a true value. Choose coverage, and a term that has one.");
  if (full.length > shown.length) notes.push(`Drawn: ${shown.length} of ${whole(full.length)} panels. Filters show the others.`);
  if (!shown.length) return { charts: [], points: [], entries: [], notes, bars: "" };
  const across = Math.min(shown.length, Math.max(1, Math.floor(width / 260)), 4);
  const down = Math.ceil(shown.length / across);
  const vary = varying(choice, full.map((one) => one.row));
  const points = shown.flatMap((one, panel) => one.intervals.map((interval) => ({ ...interval, panel })));
  const places = new Map(points.map((point, i) => [point, i]));
  // A few intervals that are far wider than the others are cut, so that these can be seen.
  const ends = (side, share) => d3.quantile(points.map((point) => point[side]).filter(Number.isFinite), share);
  const [low, high] = d3.extent([ends("low", 0.01), ends("high", 0.99), ...shown.map((one) => one.row.true)]);
  const domain = [low - 0.03 * (high - low), high + 0.03 * (high - low)];
  const cut = points.filter((point) => point.low < domain[0] || point.high > domain[1]).length;
  if (cut) notes.push(`${cut} of ${whole(points.length)} intervals go on beyond the edges.`);
  const facet = { fx: (one) => one.panel % across, fy: (one) => Math.floor(one.panel / across) };
  const colour = (point) => (point.covers ? look.colours[0] : look.miss);
  const names = shown.map((one, panel) => ({
    panel,
    true: one.row.true,
    level: 100 * (head.models.find((model) => model.value === head.values.model[one.row.codes.model].value)?.level ?? 0.95),
    words: vary.map((variable) => namedOf(variable, codeOf(one.row, variable))).join(", ") || labelOf(choice, [one.row]),
  }));
  const svg = Plot.plot({
    width,
    height: 60 + down * 230,
    marginLeft: 46,
    marginRight: 10,
    marginTop: 26,
    marginBottom: 40,
    style: { background: "transparent", color: look.ink, fontSize: "11px", fontFamily: FONT },
    color: { type: "identity" },
    fx: { domain: d3.range(across), axis: null, padding: 0.06 },
    fy: { domain: d3.range(down), axis: null, padding: 0.16 },
    x: { domain },
    y: { domain: [0, 100] },
    marks: [
      Plot.axisX({ anchor: "bottom", label: "Limits of the interval", labelAnchor: "center", labelArrow: "none", ticks: 4, ...TICK, color: look.ink }),
      Plot.axisY({ anchor: "left", label: "Centile", labelArrow: "none", ticks: [0, 25, 50, 75, 95], ...TICK, color: look.ink }),
      Plot.frame({ stroke: look.soft, strokeOpacity: 0.5 }),
      Plot.text(names, { ...facet, frameAnchor: "top-left", text: "words", dy: -14, fill: look.ink, lineWidth: (width / across - 20) / 11, textOverflow: "ellipsis-end", fontSize: 11, textAnchor: "start" }),
      Plot.ruleY(points, {
        ...facet, y: "centile",
        x1: (point) => Math.max(point.low, domain[0]), x2: (point) => Math.min(point.high, domain[1]),
        stroke: colour, strokeWidth: 1.4, ariaLabel: (point) => `@${places.get(point)}`,
      }),
      Plot.ruleY(names, { ...facet, y: "level", stroke: look.ink, strokeDasharray: "5 4" }),
      Plot.ruleX(names, { ...facet, x: "true", stroke: look.ink, strokeWidth: 1.2 }),
    ],
  });
  const [covers, misses] = [true, false].map((hit) => ({ words: hit ? "covers the true value" : "misses it", style: { colour: hit ? look.colours[0] : look.miss, symbol: "circle", hollow: false, dash: "" } }));
  return {
    charts: [svg],
    points: readable(choice, svg, points),
    entries: [covers, misses],
    notes: [...notes, `Intervals of ${head.points} replicates, at even places in the order of how far the true value is from the estimate, in units of the interval's half on that side. Those above the dashed line should miss the true value (vertical line), and no others.`],
    bars: "",
  };
}

const DRAW = { lines, nested, lollipop, heat, zip };
