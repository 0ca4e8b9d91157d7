# nginx -t names the file, the line and what it stumbled over.
if ! sudo nginx -t; then
    case "$FAULT" in
        missing-semicolon) sudo sed -i 's|default_type text/plain$|default_type text/plain;|' /etc/nginx/conf.d/site.conf ;;
        unclosed-brace) sudo sed -i '/return 200/a\    }' /etc/nginx/conf.d/site.conf ;;
        misspelt-directive) sudo sed -i 's/retrun 200/return 200/' /etc/nginx/conf.d/site.conf ;;
    esac
fi
sudo nginx -t
sudo systemctl reload nginx
sleep 0.5   # nginx needs a moment to replace its workers
