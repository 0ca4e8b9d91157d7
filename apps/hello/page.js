// Prepares the page once, so that a request only fills in the two values that change.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { colourOf } = require("./colour");

const read = (name) => fs.readFileSync(path.join(__dirname, name), "utf8");

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escapeHtml = (text) => text.replace(/[&<>"']/g, (letter) => ESCAPES[letter]);

/** 3725.4 becomes "1:02:05", which reads the same in every language. */
function clock(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** Returns a function from (served, uptime in seconds) to the whole page. */
function createPage(host, started) {
  const iso = started.toISOString();
  const fixed = {
    host: escapeHtml(host),
    letters: Math.max(4, [...host].length),
    colour: colourOf(host),
    started: iso,
    startedText: `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`,
    css: read("page.css"),
    js: read("colour.js") + read("strip.js"),
  };
  const fill = (part) => part.replace(/\{\{(\w+)\}\}/g, (_, name) => fixed[name]);

  // Split before filling in: a host named "{{served}}" stays a host name.
  const [top, middle, bottom] = read("page.html").split(/\{\{served\}\}|\{\{uptime\}\}/).map(fill);
  return (served, uptime) => top + served + middle + clock(uptime) + bottom;
}

module.exports = { createPage };
