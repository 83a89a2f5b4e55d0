# A credential helper of git: says the login to the one server that it is for, ORIGIN. After a redirection git asks for another one.
[ "$1" = get ] || exit 0
protocol='' host=''
while IFS='=' read -r key value; do
  case $key in
    protocol) protocol=$value ;;
    host) host=$value ;;
  esac
done
[ "$protocol://$host" = "$ORIGIN" ] || exit 0
cat "${0%/*}/login"
