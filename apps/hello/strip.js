// The strip "who answered?": asks /whoami once a second and paints every answer.
const EVERY_MS = 1000;
const LATE_MS = 2000;
const STOP_AFTER_MS = 10 * 60 * 1000; // a forgotten projector must not ask all night
const CELLS = 60;

const find = (id) => document.getElementById(id);
const counters = new Map();
let asking = false;
let paused = false;
let stopAt = 0;

function addCell(sign, label) {
  const cell = document.createElement("li");
  cell.className = "cell";
  cell.textContent = sign;
  cell.title = `${label} ${new Date().toLocaleTimeString("id-ID")}`;
  find("strip").append(cell);
  if (find("strip").children.length > CELLS) find("strip").firstChild.remove();
  return cell;
}

function addCounter(host) {
  const item = document.createElement("li");
  const sample = document.createElement("b");
  sample.className = "cell";
  sample.setAttribute("aria-hidden", "true");
  sample.style.background = colourOf(host);
  sample.textContent = initial(host);
  const counter = document.createElement("b");
  counter.className = "count";
  item.append(sample, ` ${host} `, counter);
  find("failures").before(item);
  counters.set(host, counter);
  return counter;
}

const initial = (host) => [...host][0].toUpperCase();
const addOne = (counter) => (counter.textContent = Number(counter.textContent) + 1);

function answered(host) {
  addCell(initial(host), host).style.background = colourOf(host);
  addOne(counters.get(host) ?? addCounter(host));
}

function failed(reason) {
  addCell("×", reason).classList.add("failed");
  addOne(find("failures").querySelector(".count"));
}

async function ask() {
  try {
    const reply = await fetch("whoami", { cache: "no-store", signal: AbortSignal.timeout(LATE_MS) });
    if (reply.status !== 200) return failed(reply.status);
    answered((await reply.json()).host);
  } catch (error) {
    failed(error.name);
  }
}

function pause(wanted) {
  paused = wanted;
  stopAt = Date.now() + STOP_AFTER_MS;
  find("pause").innerHTML = paused ? 'Lanjut <i lang="en">Resume</i>' : 'Jeda <i lang="en">Pause</i>';
}

// One question at a time: a slow server is not asked any harder.
async function tick() {
  if (Date.now() > stopAt) pause(true);
  if (paused || asking || document.hidden) return;
  asking = true;
  await ask();
  asking = false;
}

const started = find("started");
started.textContent = new Date(started.dateTime).toLocaleString("id-ID", {
  day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
});
find("live").hidden = false;
find("pause").onclick = () => pause(!paused);
pause(false);
tick();
setInterval(tick, EVERY_MS);
