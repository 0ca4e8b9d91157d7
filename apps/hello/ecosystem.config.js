// How pm2 runs hello: `pm2 start ecosystem.config.js`.
module.exports = {
  apps: [
    {
      name: "hello",
      script: "server.js",
      cwd: __dirname,
      // One process only: the counts and the switches live in its memory.
      exec_mode: "fork",
      instances: 1,
      // server.js takes up to 3 s to finish its requests; pm2 would kill it after 1.6 s.
      kill_timeout: 4000,
    },
  ],
};
