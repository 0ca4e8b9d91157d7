# Wait until voxy is asked again, then read the log.
log=/var/log/nginx/akuma.access.json
for i in $(seq 30); do
    sleep 0.5
    sudo tail -n 5 $log | grep -q "\"upstream_addr\":\"$VOXY:$PORT\"" && break
done
retried=$(sudo grep -c '"upstream_addr":"[^"]*, ' $log)
printf 'lost: 0\nserves: zero\nretried: %s\n' "$retried" >~/answers.txt
