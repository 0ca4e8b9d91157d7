# First the prediction, then visitors: 250 of them, ten a second, in the background.
printf 'lost: 0\nserves: zero\nback: 10\n' >~/prediction.txt
sleep 1
nohup bash -c "for i in \$(seq 250); do curl -s -o /dev/null --max-time 3 -H 'Host: $DOMAIN' http://$AKUMA/; sleep 0.1; done" >/dev/null 2>&1 </dev/null &
sleep 1
