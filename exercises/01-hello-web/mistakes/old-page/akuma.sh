sudo apt-get update -q
sudo DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends nginx
echo "<h1>$TOKEN</h1>" >~/index.html
