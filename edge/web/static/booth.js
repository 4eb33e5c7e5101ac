// What the booth's pages do beyond HTML: function keys, scanners, change, plates by touch.
"use strict";

// F1 … F12 press what carries data-fkey, first in the lane that needs somebody.
document.addEventListener("keydown", (event) => {
  if (!/^F([1-9]|1[0-2])$/.test(event.key) || document.getElementById("confirm").open) return;
  const urgent = document.querySelector(`.lane.pay [data-fkey="${event.key}"], .lane.ask [data-fkey="${event.key}"], .lane.refused [data-fkey="${event.key}"]`);
  const target = urgent || document.querySelector(`[data-fkey="${event.key}"]`);
  if (!target) return;
  event.preventDefault();
  target.click();
});

// A screen that nobody touches locks itself; the server ends the session by itself as well.
const lock = document.getElementById("lock");
if (lock) {
  const idleMs = Number(lock.dataset.lockMin) * 60000;
  let touched = Date.now();
  ["pointerdown", "keydown"].forEach((kind) => document.addEventListener(kind, () => (touched = Date.now()), true));
  setInterval(() => Date.now() - touched >= idleMs && lock.requestSubmit(), 5000);
}

// Many lanes: a bar shows the state of each, wherever the page is scrolled to.
const chips = [...document.querySelectorAll("[data-chip]")];
const showChips = () =>
  chips.forEach((chip) => {
    const lane = document.querySelector(`[data-part="${CSS.escape(chip.dataset.chip)}"] .lane`);
    if (!lane) return;
    const due = lane.querySelector(".due:not(.settled)");
    chip.className = lane.dataset.state;
    chip.querySelector("small").textContent = due ? due.lastChild.textContent.trim() : lane.querySelector(".lane-state").textContent;
  });
if (chips.length) {
  new MutationObserver(showChips).observe(document.querySelector("[data-lanes]"), { childList: true, subtree: true });
  showChips();
}

// A scanner types faster than a person and ends with Enter. Whose car it is for the server says, and tells where nobody knows.
const SCAN_GAP_MS = 80;
const SHORTEST_SCAN = 16; // digits of a payment code; whatever else is scanned is longer
let scanned = "";
let lastKey = 0;

document.addEventListener("keydown", (event) => {
  const form = document.getElementById("scan");
  if (!form || document.getElementById("confirm").open || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
  if (event.timeStamp - lastKey > SCAN_GAP_MS) scanned = "";
  lastKey = event.timeStamp;
  if (event.key.length === 1) scanned += event.key;
  else if (event.key === "Enter" && scanned.length >= SHORTEST_SCAN) {
    event.preventDefault();
    form.elements.scanned.value = scanned;
    scanned = "";
    form.requestSubmit();
  }
});

// Change: what was handed over less what is due.
const yuan = (fen) => (fen / 100).toFixed(2);
document.querySelectorAll("form[data-cash]").forEach((form) => {
  const due = Number(form.dataset.cash);
  const typed = form.querySelector("[data-tendered]");
  const asked = form.dataset.confirm;
  let notes = 0;
  const show = () => {
    const given = typed.value ? Math.round(Number(typed.value) * 100) : notes || due;
    const short = !(given >= due);
    form.querySelector("[data-received]").textContent = yuan(given || 0);
    if (form.elements.received) form.elements.received.value = yuan(given || 0);
    form.querySelector("[data-change]").textContent = yuan(short ? 0 : given - due);
    form.querySelector("[data-short]").hidden = !short;
    form.querySelector("button.primary").disabled = short;
    form.dataset.confirm = given > due ? asked + "\n" + form.dataset.changeWords.replace("{0}", yuan(given)).replace("{1}", yuan(given - due)) : asked;
  };
  form.querySelectorAll("[data-tender]").forEach((button) =>
    button.addEventListener("click", () => {
      typed.value = "";
      notes = button.dataset.tender === "exact" ? 0 : notes + Number(button.dataset.tender);
      show();
    }),
  );
  typed.addEventListener("input", () => {
    notes = 0;
    show();
  });
});

// A drawer is counted note by note, or as one sum.
document.querySelectorAll("[data-count]").forEach((notes) => {
  const form = notes.closest("form");
  const sum = form.elements[notes.dataset.count];
  const expected = form.querySelector("[data-expected]");
  const show = () => {
    const counted = sum.value === "" ? NaN : Math.round(Number(sum.value) * 100);
    const over = counted - Number(expected.dataset.expected);
    form.querySelector("[data-difference]").textContent = Number.isNaN(over) ? "—" : `¥${yuan(over)}`;
  };
  notes.addEventListener("input", () => {
    let fen = 0;
    notes.querySelectorAll("[data-fen]").forEach((one) => (fen += Number(one.dataset.fen) * (Number(one.value) || 0)));
    sum.value = yuan(fen);
    show();
  });
  sum.addEventListener("input", show);
  show();
});

// A plate begins with a province: letters first show after it.
document.querySelectorAll("[data-plate-pad]").forEach((pad) => {
  const field = pad.closest("form").elements[pad.dataset.keypad];
  const show = () => pad.classList.toggle("begun", field.value.length > 0);
  field.addEventListener("input", show);
  show();
});

document.querySelectorAll("[data-ago]").forEach((row) => {
  const field = row.closest("form").elements[row.dataset.ago];
  row.addEventListener("click", (event) => {
    const minutes = Number(event.target.dataset.minutes);
    if (!minutes) return;
    const then = new Date(Date.parse(row.dataset.now + "Z") - minutes * 60000);
    field.value = then.toISOString().slice(0, 16);
  });
});

// One pad for several fields: it types into the field last touched.
document.querySelectorAll("[data-keypad-focused]").forEach((pad) => {
  const fields = [...pad.closest("form").querySelectorAll("input:not([type=hidden])")];
  let field = fields[0];
  fields.forEach((one) => one.addEventListener("focus", () => (field = one)));
  pad.addEventListener("click", (event) => {
    const digit = event.target.dataset.digit;
    if (!digit) return;
    if (digit === "clear") field.value = "";
    else if (digit === "back") field.value = field.value.slice(0, -1);
    else field.value += digit;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });
});

// What is asked for anew every few seconds while somebody looks at it: a camera's picture with its plates.
document.querySelectorAll("[data-again]").forEach((part) => {
  const ask = async () => {
    if (document.hidden) return;
    const answer = await fetch(part.dataset.again).catch(() => null);
    if (answer && answer.redirected) location.reload(); // signed out meanwhile
    else if (answer && answer.ok) part.innerHTML = await answer.text();
  };
  setInterval(ask, Number(part.dataset.every) * 1000);
});

// Sound when a car wants somebody, and another for an alarm: made here. Off until somebody switches it on at this screen; on a kiosk on until somebody does not want it.
const TUNES = { arrival: [[0, 660], [0.18, 880]], alarm: [[0, 520], [0.3, 400], [0.6, 520], [0.9, 400]] };
const soundSwitch = document.querySelector("[data-sound]");
const soundWanted = () => (localStorage.getItem("sound") || soundSwitch.dataset.sound) === "on";
let audio = null;

function play(name) {
  if (!audio || audio.state !== "running") return;
  for (const [after, hertz] of TUNES[name] || []) {
    const tone = audio.createOscillator();
    const loudness = audio.createGain();
    const begin = audio.currentTime + after;
    tone.frequency.value = hertz;
    loudness.gain.setValueAtTime(0.0001, begin);
    loudness.gain.exponentialRampToValueAtTime(0.4, begin + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, begin + 0.25);
    tone.connect(loudness).connect(audio.destination);
    tone.start(begin);
    tone.stop(begin + 0.26);
  }
}

function showSound() {
  const on = soundWanted();
  const blocked = on && (!audio || audio.state !== "running"); // a browser waits for a touch before it makes noise
  soundSwitch.textContent = blocked ? soundSwitch.dataset.blocked : on ? soundSwitch.dataset.on : soundSwitch.dataset.off;
  soundSwitch.setAttribute("aria-pressed", String(on && !blocked));
  soundSwitch.classList.toggle("warn", blocked);
}

async function soundOn() {
  audio = audio || new AudioContext();
  audio.onstatechange = showSound;
  await audio.resume();
  showSound();
}

if (soundSwitch) {
  soundSwitch.addEventListener("click", async () => {
    if (soundSwitch.getAttribute("aria-pressed") === "true") {
      localStorage.setItem("sound", "off");
      if (audio) await audio.suspend();
    } else {
      localStorage.setItem("sound", "on");
      await soundOn();
      play("arrival");
    }
    showSound();
  });
  document.addEventListener("live-sound", (event) => soundWanted() && play(event.detail));
  if (soundWanted()) {
    soundOn();
    document.addEventListener("pointerdown", soundOn, { once: true });
  }
  showSound();
}
