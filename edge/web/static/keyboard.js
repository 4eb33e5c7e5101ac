// One keyboard for every field that has no pad of its own: it comes up where a finger touches, and goes with the field.
"use strict";

const keyboard = document.getElementById("keyboard");
const TYPED_IN = "input:not([type]), input[type=text], input[type=search], input[type=password], input[type=number], input[type=tel], textarea";
const WIDE = matchMedia("(min-width: 900px)"); // a telephone brings its own
let into = null;

const isNumber = (field) => ["numeric", "decimal", "tel"].includes(field.inputMode) || ["number", "tel"].includes(field.type);

function hasOwnPad(field) {
  const pads = [...field.closest("form").querySelectorAll("[data-keypad], [data-keypad-focused]")];
  return pads.some((pad) => pad.dataset.keypad === field.name || (pad.matches("[data-keypad-focused]") && isNumber(field)));
}

function showKeyboard(field) {
  into = field;
  const words = (field.dataset.words || "").split(" ").filter(Boolean);
  keyboard.querySelector("[data-words]").replaceChildren(...words.map(wordKey));
  keyboard.dataset.page = isNumber(field) ? "digits" : "letters";
  keyboard.hidden = false;
  document.body.style.paddingBottom = keyboard.offsetHeight + "px";
  field.scrollIntoView({ block: "nearest" });
  const beneath = field.getBoundingClientRect().bottom - (innerHeight - keyboard.offsetHeight) + 12;
  if (beneath > 0) scrollBy(0, beneath);
}

function hideKeyboard() {
  into = null;
  keyboard.hidden = true;
  document.body.style.paddingBottom = "";
}

function wordKey(word) {
  const key = document.createElement("button");
  key.type = "button";
  key.className = "button";
  key.textContent = word;
  key.dataset.type = /[a-z]$/i.test(word) ? word + " " : word;
  return key;
}

function typeKey(key) {
  const { type, edit, page } = key.dataset;
  const left = into.maxLength < 0 ? Infinity : into.maxLength - into.value.length;
  if (page) keyboard.dataset.page = page;
  else if (edit === "hide") hideKeyboard();
  else if (edit === "clear") into.value = "";
  else if (edit === "back") into.value = [...into.value].slice(0, -1).join("");
  else if (type.length <= left) into.value += type;
  if (into) into.dispatchEvent(new Event("input", { bubbles: true }));
}

if (keyboard) {
  document.addEventListener("click", (event) => {
    const field = event.target.closest(TYPED_IN);
    if (field && field.form && WIDE.matches && !hasOwnPad(field)) showKeyboard(field);
    else if (into && !event.target.closest("#keyboard")) hideKeyboard();
  });
  keyboard.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps its focus
  keyboard.addEventListener("click", (event) => {
    const key = event.target.closest("button");
    if (key && into) typeKey(key);
  });
}
