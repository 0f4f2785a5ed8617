// The controls: each shows what the address says, and writes there what the reader wants.

function go(choice) {
  const address = written(choice);
  if (address === location.hash) render();
  else location.hash = address;
}

const currentChoice = () => read(location.hash).choice;

function change(edit) {
  const choice = currentChoice();
  go(edit(choice) ?? choice);
}

// A list to choose one value from: [value, words, group].
function chooser(id, label, entries, chosen, choose, kind = "") {
  const select = node("select", { id });
  const groups = new Map();
  for (const [value, words, group = ""] of entries) {
    const option = node("option", { value }, words);
    option.selected = value === chosen;
    if (!group) {
      select.append(option);
      continue;
    }
    if (!groups.has(group)) {
      groups.set(group, node("optgroup", { label: group }));
      select.append(groups.get(group));
    }
    groups.get(group).append(option);
  }
  select.onchange = () => choose(select.value);
  return node("label", { for: id, class: kind }, label, select);
}

// Boxes to tick, for a variable whose values stand side by side.
function boxes(variable, values, kept, choose) {
  const ticked = (value) => !kept || kept.includes(value);
  const box = ({ value, words }) => {
    const input = node("input", { type: "checkbox", id: `box-${variable}-${value}` });
    input.checked = ticked(value);
    input.onchange = () => {
      const now = values.map((one) => one.value).filter((one) => (one === value ? input.checked : ticked(one)));
      choose(now.length === values.length ? null : now.length ? now : kept ?? null);
    };
    return node("label", { for: input.id }, input, words);
  };
  const all = node("button", { type: "button", onclick: () => choose(null), "aria-label": `all of ${title(variable)}` }, "all");
  return node("fieldset", { id: `only-${variable}` }, node("legend", {}, `${title(variable)} `, kept ? all : ""), node("div", {}, ...values.map(box)));
}

const KINDS = { coefficient: "Coefficients", sd: "Standard deviations", cor: "Correlations", sigma: "Residual", test: "F tests", ratio_test: "Likelihood ratio tests", unit_coefficient: "Coefficients of units" };
const groupOf = (one) => (one.kind === undefined ? "" : KINDS[one.kind] ?? (one.kind ? "Further" : ""));

const narrowDown = (variable, value) =>
  change((choice) => {
    if (value === "") delete choice.only[variable];
    else choice.only[variable] = [value];
    return settled(choice, variable);
  });

const keep = (variable, values) =>
  change((choice) => {
    if (values === null) delete choice.only[variable];
    else choice.only[variable] = values;
    return settled(choice, variable);
  });

function single({ variable, values }, choice) {
  const kept = choice.only[variable];
  const some = kept && kept.length > 1 ? [["some", `${kept.length} of ${values.length}`]] : [];
  const entries = [...some, ["", "all"], ...values.map((one) => [one.value, one.words, variable === BY + "term" ? groupOf(one) : ""])];
  const chosen = some.length ? "some" : kept?.[0] ?? "";
  return chooser(`only-${variable}`, title(variable), entries, chosen, (value) => value !== "some" && narrowDown(variable, value), variable === BY + "term" ? "wide" : "");
}

function buildControls(choice) {
  const focused = document.activeElement?.id;
  const variables = variablesOf(choice.table, choice.measure).filter((one) => one.values.length > 1);
  const placed = new Set(Object.keys(PLACES).map((place) => choice[place]));
  const term = variables.find((one) => one.variable === BY + "term");
  const others = variables.filter((one) => one !== term && !isFactor(one.variable) && !placed.has(one.variable));
  byId("main-controls").replaceChildren(
    chooser("table", "Results", shownTables.map((one) => [one.value, one.words]), choice.table, (value) => change((old) => withMeasure(old, value, usualMeasure(value))), "wide"),
    chooser("measure", "Measure", measuresOf(choice.table).map((one) => [one.value, one.label.replace("{level}", "").replace(" at {alpha}", "").replace(/ {2,}/g, " ")]), choice.measure, (value) => change((old) => withMeasure(old, old.table, value)), "wide"),
    ...(term && !placed.has(term.variable) ? [single(term, choice)] : []),
    chooser("form", "Form", Object.entries(FORMS), choice.form, (form) => change((old) => ({ ...old, form }))),
    ...others.map((one) => single(one, choice)),
  );
  const entries = variables.map(({ variable }) => [variable, title(variable)]);
  const axis = (place) => (choice.form === "heat" && place === "colour" ? "Vertical axis" : PLACES[place]);
  byId("layout").lastElementChild.replaceChildren(
    ...Object.keys(PLACES).map((place) =>
      chooser(place, axis(place), place === "x" && entries.length ? entries : [[NONE, "none"], ...entries], choice[place], (value) => change((old) => placedAt(old, place, value))),
    ),
  );
  const filters = variables.filter((one) => isFactor(one.variable) || placed.has(one.variable));
  byId("filters").lastElementChild.replaceChildren(
    ...filters.map(({ variable, values }) => boxes(variable, values, choice.only[variable], (kept) => keep(variable, kept))),
  );
  byId("layout").hidden = !entries.length;
  byId("filters").hidden = !filters.length;
  if (focused) byId(focused)?.focus();
}

// A variable has one place: the one that it leaves gets what was here. One that gets a place shows
// all its values.
function placedAt(choice, place, value) {
  const before = choice[place];
  const changed = { ...choice, only: { ...choice.only }, [place]: value };
  for (const other of Object.keys(PLACES)) {
    if (other !== place && choice[other] === value && value !== NONE) changed[other] = other === "x" && before === NONE ? choice[other] : before;
  }
  if (changed.x === NONE) changed.x = value;
  if (changed.only[value]?.length === 1) delete changed.only[value];
  return changed;
}
