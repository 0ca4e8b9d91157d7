cd ~/hello
PORT=$PORT pm2 start ecosystem.config.js   # cannot get the port: root's app has it
pm2 save
