sudo systemctl restart nginx || true
