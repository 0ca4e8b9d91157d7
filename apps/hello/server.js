// Starts the two servers of one backend: the app for users, the control for the teacher.
"use strict";

const os = require("node:os");
const { createApp } = require("./app");
const { createControl } = require("./control");
const { Posts } = require("./posts");
const { Switches } = require("./switches");

const STOP_LIMIT_MS = 3000;

function stopWith(sentence) {
  console.error(`hello: ${sentence}`);
  process.exit(1);
}

function portFrom(name, fallback) {
  const text = process.env[name] || String(fallback);
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
  return stopWith(`${name} must be a whole number from 1 to 65535, not "${text}".`);
}

function listen(server, port, address) {
  server.on("error", (error) => {
    if (error.code === "EADDRINUSE") stopWith(`port ${port} is taken by another process.`);
    stopWith(`cannot listen on port ${port}: ${error.message}`);
  });
  return new Promise((listening) => server.listen(port, address, listening));
}

async function main() {
  const port = portFrom("PORT", 3000);
  const controlPort = portFrom("CONTROL_PORT", port + 1);
  const host = process.env.LAB_HOST || os.hostname();

  const switches = new Switches();
  const posts = new Posts();
  const app = createApp(host, switches, posts);
  const control = createControl(switches, posts);

  // The control comes first: whoever can reach the app can then also reach its switches.
  await listen(control, controlPort, "127.0.0.1");
  await listen(app, port, "0.0.0.0");
  console.log(`hello: ${host} answers on port ${port}; switches on 127.0.0.1:${controlPort}`);

  function stop() {
    control.close();
    control.closeAllConnections();
    app.close(() => process.exit(0));
    app.closeIdleConnections(); // Node 18 does not do so on close()
    setTimeout(() => process.exit(0), STOP_LIMIT_MS);
  }
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

main();
