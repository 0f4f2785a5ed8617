// What the reader chose. The address has it: a control writes the address, and what is drawn is
// read from there, so a link shows the same.

const FORMS = {
  lines: "Lines with error bars",
  nested: "Nested loop",
  lollipop: "Lollipop",
  heat: "Heat map",
  zip: "Zip plot",
  table: "Table",
};
const PLACES = { x: "x axis", colour: "Colour", mark: "Marks and dashes", columns: "Panels side by side", rows: "Panels one below the other" };
const NONE = "-";
const MOST_NESTED = 600; // scenarios of which a nested loop is legible
const MOST_BESIDE = 6; // panels in a row or column, unless a reader wants more

const shownTables = head.tables.filter((table) => table.value !== "truth" && table.series.length);

// The variables that tell the rows of a table apart, with the values that they have there.
const variablesOf = remembering((table, measure) => {
  const series = seriesOf(table, measure);
  const keys = keysOf(table).map((key) => {
    const found = new Set(series.map((one) => one.codes[key]));
    return { variable: BY + key, values: options(BY + key).filter((_, place) => found.has(place)) };
  });
  const grid = head.factors.map((factor) => ({ variable: factor.value, values: options(factor.value) }));
  return [...grid, ...keys];
});

function defaults(table, measure) {
  const variables = variablesOf(table, measure);
  const several = (variable) => (variables.find((one) => one.variable === variable)?.values.length ?? 0) > 1;
  const grid = head.factors.filter((factor) => factor.levels.length > 1);
  const x = grid.find((factor) => factor.value === "units") ?? grid.find((factor) => factor.numeric) ?? grid[0];
  const others = grid.filter((factor) => factor !== x).map((factor) => factor.value);
  const inPanels = others.filter((name) => factors.get(name).levels.length <= MOST_BESIDE);
  const keys = ["model", "inference", "method"].map((key) => BY + key).filter(several);
  const axis = x?.value ?? keys.shift() ?? BY + "model";
  const colour = keys.find((one) => one !== BY + "method") ?? keys[0] ?? NONE;
  const left = keys.filter((one) => one !== colour);
  const mark = left.find((one) => one === BY + "method") ?? left[0] ?? NONE;
  const only = narrowed(table, measure, [...SINGLE], {});
  const form = others.length > 2 && scenarios <= MOST_NESTED ? "nested" : "lines";
  return { table, measure, form, x: axis, colour, mark, columns: inPanels[0] ?? NONE, rows: inPanels[1] ?? NONE, only };
}

// Of these a reader sees one at a time, at first.
const SINGLE = new Set(["term", "policy", "criterion", "statistic", "outcome", "factor", "against"].map((key) => BY + key));

// The values of keys to be shown: of each key in turn those that are wanted, where there are series
// that have them and what the keys before it have; else the usual one of a key of `SINGLE`.
function narrowed(table, measure, variables, wanted) {
  let series = seriesOf(table, measure);
  const only = {};
  for (const variable of variables.filter((one) => keysOf(table).includes(keyOf(one)))) {
    const codeIn = (one) => one.codes[keyOf(variable)];
    if (new Set(seriesOf(table, measure).map(codeIn)).size < 2) continue;
    const left = new Set(series.map(codeIn));
    const found = options(variable).filter((_, place) => left.has(place));
    const kept = (wanted[variable] ?? []).filter((value) => found.some((one) => one.value === value));
    if (kept.length) only[variable] = kept;
    else if (SINGLE.has(variable)) only[variable] = [usual(variable, found)];
    else continue;
    series = series.filter((one) => only[variable].includes(options(variable)[codeIn(one)].value));
  }
  return only;
}

// Where no series has all that is chosen, what was chosen last counts, and the rest follows.
function settled(choice, last) {
  if (seriesKept(choice).length) return choice;
  const others = [...SINGLE, ...Object.keys(choice.only)].filter((one) => one !== last && !isFactor(one));
  const order = [...new Set([...(isFactor(last) ? [] : [last]), ...others])];
  const grid = Object.entries(choice.only).filter(([variable]) => isFactor(variable));
  return { ...choice, only: { ...Object.fromEntries(grid), ...narrowed(choice.table, choice.measure, order, choice.only) } };
}

// The first value; of terms the last coefficient, which is what most studies are about.
function usual(variable, values) {
  const coefficients = variable === BY + "term" ? values.filter((one) => one.kind === "coefficient") : [];
  return (coefficients.at(-1) ?? values[0]).value;
}

function usualMeasure(table) {
  const found = measuresOf(table).map((one) => one.value);
  return ["coverage", "bias"].find((one) => found.includes(one)) ?? found[0];
}

// The choice that an address makes, and what it asks for in vain.
function read(hash) {
  const asked = new URLSearchParams(hash.replace(/^#/, ""));
  const vain = [];
  const pick = (name, allowed, usual) => {
    const wanted = asked.get(name);
    if (wanted === null || allowed.includes(wanted)) return wanted ?? usual;
    vain.push(`${name} '${wanted}'`);
    return usual;
  };
  const table = pick("table", shownTables.map((one) => one.value), shownTables[0].value);
  const measure = pick("measure", measuresOf(table).map((one) => one.value), usualMeasure(table));
  const choice = defaults(table, measure);
  const variables = variablesOf(table, measure);
  choice.form = pick("form", Object.keys(FORMS), choice.form);
  for (const place of Object.keys(PLACES)) {
    const allowed = [...(place === "x" ? [] : [NONE]), ...variables.map((one) => one.variable)];
    choice[place] = pick(place, allowed, choice[place]);
  }
  for (const name of asked.keys()) {
    const variable = name.startsWith("only.") ? name.slice(5) : null;
    if (variable === null) {
      if (!["table", "measure", "form", ...Object.keys(PLACES)].includes(name)) vain.push(`'${name}'`);
      continue;
    }
    const known = variables.find((one) => one.variable === variable)?.values;
    const wanted = asked.getAll(name);
    const kept = wanted.filter((value) => known?.some((one) => one.value === value));
    if (wanted.includes("")) delete choice.only[variable];
    else if (kept.length) choice.only[variable] = kept;
    else vain.push(`${variable} '${wanted.join(", ")}'`);
  }
  return { choice, vain };
}

// The address of a choice: all of it, so that a link stays what it is.
function written(choice) {
  const asked = new URLSearchParams();
  for (const name of ["table", "measure", "form", ...Object.keys(PLACES)]) asked.set(name, choice[name]);
  const usual = defaults(choice.table, choice.measure).only;
  for (const variable of new Set([...Object.keys(usual), ...Object.keys(choice.only)])) {
    for (const value of new Set(choice.only[variable] ?? [""])) asked.append(`only.${variable}`, value);
  }
  return `#${asked}`;
}

// A choice with another table or measure keeps what the new one has too.
function withMeasure(choice, table, measure) {
  const changed = defaults(table, measure);
  const variables = variablesOf(table, measure);
  const has = (variable) => variable === NONE || variables.some((one) => one.variable === variable);
  if (choice.table === table) {
    for (const place of Object.keys(PLACES)) if (has(choice[place])) changed[place] = choice[place];
  }
  changed.form = choice.form;
  const before = new Map(variablesOf(choice.table, choice.measure).map((one) => [one.variable, one.values.length]));
  for (const { variable, values } of variables) {
    const kept = choice.only[variable]?.filter((value) => values.some((one) => one.value === value));
    if (kept?.length) changed.only[variable] = kept;
    else if (!choice.only[variable] && before.get(variable) > 1) delete changed.only[variable];
  }
  return settled(changed, BY + "term");
}
