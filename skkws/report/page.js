"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
// What is chosen stands behind the # of the address, so that a link leads to a cell: #model=..&true=..&predicted=..
const address = new URLSearchParams(location.hash.slice(1));

function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// Theme

const themeButton = document.getElementById("theme");

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");
const other = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark" ? "light" : "dark";

function nameOther() {
  themeButton.textContent = other() === "dark" ? "Dark theme" : "Light theme";
}

if (["dark", "light"].includes(address.get("theme"))) root.dataset.theme = address.get("theme");
nameOther();
system.addEventListener("change", nameOther);
themeButton.addEventListener("click", () => {
  root.dataset.theme = other();
  nameOther();
});

// Tables sorted by a column

for (const table of document.querySelectorAll(".sortable")) {
  const headers = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  headers.forEach((header, column) => header.firstElementChild.addEventListener("click", () => {
    const ascending = header.getAttribute("aria-sort") !== "ascending";
    headers.forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const compare = (a, b) => "value" in a.dataset
      ? a.dataset.value - b.dataset.value
      : a.textContent.localeCompare(b.textContent, undefined, { numeric: true });
    const rows = [...body.rows].sort((a, b) => (ascending ? 1 : -1) * compare(a.cells[column], b.cells[column]));
    body.append(...rows);
  }));
}

// Sound: one clip at a time

const player = new Audio();
let playing = null; // the button of the clip that is playing

function stop() {
  player.pause();
  if (!playing) return;
  playing.textContent = "Play";
  playing.cursor.style.visibility = "hidden";
  playing = null;
}

function play(button, clip) {
  const again = playing !== button;
  stop();
  if (!again) return;
  playing = button;
  button.textContent = "Stop";
  player.src = clip.audio;
  player.play().then(follow, stop);
}

function follow() {
  if (!playing) return;
  playing.cursor.style.visibility = "visible";
  playing.cursor.style.left = `${100 * player.currentTime / player.duration}%`;
  requestAnimationFrame(follow);
}

player.addEventListener("ended", stop);

// From silence to loud, light on dark, so that lightness alone tells it
const ramp = [[10, 10, 30], [58, 20, 94], [135, 36, 106], [207, 72, 70], [245, 142, 52], [252, 226, 140]];

function colour(level) {
  const place = level / 255 * (ramp.length - 1);
  const k = Math.min(Math.floor(place), ramp.length - 2);
  return ramp[k].map((low, i) => low + (place - k) * (ramp[k + 1][i] - low));
}

function drawSpectrogram(canvas, clip) {
  const levels = Uint8Array.from(atob(clip.spectrogram), (letter) => letter.charCodeAt(0));
  canvas.width = levels.length / clip.bands;
  canvas.height = clip.bands;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  levels.forEach((level, i) => {
    const frame = Math.floor(i / clip.bands);
    const row = clip.bands - 1 - i % clip.bands;
    image.data.set([...colour(level), 255], 4 * (row * canvas.width + frame));
  });
  context.putImageData(image, 0, 0);
}

// Confusion matrix

const modelChoice = document.getElementById("model");
const matrixBox = document.getElementById("matrix");
const clipsBox = document.getElementById("clips");

function showMatrix() {
  const model = data.models[modelChoice.value];
  const cells = new Map(model.cells.map(([row, column, ...rest]) => [`${row},${column}`, rest]));
  const shares = model.counts.map((row) => row.map((n) => n / (row.reduce((a, b) => a + b, 0) || 1)));
  const most = Math.max(...shares.flatMap((row, i) => row.filter((_, j) => i !== j))) || 1;
  const head = make("tr", {}, make("td"), ...data.labels.map((label) => make("th", { scope: "col" }, label)));
  const body = model.counts.map((row, i) => make("tr", {}, make("th", { scope: "row" }, data.labels[i]),
    ...row.map((n, j) => {
      if (i === j) return make("td", { className: "right" }, String(n));
      if (!n) return make("td");
      const button = make("button", { type: "button", tabIndex: -1 }, String(n));
      button.dataset.row = i;
      button.dataset.column = j;
      button.style.setProperty("--share", shares[i][j] / most);
      button.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-label",
        `${n} of ${data.labels[i]} predicted as ${data.labels[j]}, ${(100 * shares[i][j]).toFixed(1)}%`);
      button.title = button.getAttribute("aria-label");
      button.addEventListener("click", () => choose(button, model, cells.get(`${i},${j}`)));
      return make("td", {}, button);
    })));
  const times = data.repeats > 1 ? `, ${data.repeats} repeats added up` : "";
  const table = make("table", { className: "matrix" },
    make("caption", {}, `${model.name}: true labels (rows) and predicted ones (columns)${times}`),
    make("thead", {}, head), make("tbody", {}, ...body));
  matrixBox.replaceChildren(table);
  matrixBox.parentElement.classList.toggle("narrow", data.labels.length <= 12);
  table.addEventListener("keydown", moveFocus);
  const first = table.querySelector("button");
  if (first) first.tabIndex = 0;
  stop();
  clipsBox.replaceChildren(make("p", { className: "note" },
    first ? "No cell is selected." : `${model.name} misclassified no clip.`));
}

const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

// The nearest cell with mistakes in the direction of the arrow, in the same row or column where there is one
function moveFocus(event) {
  const step = steps[event.key];
  if (!step || event.target.tagName !== "BUTTON") return;
  event.preventDefault();
  const place = (button) => [Number(button.dataset.row), Number(button.dataset.column)];
  const from = place(event.target);
  let nearest = null;
  let least = Infinity;
  for (const button of matrixBox.querySelectorAll("button")) {
    const [down, across] = place(button).map((to, k) => to - from[k]);
    const ahead = down * step[0] + across * step[1];
    const aside = Math.abs(down * step[1]) + Math.abs(across * step[0]);
    if (ahead > 0 && ahead + 100 * aside < least) {
      least = ahead + 100 * aside;
      nearest = button;
    }
  }
  if (nearest) focusOn(nearest);
}

function focusOn(button) {
  for (const other of matrixBox.querySelectorAll("button")) other.tabIndex = other === button ? 0 : -1;
  button.focus();
}

function choose(button, model, [count, clips]) {
  stop();
  for (const other of matrixBox.querySelectorAll("button")) {
    other.setAttribute("aria-pressed", String(other === button));
    other.tabIndex = other === button ? 0 : -1;
  }
  const truth = data.labels[button.dataset.row];
  const predicted = data.labels[button.dataset.column];
  const noun = count === 1 ? "clip" : "clips";
  const parts = [`${count} ${noun} of “${truth}” predicted as “${predicted}” by ${model.name}.`];
  if (clips.length < count) parts.push(`${clips.length} of them are listed${clips[0][1] ? ", the most confident mistakes first" : ""}.`);
  if (!data.recordings) parts.push("This report was written without recordings, so none can be played.");
  const items = clips.map(([clip, probability]) => describe(data.clips[clip], probability));
  const silent = clips.filter(([clip]) => !data.clips[clip].audio).length;
  if (data.recordings && silent) parts.push(`To keep this file small, ${silent} of them cannot be played.`);
  clipsBox.replaceChildren(
    make("h3", {}, `“${truth}” predicted as “${predicted}”`),
    make("p", { className: "note" }, parts.join(" ")),
    make("ul", { className: "clips" }, ...items.filter((item) => item.querySelector("button"))),
    make("ul", { className: "silent" }, ...items.filter((item) => !item.querySelector("button"))));
  const chosen = new URLSearchParams({ model: model.name, true: truth, predicted });
  if (address.has("theme")) chosen.set("theme", address.get("theme"));
  history.replaceState(null, "", `#${chosen}`);
}

function describe(clip, probability) {
  const sure = probability === null ? "" : `, probability ${probability.toFixed(2)}`;
  const item = make("li");
  if (clip.audio) {
    const canvas = make("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Spectrogram of ${clip.name}, ${clip.seconds.toFixed(2)} seconds`);
    drawSpectrogram(canvas, clip);
    const cursor = make("i");
    item.append(make("div", { className: "sound" }, canvas, cursor));
    const button = make("button", { type: "button", cursor }, "Play");
    button.setAttribute("aria-label", `Play or stop ${clip.name}`);
    button.addEventListener("click", () => play(button, clip));
    item.append(make("h4", {}, clip.name), make("p", {}, `speaker ${clip.speaker}${sure}`), button);
  } else {
    item.append(clip.name, " ", make("span", {}, `speaker ${clip.speaker}${sure}`));
  }
  return item;
}

const asked = data.models.findIndex((model) => model.name === address.get("model"));
if (asked >= 0) modelChoice.value = asked;
modelChoice.addEventListener("change", showMatrix);
showMatrix();
const [row, column] = [address.get("true"), address.get("predicted")].map((label) => data.labels.indexOf(label));
const cell = matrixBox.querySelector(`button[data-row="${row}"][data-column="${column}"]`);
if (cell) cell.click();
