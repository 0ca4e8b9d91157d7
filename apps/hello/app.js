// The users' side: says which host answers, and is as slow or as failing as the switches say.
"use strict";

const http = require("node:http");
const { createPage } = require("./page");

const BODY_LIMIT_BYTES = 64 * 1024;
// Longer than nginx keeps an idle connection (60 s). The other way round nginx would now and then
// send a request into a connection that we are just closing, and the user would see a 502.
const KEEP_ALIVE_MS = 65_000;

const text = (status, body) => ({ status, type: "text/plain", body: `${body}\n` });
const json = (status, value) => ({ status, type: "application/json", body: `${JSON.stringify(value)}\n` });

function createApp(host, switches, posts) {
  // The clock of a virtual machine can jump; process.uptime() cannot.
  const started = new Date(Date.now() - process.uptime() * 1000);
  const renderPage = createPage(host, started);
  // A header may hold nothing but printable ASCII; Node refuses to send anything else.
  const hostHeader = host.replace(/[^\x20-\x7e]/g, "?");
  let served = 0;

  const whoami = () => ({
    host,
    pid: process.pid,
    served,
    started: started.toISOString(),
    uptime_s: Math.round(process.uptime() * 10) / 10,
  });

  const pages = new Map([
    ["/", () => ({ status: 200, type: "text/html", body: renderPage(served, process.uptime()) })],
    ["/whoami", () => json(200, whoami())],
    ["/healthz", () => text(200, "ok")],
  ]);

  function answerTo(req, path, bodyBytes) {
    if (req.method === "POST") {
      if (bodyBytes > BODY_LIMIT_BYTES) return text(413, `The body is longer than ${BODY_LIMIT_BYTES} bytes.`);
      return json(201, { host, ...posts.note(req.headers["x-request-id"]) });
    }
    if (req.method === "GET" || req.method === "HEAD") {
      const page = pages.get(path);
      return page ? page() : text(404, "There is no such page; there are: /, /whoami, /healthz.");
    }
    return { ...text(405, "This app answers GET, HEAD and POST."), headers: { Allow: "GET, HEAD, POST" } };
  }

  // /healthz feels the switches like every other path: health is what users feel. It fails with 503
  // whatever status was chosen, because that is the one that health checks understand.
  const failing = (status, path) => text(path === "/healthz" ? 503 : status, "failing");

  function send(res, { status, type, body, headers }) {
    res.writeHead(status, {
      "Content-Type": `${type}; charset=utf-8`,
      "Content-Length": Buffer.byteLength(body),
      "Cache-Control": "no-store",
      "X-Served-By": hostHeader,
      ...headers,
      // While stopping, nginx must not send another request on this connection.
      ...(server.listening ? {} : { Connection: "close" }),
    });
    res.end(body); // Node leaves the body out for HEAD
  }

  function handle(req, res, bodyBytes) {
    served += 1;
    const path = req.url.split("?", 1)[0];
    const { slowMs, failStatus } = switches.next();
    const answer = failStatus ? failing(failStatus, path) : answerTo(req, path, bodyBytes);
    // The work is done by now and only the answer is late: a user who gives up and tries again gets
    // the work done twice.
    if (slowMs) setTimeout(send, slowMs, res, answer);
    else send(res, answer);
  }

  const server = http.createServer((req, res) => {
    if (req.method !== "POST") return handle(req, res, 0);
    // Read to the end even if it is too long: to hang up earlier would lose the 413 on its way.
    let bodyBytes = 0;
    req.on("data", (chunk) => (bodyBytes += chunk.length));
    req.on("end", () => handle(req, res, bodyBytes));
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}

module.exports = { createApp };
