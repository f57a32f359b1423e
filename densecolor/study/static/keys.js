// Answers by keys, and no answer twice by impatience. The page works without this file.
"use strict";

const form = document.querySelector("form.question");
const buttons = [...form.querySelectorAll(".choices button")];
const scales = [...form.querySelectorAll("fieldset")];
let sent = false;
let shown = false;

form.querySelectorAll(".keys").forEach((hint) => { hint.hidden = false; });
window.addEventListener("load", () => { shown = true; });
window.addEventListener("pageshow", () => { sent = false; });
form.addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  sent = true;
});

function choose(key) {
  const place = { 1: 0, ArrowLeft: 0, 2: 1, ArrowRight: 1 }[key];
  if (place !== undefined) buttons[place].click();
  return place !== undefined;
}

function mark(key) {
  if (!/^[0-9]$/.test(key)) return false;
  const focused = document.activeElement && document.activeElement.closest("fieldset");
  const open = scales.find((scale) => !scale.querySelector("input:checked"));
  const scale = focused || open;
  if (!scale) return false;
  const input = scale.querySelector(`input[value="${key === "0" ? "10" : key}"]`);
  input.checked = true;
  const next = scales[scales.indexOf(scale) + 1];
  const target = next && !next.querySelector("input:checked") ? next.querySelector("input") : input;
  target.focus();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (!shown || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const done = buttons.length ? choose(event.key) : mark(event.key);
  if (done) event.preventDefault();
  else if (event.key === "Enter" && scales.length && document.activeElement === document.body) form.requestSubmit();
});
