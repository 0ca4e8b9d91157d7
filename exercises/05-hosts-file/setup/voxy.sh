# The visitor's computer does not know the name.
sed -i "/[[:space:]]${DOMAIN//./\\.}\([[:space:]]\|$\)/d" /etc/hosts
