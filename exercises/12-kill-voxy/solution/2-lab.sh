lab halt --force voxy
sleep 4
lab start voxy
