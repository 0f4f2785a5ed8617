// The page as a whole: the address is read, and all of it is drawn.

const dark = matchMedia("(prefers-color-scheme: dark)");

function pictureOf(choice, rows, width, look) {
  const drawn = rows.length && choice.form !== "table" ? DRAW[choice.form](choice, rows, { width, look }) : { charts: [], points: [], entries: [], notes: [], bars: "" };
  const below = sameOf(choice, rows).join(" \u00b7 ");
  const picture = composed({ heading: labelOf(choice, rows), below, entries: drawn.entries, charts: drawn.charts, width, look });
  return { picture, drawn };
}

function render() {
  const { choice, vain } = read(location.hash);
  buildControls(choice);
  const { rows, empty } = rowsOf(choice);
  const chart = byId("chart");
  const width = Math.max(chart.clientWidth, 280);
  const { picture, drawn } = pictureOf(choice, rows, width, dark.matches ? LOOKS.dark : LOOKS.light);
  chart.replaceChildren(choice.form === "table" ? tableOf(choice, rows) : picture);
  const isTable = choice.form === "table";
  byId("hint").hidden = isTable;
  byId("svg").disabled = isTable || !drawn.charts.length;
  chart.setAttribute("tabindex", isTable ? "-1" : "0");
  chart.setAttribute("aria-label", [labelOf(choice, rows), FORMS[choice.form], ...sameOf(choice, rows)].join(", "));
  readFrom(choice, drawn.points);
  byId("mistakes").hidden = !vain.length;
  byId("mistakes").textContent = vain.length ? `The address asks for what this page has not, or has not for this measure: ${vain.join("; ")}. What is usual is shown in its place.` : "";
  byId("notes").replaceChildren(...notesOf(choice, rows, empty, drawn).map((note) => node("p", {}, note)));
  byId("said").textContent = `${whole(rows.length)} numbers: ${labelOf(choice, rows)}`;
  fillNumbers(choice, rows);
  document.documentElement.dataset.drawn = location.hash || "#";
}

// The table below the picture is made only when it is opened.
function fillNumbers(choice, rows) {
  const details = byId("numbers");
  details.hidden = choice.form === "table";
  const fill = () => details.lastElementChild.replaceChildren(...(details.open ? [tableOf(choice, rows)] : []));
  details.ontoggle = fill;
  fill();
}

function about() {
  const replicates = d3.extent(head.replicates).map(whole);
  const each = replicates[0] === replicates[1] ? replicates[0] : replicates.join(" to ");
  byId("title").textContent = `Study ${head.study}`;
  byId("about").textContent = `${whole(scenarios)} ${scenarios === 1 ? "scenario" : "scenarios"} of ${each} replicates, made by hlm ${head.versions.hlm ?? "of another version"}${head.versions.hlm === head.made_by ? "" : `; this page by hlm ${head.made_by}`}.`;
  const entries = [
    ["Seed", head.seed],
    ["Study file", head.hash],
    ...head.models.map((model) => [`Model ${model.value}`, model.formula]),
    ["Results made with", Object.entries(head.versions).map((one) => one.join(" ")).join(", ") || "not said"],
    ["Page made by", `hlm ${head.made_by}, with ${head.libraries}`],
    ["Left out, for want of room", head.left_out.join(", ") || "nothing"],
  ];
  byId("origin").lastElementChild.replaceChildren(
    node("dl", {}, ...entries.flatMap(([name, words]) => [node("dt", {}, name), node("dd", {}, String(words))])),
  );
}

const MARGIN = 12; // of a picture that is saved

function savePicture() {
  const choice = currentChoice();
  const width = Math.max(byId("chart").clientWidth, 280);
  const { picture } = pictureOf(choice, rowsOf(choice).rows, width, LOOKS.light);
  const [wide, high] = ["width", "height"].map((side) => +picture.getAttribute(side) + 2 * MARGIN);
  const box = { width: wide, height: high };
  picture.insertBefore(element("rect", { x: -MARGIN, y: -MARGIN, ...box, fill: LOOKS.light.paper }), picture.firstChild);
  for (const [name, value] of Object.entries({ ...box, viewBox: `${-MARGIN} ${-MARGIN} ${wide} ${high}` })) picture.setAttribute(name, value);
  save(new XMLSerializer().serializeToString(picture), "image/svg+xml", "svg");
}

function saveNumbers() {
  const choice = currentChoice();
  save(csvOf(choice, rowsOf(choice).rows), "text/csv", "csv");
}

byId("svg").onclick = savePicture;
byId("csv").onclick = saveNumbers;
byId("reset").onclick = () => go(defaults(shownTables[0].value, usualMeasure(shownTables[0].value)));
byId("chart").addEventListener("pointermove", pointed);
byId("chart").addEventListener("pointerleave", () => show(-1, false));
byId("chart").addEventListener("keydown", keyed);
byId("chart").addEventListener("blur", () => show(-1, false));
addEventListener("hashchange", render);
dark.addEventListener("change", render);

// Wide pages have room for all controls; on narrow ones they are folded.
for (const id of ["layout", "filters"]) byId(id).open = innerWidth > 760;
about();
render();
let drawnAt = byId("chart").clientWidth;
new ResizeObserver(() => {
  if (Math.abs(byId("chart").clientWidth - drawnAt) < 8) return;
  drawnAt = byId("chart").clientWidth;
  render();
}).observe(byId("chart"));
