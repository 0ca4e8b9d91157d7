# The site works, but the backends are not told who the visitor is.
sed -i '/X-Real-IP/d; /X-Forwarded-For/d' /etc/nginx/akuma/my.reverse-proxy.conf
nginx -t
systemctl reload nginx
