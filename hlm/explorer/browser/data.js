// The data of the page. A series is one column of numbers over all scenarios: no row is made
// before it is asked for.

const head = JSON.parse(document.getElementById("head").textContent);
const scenarios = head.scenarios.length;

// base64 -> gzip -> numbers; see Contents.numbers in contents.py for their order.
async function unpacked() {
  const letters = atob(document.getElementById("packed").textContent);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

const numbers = await unpacked();
const tables = new Map(head.tables.map((table) => [table.value, table]));
const count = head.tables.reduce((sum, table) => sum + table.series.length, 0);
const doubles = new Float64Array(numbers, 0, 2 * count * scenarios);
const counts = new Int32Array(numbers, doubles.byteLength, count * scenarios);
const limits = new Float32Array(numbers, doubles.byteLength + counts.byteLength);

const valueAt = (series, s) => doubles[2 * series * scenarios + s];
const mcseAt = (series, s) => doubles[(2 * series + 1) * scenarios + s];
const countAt = (series, s) => counts[series * scenarios + s];

// What a function of names gives, found once for each.
function remembering(find) {
  const known = new Map();
  return (...names) => {
    const name = JSON.stringify(names);
    if (!known.has(name)) known.set(name, find(...names));
    return known.get(name);
  };
}

const factors = new Map(head.factors.map((factor) => [factor.value, factor]));
const measures = head.values.measure;

// A variable is a factor of the grid ("units") or a column that tells series apart ("by model").
const BY = "by ";
const isFactor = (variable) => !variable.startsWith(BY);
const keyOf = (variable) => variable.slice(BY.length);

// The values of a variable: what an address has, and the words.
const options = remembering((variable) => {
  if (!isFactor(variable)) return head.values[keyOf(variable)];
  const { labels, levels } = factors.get(variable);
  return labels.map((words, i) => ({ value: String(levels[i]), words }));
});

function title(variable) {
  if (isFactor(variable)) return factors.get(variable).words;
  const name = keyOf(variable);
  return TITLES[name] ?? name[0].toUpperCase() + name.slice(1);
}

const TITLES = { factor: "Difference between", against: "Less that of", term: "Term" };

// The true value of a term of a model in a scenario, NaN where it has none.
const truths = new Map(
  tables.get("truth").series.map((codes, i) => [codes.join(), tables.get("truth").first + i]),
);
function trueOf(model, term, s) {
  const series = truths.get(`${model},${term}`);
  return series === undefined ? NaN : valueAt(series, s);
}

// The series of a table that have a measure, with the place of each of their values.
const seriesOf = remembering((table, measure) => {
  const own = tables.get(table);
  const place = measures.findIndex((one) => one.value === measure);
  return own.series
    .map((codes, i) => ({ number: own.first + i, codes: Object.fromEntries(own.keys.map((key, k) => [key, codes[k]])) }))
    .filter((series) => series.codes.measure === place);
});

// The measures that a table has, in order.
function measuresOf(table) {
  const own = tables.get(table);
  const found = new Set(own.series.map((codes) => codes[own.keys.indexOf("measure")]));
  return measures.filter((_, place) => found.has(place));
}

// The columns beside the measure by which the series of a table differ.
const keysOf = (table) => tables.get(table).keys.filter((key) => key !== "measure");

// Wilson's limits of a share: as hlm.measures.share_limits has them.
const Z = 1.959963984540054;
function wilson(p, n) {
  const shrink = (Z * Z) / n;
  const middle = p + 0.5 * shrink;
  const half = Z * Math.sqrt((p * (1 - p) + 0.25 * shrink) / n);
  const [low, high] = [(middle - half) / (1 + shrink), (middle + half) / (1 + shrink)];
  return [Math.min(Math.max(low, 0), p), Math.max(Math.min(high, 1), p)];
}

// The ends of the error bar of a number: Wilson's for shares, else 1.96 errors to either side.
function bar(about, difference, value, mcse, n) {
  if (about.bars === "wilson" && !difference) return n > 0 ? wilson(value, n) : [NaN, NaN];
  return about.bars === "none" ? [NaN, NaN] : [value - Z * mcse, value + Z * mcse];
}

// All rows of a choice: one for each series and scenario that it keeps. Those without a value are
// counted, not made.
function rowsOf(choice) {
  const about = measures.find((one) => one.value === choice.measure);
  const difference = choice.table === "differences";
  const kept = scenariosOf(choice);
  const rows = [];
  let empty = 0;
  for (const { number, codes } of seriesKept(choice)) {
    for (const s of kept) {
      const n = countAt(number, s);
      if (n < 0) continue;
      const value = valueAt(number, s);
      if (!Number.isFinite(value)) {
        empty++;
        continue;
      }
      const mcse = mcseAt(number, s);
      const [low, high] = bar(about, difference, value, mcse, n);
      rows.push({ s, number, codes, value, mcse, n, low, high, true: trueOf(codes.model, codes.term, s) });
    }
  }
  return { rows, empty };
}

function scenariosOf(choice) {
  const wanted = head.factors.map((factor) => {
    const keep = choice.only[factor.value];
    return keep && factor.levels.map((level) => keep.includes(String(level)));
  });
  const kept = [];
  for (let s = 0; s < scenarios; s++) {
    if (head.factors.every((factor, f) => !wanted[f] || wanted[f][factor.of[s]])) kept.push(s);
  }
  return kept;
}

function seriesKept(choice) {
  return seriesOf(choice.table, choice.measure).filter(({ codes }) =>
    keysOf(choice.table).every((key) => {
      const keep = choice.only[BY + key];
      return !keep || keep.includes(head.values[key][codes[key]].value);
    }),
  );
}

// The place of a row among the values of a variable.
const codeOf = (row, variable) =>
  isFactor(variable) ? factors.get(variable).of[row.s] : row.codes[keyOf(variable)];
// A value where the variable is not named beside it.
const namedOf = (variable, code) => (isFactor(variable) ? factors.get(variable).named : options(variable).map((one) => one.words))[code];
const wordsOf = (row, variable) => options(variable)[codeOf(row, variable)]?.words ?? "";

// The intervals of a hundred replicates of a row's term, nearest to the true value first.
const zips = new Map((head.zip?.series ?? []).map((codes, i) => [codes.join(), i]));
function intervalsOf(row) {
  const series = zips.get((head.zip?.keys ?? []).map((key) => row.codes[key]).join());
  if (series === undefined) return [];
  const start = (series * scenarios + row.s) * 2 * head.points;
  const found = [];
  for (let i = 0; i < head.points; i++) {
    const [low, high] = [limits[start + i], limits[start + head.points + i]];
    if (Number.isNaN(low)) break;
    found.push({ low, high });
  }
  return found.map((one, i) => ({
    ...one,
    row,
    centile: (100 * (i + 0.5)) / found.length,
    covers: one.low <= row.true && row.true <= one.high,
  }));
}
