lab halt --force voxy
lab start voxy
