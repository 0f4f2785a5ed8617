// Numbers and results in words.

const MINUS = "\u2212";
const aboutOf = (choice) => measures.find((one) => one.value === choice.measure);

// As many decimals as show two digits of an error.
function decimalsOf(error) {
  if (!(error > 0) || !Number.isFinite(error)) return null;
  return Math.min(Math.max(1 - Math.floor(Math.log10(error)), 0), 12);
}

function fixed(value, decimals) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "\u2013" : value > 0 ? "\u221e" : MINUS + "\u221e";
  const text = decimals === null ? String(+value.toPrecision(4)) : value.toFixed(decimals);
  return text.replace("-", MINUS);
}

const whole = (n) => n.toLocaleString("en");

// A relative error is shown as a percentage.
const scaleOf = (about) => (about.kind === "relative" ? 100 : 1);

function numbersOf(choice, row) {
  const scale = scaleOf(aboutOf(choice));
  const decimals = decimalsOf(scale * (row.mcse > 0 ? row.mcse : (row.high - row.low) / (2 * Z)));
  const unit = scale === 100 ? " %" : "";
  const write = (value) => fixed(scale * value, decimals) + unit;
  return {
    value: write(row.value),
    mcse: write(row.mcse),
    n: whole(row.n),
    bar: Number.isFinite(row.low + row.high) ? `${write(row.low)} to ${write(row.high)}` : "",
  };
}

// The level of the intervals, as the models shown have it.
function levelsOf(rows) {
  const places = new Set(rows.map((row) => row.codes.model));
  const names = [...places].map((place) => head.values.model[place].value);
  const found = head.models.filter((model) => names.includes(model.value));
  return [...new Set((found.length ? found : head.models).map((model) => model.level))];
}

const percent = (share) => `${+(100 * share).toPrecision(6)}%`;

function labelOf(choice, rows) {
  const levels = levelsOf(rows);
  const label = aboutOf(choice).label
    .replace("{level}", levels.map(percent).join(" or "))
    .replace("{alpha}", levels.map((level) => percent(1 - level)).join(" or "));
  return choice.table === "differences" ? `Difference: ${label[0].toLowerCase()}${label.slice(1)}` : label;
}

// The variables in which rows differ.
function varying(choice, rows) {
  return variablesOf(choice.table, choice.measure)
    .map((one) => one.variable)
    .filter((variable) => rows.some((row) => codeOf(row, variable) !== codeOf(rows[0], variable)));
}

// What is the same in all rows, for a line below the title.
function sameOf(choice, rows) {
  const all = variablesOf(choice.table, choice.measure);
  return all
    .filter(({ variable, values }) => {
      if (!rows.length || rows.some((row) => codeOf(row, variable) !== codeOf(rows[0], variable))) return false;
      return values.length > 1 || variable === BY + "term" || variable === BY + "model";
    })
    .map(({ variable }) => `${title(variable)}: ${wordsOf(rows[0], variable)}`);
}

// A row in words: what tells it from others first.
function placeOf(choice, row) {
  return variablesOf(choice.table, choice.measure)
    .filter(({ values }) => values.length > 1)
    .map(({ variable }) => `${title(variable)}: ${wordsOf(row, variable)}`);
}

function sentenceOf(choice, point) {
  const place = placeOf(choice, point.row).join(", ");
  if ("centile" in point) {
    const missed = point.covers ? "covers" : "misses";
    return `${fixed(point.low, null)} to ${fixed(point.high, null)}, ${missed} the true value ${fixed(point.row.true, null)}, centile ${point.centile}; ${place}`;
  }
  const said = numbersOf(choice, point.row);
  return `${said.value}, MCSE ${said.mcse}, n ${said.n}; ${place}`;
}

// What a reader must know beside the picture.
function notesOf(choice, rows, empty, drawn) {
  const notes = [...drawn.notes];
  if (!rows.length) notes.push("No result has all that is chosen here.");
  if (empty) notes.push(`${whole(empty)} ${empty === 1 ? "place has" : "places have"} no number for this measure (no fit, no true value, or no limits).`);
  const few = rows.filter((row) => row.n < head.replicates[row.s]);
  if (few.length) {
    const ends = d3.extent(few, (row) => row.n).map(whole);
    const span = ends[0] === ends[1] ? ends[0] : `${ends[0]} to ${ends[1]}`;
    notes.push(`${whole(few.length)} of ${whole(rows.length)} numbers do not rest on all replicates, but on ${span}.`);
  }
  if (drawn.bars) notes.push(drawn.bars);
  return notes;
}

function barsNote(choice, about) {
  if (about.bars === "none") return "This measure has no Monte Carlo standard error.";
  if (about.bars === "wilson" && choice.table !== "differences") return "Bars: 95% limits of the share (Wilson).";
  return "Bars: 1.96 Monte Carlo standard errors to either side.";
}
