"use strict";
// The player follows the page and the page follows the player. Without scripts the links still work.

const stage = document.getElementById("stage");
const player = document.getElementById("player");
const still = document.getElementById("still");
const scenes = [...document.querySelectorAll(".scene")];
const cues = [...document.querySelectorAll(".cue")];
const shots = [...document.querySelectorAll(".shot")];
const heads = [...document.querySelectorAll("#timeline .head")];
const durationMs = Number(stage.dataset.duration);
// Rows count from the first picture, players from the zero of the container's clock.
const offsetMs = Number(stage.dataset.offset);
const frameMs = 1000 / (Number(stage.dataset.fps) || 25);
let chosenMs = Number(stage.dataset.start);
let isPlayable = player !== null;

function nowMs() {
  return isPlayable && player.readyState > 0 ? player.currentTime * 1000 - offsetMs : chosenMs;
}

function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

function addressOf(ms) {
  const address = new URL(location.href);
  address.searchParams.set("t", (Math.floor(ms) / 1000).toFixed(3).replace(/0{1,2}$/, ""));
  address.hash = "";
  return address.href;
}

function seek(ms) {
  chosenMs = Math.min(Math.max(0, ms), durationMs);
  if (isPlayable) player.currentTime = (chosenMs + offsetMs) / 1000;
  else still.src = `/picture/${stage.dataset.video}/${Math.round(chosenMs)}`;
  follow();
}

function jump(ms) {
  seek(ms);
  history.replaceState(null, "", addressOf(chosenMs));
}

function follow() {
  const ms = nowMs();
  const x = `${(100 * Math.min(ms / durationMs, 1)).toFixed(3)}%`;
  for (const head of heads) {
    head.setAttribute("x1", x);
    head.setAttribute("x2", x);
  }
  document.getElementById("now").textContent = clock(ms);
  for (const row of [...scenes, ...cues, ...shots]) {
    const isNow = Number(row.dataset.from) <= ms && ms < Number(row.dataset.to);
    if (isNow === row.classList.contains("now")) continue;
    if (isNow) showInList(row);
    row.classList.toggle("now", isNow);
    if (isNow) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

function showInList(row) {
  const list = row.parentElement; // scenes scroll by themselves on wide screens only
  const above = row.offsetTop - list.offsetTop;
  if (above < list.scrollTop || above + row.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = above - 8;
}

// Capitals and accents do not matter, as in the search over all videos.
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function findInCues(text) {
  const words = plain(text).split(/\s+/).filter(Boolean);
  let found = 0;
  for (const cue of document.querySelectorAll("#cue-list .cue")) {
    const said = plain(cue.querySelector(".words").textContent);
    cue.hidden = !words.every((word) => said.includes(word));
    found += !cue.hidden;
  }
  document.getElementById("said-none").hidden = found > 0;
}

const findInput = document.getElementById("said-find");
if (findInput) {
  findInput.hidden = false; // it needs scripts
  findInput.addEventListener("input", () => findInCues(findInput.value));
}

// A picture of the moment under the pointer, cut out of the strip's sheet.
const strip = document.getElementById("strip");
const timeline = document.getElementById("timeline");

function peek(event) {
  const box = strip.getBoundingClientRect();
  const share = (event.clientX - box.left) / box.width;
  const view = document.getElementById("peek");
  view.hidden = share < 0 || share > 1;
  if (view.hidden) return;
  const { tiles, columns, step } = Object.fromEntries(Object.entries(strip.dataset).map(([name, text]) => [name, Number(text)]));
  const [width, height] = strip.dataset.tile.split(" ").map(Number);
  const number = Math.min(tiles - 1, Math.floor((share * durationMs) / step));
  const x = (number % columns) * width;
  const y = Math.floor(number / columns) * height;
  view.firstElementChild.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
  view.lastElementChild.textContent = clock(share * durationMs);
  view.style.left = `${Math.min(Math.max(4, event.clientX - width / 2), innerWidth - width - 14)}px`;
  view.style.top = `${box.top - height - 34}px`;
}

if (strip) {
  timeline.addEventListener("pointermove", peek);
  timeline.addEventListener("pointerleave", () => (document.getElementById("peek").hidden = true));
}

function stepThroughScenes(step) {
  const starts = (scenes.length ? scenes : shots).map((scene) => Number(scene.dataset.from));
  const ms = nowMs();
  // A jump lands on the picture at or before the start, so "next" asks for a little more than now.
  const next = step > 0 ? starts.find((start) => start > ms + 100) : starts.findLast((start) => start < ms - 1000);
  if (next !== undefined) jump(next);
  else if (step < 0) jump(0);
}

async function copyLink() {
  const button = document.getElementById("copy");
  const address = addressOf(nowMs());
  history.replaceState(null, "", address);
  try {
    await navigator.clipboard.writeText(address);
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1500);
  } catch {
    // not allowed on plain http of another machine: the address bar has the link
  }
}

function toggle() {
  if (!isPlayable) return;
  if (player.paused) player.play().catch(() => {});
  else player.pause();
}

const keys = {
  " ": toggle,
  ArrowLeft: (event) => seek(nowMs() - (event.shiftKey ? 1000 : 5000)),
  ArrowRight: (event) => seek(nowMs() + (event.shiftKey ? 1000 : 5000)),
  ",": () => seek(nowMs() - frameMs),
  ".": () => seek(nowMs() + frameMs),
  j: () => stepThroughScenes(1),
  k: () => stepThroughScenes(-1),
  c: copyLink,
  m: () => isPlayable && (player.muted = !player.muted),
  f: () => (document.fullscreenElement ? document.exitFullscreen() : stage.requestFullscreen()),
  "?": () => document.getElementById("help").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (isTyping(event) || !Object.hasOwn(keys, event.key)) return;
  if (event.key === " " && event.target.closest("button, summary, a")) return; // space presses those
  event.preventDefault();
  keys[event.key](event);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-seek]");
  if (link && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
    event.preventDefault();
    jump(Number(link.dataset.seek));
    return;
  }
  const lane = event.target.closest("svg.lane, svg.ruler, #strip");
  if (lane) {
    event.preventDefault(); // where scripts run, a picture of the strip is a place on it, not a link
    const box = lane.getBoundingClientRect();
    jump((durationMs * (event.clientX - box.left)) / box.width);
  }
});

document.getElementById("copy").addEventListener("click", copyLink);
document.getElementById("keys").addEventListener("click", keys["?"]);

function goDark() {
  isPlayable = false;
  player.hidden = true;
  still.hidden = false;
  document.getElementById("dark").hidden = false;
  seek(chosenMs);
}

let hasRetried = false;

if (isPlayable) {
  const atStart = () => {
    if (Math.abs(nowMs() - chosenMs) > frameMs / 2) seek(chosenMs);
  };
  const begin = () => (player.videoWidth ? atStart() : goDark()); // sound alone: the picture's codec is unknown
  if (player.readyState > 0) begin();
  else player.addEventListener("loadedmetadata", begin, { once: true });
  for (const change of ["timeupdate", "seeking", "seeked"]) player.addEventListener(change, follow);
  player.addEventListener("playing", () => (hasRetried = false));
  player.addEventListener("error", () => {
    if (hasRetried || player.readyState === 0) return goDark();
    // A link into a bucket lasts an hour: ask for a new one, once, and go on where it broke off.
    hasRetried = true;
    chosenMs = nowMs();
    player.addEventListener("loadedmetadata", () => seek(chosenMs), { once: true });
    player.load();
  });
  if (player.error) goDark();
}
follow();
