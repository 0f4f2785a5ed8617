// A picture as one SVG: title, legend, charts one below the other. What is saved is what is seen.

const SVG = "http://www.w3.org/2000/svg";
const FONT = "system-ui, sans-serif";

// Okabe and Ito's colours, as in the figures of the study; on dark paper lighter ones.
const LOOKS = {
  light: {
    ink: "#222222", soft: "#595959", grid: "#e3e3e3", paper: "#ffffff", miss: "#d55e00",
    colours: ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#000000", "#56b4e9", "#d55e00", "#8c8c8c"],
  },
  dark: {
    ink: "#e8e8e8", soft: "#b0b0b0", grid: "#3a3f45", paper: "#16181b", miss: "#ff9a5c",
    colours: ["#56b4e9", "#f0b23f", "#2ec49a", "#e3a0c5", "#f0f0f0", "#3d8fd1", "#ff8a4c", "#a6a6a6"],
  },
};
const SYMBOLS = ["circle", "square", "triangle", "diamond", "star", "wye", "cross", "times"];
const DASHES = ["", "2 3", "7 3", "7 3 2 3", "1 5", "12 4"];

// How a row is drawn: its colour and symbol by one variable, filling and dashes by another.
function styleOf(choice, row, look) {
  const colour = choice.colour === NONE ? 0 : codeOf(row, choice.colour);
  const mark = choice.mark === NONE ? 0 : codeOf(row, choice.mark);
  return styleBy(colour, mark, look);
}

function styleBy(colour, mark, look) {
  return {
    colour: look.colours[colour % look.colours.length],
    symbol: SYMBOLS[colour % SYMBOLS.length],
    hollow: mark > 0,
    dash: DASHES[mark % DASHES.length],
  };
}

const measuring = document.createElement("canvas").getContext("2d");
function widthOf(text, size) {
  measuring.font = `${size}px ${FONT}`;
  return measuring.measureText(text).width;
}

function wrapped(text, size, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (lines.at(-1) && widthOf(longer, size) > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

function element(name, attributes = {}, text = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  return made;
}

// The entries of the legend: a line with its mark for each value that is drawn.
function legendOf(choice, rows, look) {
  const entries = [];
  const add = (variable, style) => {
    if (variable === NONE) return;
    const codes = [...new Set(rows.map((row) => codeOf(row, variable)))].sort((a, b) => a - b);
    if (codes.length < 2) return;
    entries.push({ heading: title(variable) });
    for (const code of codes) entries.push({ words: options(variable)[code].words, style: style(code) });
  };
  add(choice.colour, (code) => styleBy(code, 0, look));
  if (choice.mark !== choice.colour) {
    add(choice.mark, (code) => ({ ...styleBy(0, code, look), colour: look.ink }));
  }
  return entries;
}

function drawnEntry(entry, x, y, look) {
  const group = element("g", { transform: `translate(${x},${y})` });
  if (entry.heading) {
    group.append(element("text", { y: 4, fill: look.soft }, entry.heading));
    return group;
  }
  const { colour, symbol, hollow, dash } = entry.style;
  group.append(element("line", { x2: 26, stroke: colour, "stroke-width": 1.5, "stroke-dasharray": dash }));
  const path = d3.symbol(d3[`symbol${symbol[0].toUpperCase()}${symbol.slice(1)}`], 42)();
  group.append(element("path", { d: path, transform: "translate(13,0)", fill: hollow ? look.paper : colour, stroke: colour, "stroke-width": 1.5 }));
  group.append(element("text", { x: 32, y: 4, fill: look.ink }, entry.words));
  return group;
}

// Put a legend into lines as wide as the picture; return it with its height.
function laidOut(entries, width, look) {
  const group = element("g");
  let [x, y] = [0, 8];
  for (const entry of entries) {
    const own = entry.heading ? widthOf(entry.heading, 12) + 12 : widthOf(entry.words, 12) + 50;
    if (x > 0 && (x + own > width || entry.heading)) [x, y] = [0, y + 20];
    group.append(drawnEntry(entry, x, y, look));
    x += own;
  }
  return { group, height: entries.length ? y + 14 : 0 };
}

// One SVG of a title, a line below it, a legend and charts.
function composed({ heading, below, entries, charts, width, look }) {
  const picture = element("svg", { xmlns: SVG, "font-family": FONT, "font-size": 12, fill: look.ink, color: look.ink });
  let y = 18;
  const write = (text, size, attributes) => {
    for (const line of wrapped(text, size, width)) {
      picture.append(element("text", { y, "font-size": size, ...attributes }, line));
      y += 1.35 * size;
    }
  };
  write(heading, 15, { "font-weight": 600 });
  if (below) write(below, 12, { fill: look.soft });
  y += 2;
  const legend = laidOut(entries, width, look);
  legend.group.setAttribute("transform", `translate(0,${y})`);
  if (legend.height) picture.append(legend.group);
  y += legend.height;
  let wide = width;
  for (const chart of charts) {
    chart.setAttribute("y", y);
    picture.append(chart);
    y += +chart.getAttribute("height");
    wide = Math.max(wide, +chart.getAttribute("width"));
  }
  // Plot names its groups; nobody reads the name of what has no role.
  for (const unread of picture.querySelectorAll("[aria-label]:not([role])")) unread.removeAttribute("aria-label");
  picture.setAttribute("width", wide);
  picture.setAttribute("height", Math.ceil(y));
  picture.setAttribute("viewBox", `0 0 ${wide} ${Math.ceil(y)}`);
  return picture;
}
