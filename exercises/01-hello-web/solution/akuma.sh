sudo apt-get update -q
sudo DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends nginx
echo "<h1>$TOKEN</h1>" | sudo tee /var/www/html/index.html
sudo systemctl enable --now nginx
printf '1: b\n2: a\n3: c\n' >~/answers.txt
