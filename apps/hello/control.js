// The teacher's side: turns the switches and reads the POSTs. It listens on 127.0.0.1 only.
"use strict";

const http = require("node:http");

/** A parameter that cannot be used; its message is the sentence the teacher sees. */
class BadValue extends Error {}

function numberFrom(params, name, { min, max, whole }) {
  const text = params.get(name);
  const kind = whole ? "a whole number" : "a number";
  const rule = `${name} must be ${kind} from ${min} to ${max}`;
  if (text === null) throw new BadValue(`${rule}, but it is missing.`);

  const value = Number(text);
  const written = whole ? /^\d+$/ : /^\d*\.?\d+$/;
  if (!written.test(text) || value < min || value > max) {
    throw new BadValue(`${rule}, not "${text.slice(0, 40)}".`);
  }
  return value;
}

function shareFrom(params) {
  return params.has("share") ? numberFrom(params, "share", { min: 0, max: 1 }) : 1;
}

/** A misspelt `shar=0.5` must not silently make every request fail. */
function allowOnly(params, names) {
  for (const name of params.keys()) {
    if (!names.includes(name)) {
      throw new BadValue(`"${name.slice(0, 40)}" is not a parameter here; there are: ${names.join(", ")}.`);
    }
  }
}

function createControl(switches, posts) {
  // Every change answers with the new state.
  const actions = {
    "GET /": () => switches.state(),
    "POST /slow": (params) => {
      allowOnly(params, ["ms", "share"]);
      switches.slow(numberFrom(params, "ms", { min: 0, max: 60000, whole: true }), shareFrom(params));
      return switches.state();
    },
    "POST /fail": (params) => {
      allowOnly(params, ["status", "share"]);
      switches.fail(numberFrom(params, "status", { min: 400, max: 599, whole: true }), shareFrom(params));
      return switches.state();
    },
    "POST /reset": () => {
      switches.reset();
      return switches.state();
    },
    "GET /posts": () => posts.list(),
    "DELETE /posts": () => {
      posts.forget();
      return posts.list();
    },
  };

  function answerTo(req) {
    const [path, query] = req.url.split("?", 2);
    const wish = `${req.method} ${path}`;
    if (!Object.hasOwn(actions, wish)) {
      const known = Object.keys(actions).join(", ");
      return { status: 404, type: "text/plain", body: `There is no switch "${wish}"; there are: ${known}.\n` };
    }
    try {
      const state = actions[wish](new URLSearchParams(query));
      return { status: 200, type: "application/json", body: `${JSON.stringify(state)}\n` };
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      return { status: 400, type: "text/plain", body: `${error.message}\n` };
    }
  }

  return http.createServer((req, res) => {
    const { status, type, body } = answerTo(req);
    res.writeHead(status, { "Content-Type": `${type}; charset=utf-8`, "Cache-Control": "no-store" });
    res.end(body);
  });
}

module.exports = { createControl };
