# Two notes to fill in, and a log that begins with the student.
printf 'lost:\nserves:\nback:\n' >/home/vagrant/prediction.txt
printf 'lost:\nserves:\nretried:\n' >/home/vagrant/answers.txt
chown vagrant: /home/vagrant/prediction.txt /home/vagrant/answers.txt
: >/var/log/nginx/akuma.access.json
